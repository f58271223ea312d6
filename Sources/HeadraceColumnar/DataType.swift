/// The logical type of a column, with a fixed physical layout that follows the Arrow columnar format.
///
/// `decimal` holds 64-bit coefficients up to precision 18 and 128-bit coefficients up to precision 38. `json` is UTF-8 text
/// that holds one JSON document. Whether a text column is dictionary-encoded is a property of each `ColumnVector`, never
/// of its type.
public indirect enum DataType: Sendable, Hashable {
    /// True or false, one bit a value.
    case bool
    /// Integers with a sign, of as many bits as the name says.
    case int8, int16, int32, int64
    /// Integers without a sign, of as many bits as the name says.
    case uint8, uint16, uint32, uint64
    /// IEEE 754 floating point.
    case float32, float64
    /// An exact decimal: `precision` digits (1 to 38) of which `scale` (0 to precision) follow the point.
    case decimal(precision: Int, scale: Int)
    /// Text.
    case utf8
    /// Bytes of any content.
    case binary
    /// Days since 1970-01-01, proleptic Gregorian.
    case date32
    /// Microseconds since midnight.
    case time64
    /// Microseconds since 1970-01-01T00:00:00; with `zone` an instant in UTC shown in that zone, without it a wall time.
    case timestamp(zone: String?)
    /// Lists of any length of one kind of element.
    case list(Field)
    /// Fields side by side, each with a column of its own.
    case `struct`([Field])
    /// Text that holds one JSON document.
    case json

    /// An instant: a timestamp with zone UTC.
    public static var instant: DataType { .timestamp(zone: "UTC") }

    /// How the values of a type are laid out in memory.
    public enum Layout: Sendable, Hashable {
        /// One bit a value.
        case bits
        /// `width` bytes a value.
        case fixed(width: Int)
        /// 32-bit offsets into a byte buffer.
        case bytes
        /// 32-bit offsets into a column of elements.
        case list
        /// A column for each field and no values of its own.
        case `struct`
    }

    /// The memory layout of this type's values when they are not dictionary-encoded.
    public var layout: Layout {
        switch self {
        case .bool: .bits
        case .int8, .uint8: .fixed(width: 1)
        case .int16, .uint16: .fixed(width: 2)
        case .int32, .uint32, .float32, .date32: .fixed(width: 4)
        case .int64, .uint64, .float64, .time64, .timestamp: .fixed(width: 8)
        case .decimal(let precision, _): .fixed(width: precision <= 18 ? 8 : 16)
        case .utf8, .binary, .json: .bytes
        case .list: .list
        case .struct: .struct
        }
    }

    /// Signed or unsigned integers of any width.
    public var isInteger: Bool { integerRange != nil }

    /// Integers, decimals and floating point.
    public var isNumeric: Bool {
        switch self {
        case .float32, .float64, .decimal: true
        default: isInteger
        }
    }

    /// UTF-8 text, JSON included.
    public var isText: Bool { self == .utf8 || self == .json }

    /// The lowest and highest value of an integer type, nil for other types.
    public var integerRange: (lowest: Int128, highest: Int128)? {
        switch self {
        case .int8: (Int128(Int8.min), Int128(Int8.max))
        case .int16: (Int128(Int16.min), Int128(Int16.max))
        case .int32: (Int128(Int32.min), Int128(Int32.max))
        case .int64: (Int128(Int64.min), Int128(Int64.max))
        case .uint8: (0, Int128(UInt8.max))
        case .uint16: (0, Int128(UInt16.max))
        case .uint32: (0, Int128(UInt32.max))
        case .uint64: (0, Int128(UInt64.max))
        default: nil
        }
    }
}

extension DataType: CustomStringConvertible {
    /// The type as schema files and messages write it: `int64`, `decimal(12,2)`, `timestamp(UTC)`, `list<utf8>`.
    public var description: String {
        switch self {
        case .bool: "bool"
        case .int8: "int8"
        case .int16: "int16"
        case .int32: "int32"
        case .int64: "int64"
        case .uint8: "uint8"
        case .uint16: "uint16"
        case .uint32: "uint32"
        case .uint64: "uint64"
        case .float32: "float32"
        case .float64: "float64"
        case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
        case .utf8: "utf8"
        case .binary: "binary"
        case .date32: "date32"
        case .time64: "time64"
        case .timestamp(let zone): zone.map { "timestamp(\($0))" } ?? "timestamp"
        case .list(let element): "list<\(element.type)>"
        case .struct(let fields): "struct<\(fields.map { "\($0.name): \($0.type)" }.joined(separator: ", "))>"
        case .json: "json"
        }
    }

    /// The type in a sentence: `a decimal(12,2)`, `an int64`.
    package var withArticle: String {
        switch self {
        case .int8, .int16, .int32, .int64: "an \(self)"
        default: "a \(self)"
        }
    }

    /// Reads what `description` writes for every type but list and struct; nil when the text names no type.
    public init?(_ text: String) {
        let named: [String: DataType] = [
            "bool": .bool, "int8": .int8, "int16": .int16, "int32": .int32, "int64": .int64, "uint8": .uint8,
            "uint16": .uint16, "uint32": .uint32, "uint64": .uint64, "float32": .float32, "float64": .float64,
            "utf8": .utf8, "binary": .binary, "date32": .date32, "time64": .time64, "timestamp": .timestamp(zone: nil),
            "json": .json,
        ]
        if let type = named[text] {
            self = type
            return
        }
        guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else { return nil }
        let arguments = text[text.index(after: open)..<text.index(before: text.endIndex)]
        switch text[..<open] {
        case "decimal":
            let numbers = arguments.split(separator: ",").map { Int($0.drop { $0 == " " }) }
            guard numbers.count == 2, let precision = numbers[0], let scale = numbers[1],
                (1...38).contains(precision), (0...precision).contains(scale)
            else { return nil }
            self = .decimal(precision: precision, scale: scale)
        case "timestamp":
            guard !arguments.isEmpty else { return nil }
            self = .timestamp(zone: String(arguments))
        default: return nil
        }
    }
}
