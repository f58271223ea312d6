/// Header fields in the order they were written, duplicates kept, names compared without regard to case.
public struct HTTPHeaders: Sendable, Hashable, CustomStringConvertible, CustomReflectable,
    ExpressibleByDictionaryLiteral
{
    /// One field.
    public struct Field: Sendable, Hashable {
        /// The name as written.
        public let name: String
        /// The value without blanks around it.
        public let value: String
    }

    /// The fields in order.
    public private(set) var fields: [Field] = []

    /// No fields.
    public init() {}

    /// Fields in the order of the literal.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(name, value) }
    }

    /// The first value of a name; setting replaces all fields of the name by one, or by none for `nil`.
    public subscript(name: String) -> String? {
        get { fields.first { Self.isSame($0.name, name) }?.value }
        set {
            guard let newValue else {
                fields.removeAll { Self.isSame($0.name, name) }
                return
            }
            let field = Field(name: name, value: Self.trimmed(newValue))
            guard let first = fields.firstIndex(where: { Self.isSame($0.name, name) }) else {
                fields.append(field)
                return
            }
            fields[first] = field
            var seen = 0
            fields.removeAll {
                guard Self.isSame($0.name, name) else { return false }
                seen += 1
                return seen > 1
            }
        }
    }

    /// All values of a name in order, one for each field; not split at commas.
    public func values(_ name: String) -> [String] {
        fields.filter { Self.isSame($0.name, name) }.map(\.value)
    }

    /// The elements of a list field (RFC 9110 section 5.6.1) over all fields of the name, split at commas outside quotes.
    public func list(_ name: String) -> [String] {
        values(name).flatMap(Self.split)
    }

    /// Adds a field at the end, whatever is there of the same name.
    public mutating func add(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: Self.trimmed(value)))
    }

    /// Keeps the fields whose names pass.
    mutating func keep(_ isKept: (String) -> Bool) {
        fields.removeAll { !isKept($0.name.lowercased()) }
    }

    /// Lengthens the last value, as a folded line does.
    mutating func continueLast(with value: String) {
        guard let last = fields.popLast() else { return }
        fields.append(Field(name: last.name, value: last.value + " " + Self.trimmed(value)))
    }

    /// One line a field; values of fields that by custom carry a secret are replaced by `<redacted>`.
    public var description: String {
        fields.map { "\($0.name): \(SecretNames.header($0.name) ? "<redacted>" : $0.value)" }.joined(separator: "\n")
    }

    /// Shows what the description shows, so that a dump prints no secret.
    public var customMirror: Mirror {
        Mirror(self, children: ["fields": description])
    }

    /// Equality of names as HTTP has it: ASCII letters of either case are the same.
    static func isSame(_ one: String, _ other: String) -> Bool {
        one.utf8.count == other.utf8.count && zip(one.utf8, other.utf8).allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }

    private static func trimmed(_ value: String) -> String {
        var rest = value.utf8[...]
        while let first = rest.first, first == 0x20 || first == 0x09 { rest.removeFirst() }
        while let last = rest.last, last == 0x20 || last == 0x09 { rest.removeLast() }
        return rest.count == value.utf8.count ? value : String(decoding: rest, as: UTF8.self)
    }

    private static func split(_ value: String) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        var isQuoted = false
        var isEscaped = false
        for byte in value.utf8 {
            if byte == UInt8(ascii: ","), !isQuoted {
                parts.append(trimmed(String(decoding: part, as: UTF8.self)))
                part = []
                continue
            }
            part.append(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\"), isQuoted {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            }
        }
        parts.append(trimmed(String(decoding: part, as: UTF8.self)))
        return parts.filter { !$0.isEmpty }
    }
}
