import HeadraceCodecs
import HeadraceColumnar
import HeadraceCore

/// How rows become items: one attribute a column, under the column's name.
public struct ItemMapping: Sendable, Hashable {
    /// How exact decimals are written.
    public enum Decimals: String, Sendable, Hashable {
        /// As numbers, which stores keep to 38 digits without the zeros at the end.
        case number
        /// As text with all digits of the column's scale.
        case string
    }

    /// What becomes of nulls.
    public enum Nulls: String, Sendable, Hashable {
        /// The item lacks the attribute.
        case absent
        /// The attribute is `NULL`.
        case null
    }

    /// How exact decimals are written.
    public var decimals = Decimals.number
    /// What becomes of nulls.
    public var nulls = Nulls.absent

    /// Decimals as numbers and nulls left out, unless told otherwise.
    public init(decimals: Decimals = .number, nulls: Nulls = .absent) {
        self.decimals = decimals
        self.nulls = nulls
    }

    /// The type that a key attribute gets from a column; nil for a type that no key can have.
    func keyType(of type: DataType) -> KeyType? {
        switch type {
        case .utf8, .date32, .time64, .timestamp: .string
        case .binary: .binary
        case .decimal: decimals == .number ? .number : .string
        case _ where type.isInteger: .number
        default: nil
        }
    }

    /// The item of a row.
    ///
    /// - Throws: `invalidItem` for a value that no attribute holds: NaN, an infinity, a number of more than 38 digits in JSON.
    func item(_ records: RecordBatch, row: Int) throws(HeadraceError) -> Item {
        var item: Item = [:]
        for (field, column) in zip(records.schema.fields, records.columns) {
            let value = try value(column.scalar(at: row), field.type, field.name)
            if case .null = value, nulls == .absent { continue }
            item[field.name] = value
        }
        return item
    }

    private func value(_ scalar: Scalar, _ type: DataType, _ name: String) throws(HeadraceError) -> AttributeValue {
        switch scalar {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .integer(let value): return .number(value.description)
        case .double(let value):
            guard value.isFinite else {
                throw .invalidItem("\(value) is no number that an item can hold", attribute: name)
            }
            return .number(type == .float32 ? Float(value).description : value.description)
        case .decimal(let value):
            let text = value.plainDescription ?? value.description
            return decimals == .number ? .number(text) : .string(text)
        case .utf8(let text):
            guard type == .json else { return .string(text) }
            guard let json = try? JSONValue.parse(text) else {
                throw .invalidItem("the text is not JSON", attribute: name)
            }
            return Self.value(json)
        case .binary(let bytes): return .binary(bytes)
        case .date, .time: return .string(scalar.description)
        case .timestamp(let micros):
            let hasZone = if case .timestamp(.some) = type { true } else { false }
            return .string(Temporal.formatTimestamp(micros, hasZone: hasZone))
        case .list(let values):
            guard case .list(let element) = type else { return .list([]) }
            var list: [AttributeValue] = []
            for item in values { list.append(try value(item, element.type, name)) }
            return .list(list)
        case .struct(let members):
            guard case .struct(let fields) = type else { return .map([:]) }
            var map: Item = [:]
            for (field, member) in zip(fields, members) {
                let value = try value(member, field.type, name)
                if case .null = value, nulls == .absent { continue }
                map[field.name] = value
            }
            return .map(map)
        }
    }

    /// A JSON value as an attribute; of members with the same name the last counts.
    private static func value(_ json: JSONValue) -> AttributeValue {
        switch json {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let number): .number(number.text)
        case .string(let text): .string(text)
        case .array(let values): .list(values.map { value($0) })
        case .object(let object): .map(Dictionary(object.members.map { ($0.name, value($0.value)) }) { $1 })
        }
    }
}
