/// One value outside a column: literals, keys, rates, test data and report rows. Never on a hot path.
public enum Scalar: Sendable, Hashable {
    /// No value.
    case null
    /// A boolean.
    case bool(Bool)
    /// An integer of any width.
    case integer(Int128)
    /// A float of either width.
    case double(Double)
    /// An exact decimal.
    case decimal(DecimalValue)
    /// Text, JSON included.
    case utf8(String)
    /// Bytes.
    case binary([UInt8])
    /// Days since 1970-01-01.
    case date(Int32)
    /// Microseconds since midnight.
    case time(Int64)
    /// Microseconds since 1970-01-01T00:00:00.
    case timestamp(Int64)
    /// The elements of a list.
    case list([Scalar])
    /// The members of a struct in field order.
    case `struct`([Scalar])

    /// Whether this is no value.
    public var isNull: Bool { self == .null }

    /// Whether a column of `type` can hold this value without loss.
    public func fits(_ type: DataType) -> Bool {
        switch (self, type) {
        case (.null, _): true
        case (.bool, .bool), (.utf8, .utf8), (.utf8, .json), (.binary, .binary): true
        case (.list(let values), .list(let element)): values.allSatisfy { $0.fits(element.type) }
        case (.struct(let members), .struct(let fields)):
            members.count == fields.count && zip(members, fields).allSatisfy { $0.fits($1.type) }
        default:
            switch type.layout {
            case .fixed(width: 1): fixedWidthValue(for: type, as: UInt8.self) != nil
            case .fixed(width: 2): fixedWidthValue(for: type, as: UInt16.self) != nil
            case .fixed(width: 4): fixedWidthValue(for: type, as: UInt32.self) != nil
            case .fixed(width: 8): fixedWidthValue(for: type, as: UInt64.self) != nil
            case .fixed: fixedWidthValue(for: type, as: UInt128.self) != nil
            default: false
            }
        }
    }

    /// The bits of this value as stored in a fixed-width column of `type`, nil when it is null, of another kind or does
    /// not fit. `Value` must have the type's width; its signedness does not matter.
    func fixedWidthValue<Value: BitwiseCopyable>(for type: DataType, as: Value.Type) -> Value? {
        switch (self, type) {
        case (.integer(let value), _):
            if let range = type.integerRange {
                guard range.lowest <= value, value <= range.highest else { return nil }
                return Self.low(value)
            }
            guard case .decimal(_, let scale) = type else { return nil }
            return Scalar.decimal(DecimalValue(coefficient: value, scale: 0)).coefficient(type, scale).flatMap(Self.low)
        case (.decimal, .decimal(_, let scale)): return coefficient(type, scale).flatMap(Self.low)
        case (.double(let value), .float64): return Self.low(Int128(truncatingIfNeeded: value.bitPattern))
        case (.double(let value), .float32):
            let narrow = Float(value)
            guard Double(narrow) == value || value.isNaN else { return nil }
            return Self.low(Int128(truncatingIfNeeded: narrow.bitPattern))
        case (.date(let days), .date32): return Self.low(Int128(days))
        case (.time(let micros), .time64), (.timestamp(let micros), .timestamp): return Self.low(Int128(micros))
        default: return nil
        }
    }

    /// This decimal's coefficient at exactly `scale`, nil when digits would be lost or the precision passed.
    private func coefficient(_ type: DataType, _ scale: Int) -> Int128? {
        guard case .decimal(let value) = self, case .decimal(let precision, _) = type else { return nil }
        return value.exactCoefficient(precision: precision, scale: scale)
    }

    private static func low<Value: BitwiseCopyable>(_ value: Int128) -> Value? {
        withUnsafeBytes(of: value) { bytes in
            bytes.count >= MemoryLayout<Value>.size ? bytes.loadUnaligned(as: Value.self) : nil
        }
    }
}

extension Scalar: CustomStringConvertible {
    /// The value as messages and previews show it.
    public var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): value.description
        case .double(let value): value.description
        case .decimal(let value): value.description
        case .utf8(let value): value
        case .binary(let bytes): "0x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .date(let days): Temporal.formatDate(days)
        case .time(let micros): Temporal.formatTime(micros)
        case .timestamp(let micros): Temporal.formatTimestamp(micros)
        case .list(let values): "[\(values.map(\.description).joined(separator: ", "))]"
        case .struct(let members): "{\(members.map(\.description).joined(separator: ", "))}"
        }
    }
}
