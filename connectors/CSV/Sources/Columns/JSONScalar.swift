import HeadraceColumnar
import HeadraceCore

/// JSON values as the values of columns, exactly or not at all.
enum JSONScalar {
    static func scalar(_ value: JSONValue, _ type: DataType) -> Scalar? {
        switch (value, type) {
        case (.null, _): return .null
        case (.bool(let bit), .bool): return .bool(bit)
        case (.string(let text), .utf8): return .utf8(text)
        case (_, .json): return .utf8(value.compactText)
        case (.array(let items), .list(let element)):
            var values: [Scalar] = []
            for item in items {
                guard let member = scalar(item, element.type) else { return nil }
                values.append(member)
            }
            return .list(values)
        case (.object(let object), .struct(let fields)):
            var values: [Scalar] = []
            for field in fields {
                guard let member = scalar(object[field.name] ?? .null, field.type) else { return nil }
                values.append(member)
            }
            return .struct(values)
        case (.number(let number), _): return self.number(number, type)
        case (.string(let text), _): return self.text(text, type)
        default: return nil
        }
    }

    private static func number(_ number: JSONNumber, _ type: DataType) -> Scalar? {
        let value: Scalar? =
            switch type {
            case .float32, .float64: .double(number.double)
            case .decimal: DecimalValue(number.text).map(Scalar.decimal)
            default: type.isInteger ? Int128(number.text).map(Scalar.integer) : nil
            }
        return value.flatMap { $0.fits(type) ? $0 : nil }
    }

    private static func text(_ text: String, _ type: DataType) -> Scalar? {
        var text = text
        return text.withUTF8 { bytes -> Scalar? in
            guard let base = UnsafeRawBufferPointer(bytes).baseAddress else { return nil }
            switch type {
            case .date32: return DateText.parse(base, count: bytes.count).valid.map(Scalar.date)
            case .time64: return TimeText.parse(base, count: bytes.count).valid.map(Scalar.time)
            case .timestamp:
                let parsed = TimestampText.parse(base, count: bytes.count)
                return parsed.isValid ? .timestamp(parsed.microseconds) : nil
            case .float32, .float64:
                let parsed = DoubleText.parse(base, count: bytes.count, allowsNonFinite: true)
                return parsed.valid.map(Scalar.double)
            case .binary: return HexText.bytes(UnsafeRawBufferPointer(bytes)).map(Scalar.binary)
            default: return nil
            }
        }
    }
}
