public import HeadraceColumnar

/// Rows as JSON text for rejects and reports.
public enum RowText {
    /// Row `row` as one JSON object in field order; numbers and decimals exact, binary as hex.
    public static func json(_ records: RecordBatch, row: Int) -> String {
        JSONValue.object(
            zip(records.schema.fields, records.columns).map { ($0.name, value($1.scalar(at: row), $0.type)) }
        ).description
    }

    /// A scalar as JSON: numbers as numbers, dates and times as ISO text, `json` columns as the document they hold.
    public static func value(_ scalar: Scalar, _ type: DataType) -> JSONValue {
        switch scalar {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .double(let value): value.isFinite ? .double(value) : .string("\(value)")
        case .decimal(let value): JSONNumber(value.description).map(JSONValue.number) ?? .string(value.description)
        case .utf8(let text): type == .json ? (try? JSONValue.parse(text)) ?? .string(text) : .string(text)
        case .list(let values):
            if case .list(let element) = type {
                .array(values.map { value($0, element.type) })
            } else {
                .array([])
            }
        case .struct(let members):
            if case .struct(let fields) = type {
                .object(zip(fields, members).map { ($0.name, value($1, $0.type)) })
            } else {
                .null
            }
        case .binary, .date, .time, .timestamp: .string(scalar.description)
        }
    }
}
