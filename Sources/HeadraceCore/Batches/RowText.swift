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

extension RowText {
    /// The values of a row that `json(_:row:)` wrote, in the order of `schema`; nil where the text is no such row.
    public static func values(of json: String, _ schema: Schema) -> [Scalar]? {
        guard let object = try? JSONValue.parse(json), case .object = object else { return nil }
        var values: [Scalar] = []
        for field in schema.fields {
            guard let value = scalar(object[field.name] ?? .null, field.type) else { return nil }
            values.append(value)
        }
        return values
    }

    /// The reverse of `value(_:_:)`; nil where the JSON holds no value of the type.
    public static func scalar(_ value: JSONValue, _ type: DataType) -> Scalar? {
        if value.isNull { return .null }
        switch type {
        case .json: return .utf8(value.compactText)
        case .list(let element):
            guard case .array(let elements) = value else { return nil }
            let scalars = elements.compactMap { scalar($0, element.type) }
            return scalars.count == elements.count ? .list(scalars) : nil
        case .struct(let fields):
            guard case .object = value else { return nil }
            let members = fields.compactMap { scalar(value[$0.name] ?? .null, $0.type) }
            return members.count == fields.count ? .struct(members) : nil
        case .binary:
            guard let text = value.stringValue, text.hasPrefix("0x"), text.utf8.count % 2 == 0 else { return nil }
            let digits = Array(text.dropFirst(2))
            let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(digits[$0...$0 + 1]), radix: 16)
            }
            return bytes.count * 2 == digits.count ? .binary(bytes) : nil
        default: break
        }
        let text: String
        switch value {
        case .bool(let bit): text = bit ? "true" : "false"
        case .number(let number): text = number.text
        case .string(let string):
            if type == .utf8 { return .utf8(string) }
            text = string
        default: return nil
        }
        guard let column = ColumnVector.of(.utf8, [.utf8(text)]), let cast = try? Kernels.cast(column, to: type),
            cast.failures.isEmpty
        else { return nil }
        return cast.column.scalar(at: 0)
    }
}
