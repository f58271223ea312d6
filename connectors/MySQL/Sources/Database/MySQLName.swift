import HeadraceCore

/// The name of a column, index or table: one identifier, whatever it holds.
struct MySQLName: Sendable, Hashable {
    let text: String

    /// The longest name that the server keeps, in characters.
    static let longest = 64

    /// - Throws: `badOption` for an empty name, one with a zero byte, a trailing blank or more characters than are kept.
    init(_ text: String) throws(HeadraceError) {
        guard !text.isEmpty, !text.utf8.contains(0), !text.hasSuffix(" ") else {
            throw HeadraceError(
                .badOption, "a name in MySQL is not empty, holds no zero byte and does not end in a blank",
                fields: [("name", text)])
        }
        guard text.unicodeScalars.count <= Self.longest, text.unicodeScalars.allSatisfy({ $0.value < 0x10000 }) else {
            throw HeadraceError(
                .badOption, "\"\(text)\" cannot be a name in MySQL",
                hint: "names have at most 64 characters, none beyond the basic plane of Unicode")
        }
        self.text = text
    }

    /// A name that the server itself gave or that is written in our source.
    init(known text: String) { self.text = text }

    /// The name as a quoted identifier.
    var quoted: String {
        "`\(text.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``"))`"
    }

    /// Column names are compared without regard to case.
    static func areEqual(_ left: String, _ right: String) -> Bool { left == right || folded(left) == folded(right) }

    static func folded(_ name: String) -> String { name.lowercased() }
}

/// A text value inside a statement, written as hexadecimal digits: no character of it is ever read as SQL.
struct MySQLLiteral: Sendable, Hashable {
    let quoted: String

    init(_ text: String) {
        // An introducer leaves it a literal: compared with a column, the column's character set and collation count.
        quoted = text.isEmpty ? "''" : "_utf8mb4 X'\(Self.hex(text.utf8))'"
    }

    init(bytes: [UInt8]) { quoted = "X'\(Self.hex(bytes))'" }

    /// Text by its bytes in a character set of the server's.
    init(bytes: [UInt8], characterSet: MySQLName) {
        let word = characterSet.text.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        quoted = "_\(word) X'\(Self.hex(bytes))'"
    }

    /// A decimal number, which is compared exactly; nil for other text.
    init?(number text: [UInt8]) {
        var digits = text[...]
        if digits.first == UInt8(ascii: "-") { digits.removeFirst() }
        let halves = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
        quoted = String(decoding: text, as: UTF8.self)
    }

    init(_ text: String?) { quoted = text.map { MySQLLiteral($0).quoted } ?? "NULL" }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// A statement for the server, in which names, values and words are told apart by their types.
///
/// A literal is SQL as it stands; only names, values, numbers and other SQL can be put into it. A `String` cannot, so
/// that nothing that comes from outside becomes part of a statement by accident.
struct SQL: Sendable, Hashable {
    let text: String

    /// SQL that a user wrote as SQL: a query of theirs. Never for names or values.
    init(writtenByUser text: String) { self.text = text }

    fileprivate init(joined text: String) { self.text = text }
}

extension SQL: ExpressibleByStringInterpolation {
    init(stringLiteral value: String) { text = value }
    init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }
        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ name: MySQLName) { text += name.quoted }
        mutating func appendInterpolation(_ names: [MySQLName]) {
            text += names.map(\.quoted).joined(separator: ", ")
        }
        mutating func appendInterpolation(_ value: MySQLLiteral) { text += value.quoted }
        mutating func appendInterpolation(_ sql: SQL) { text += sql.text }
        mutating func appendInterpolation(_ parts: [SQL]) { text += parts.map(\.text).joined(separator: ", ") }
        mutating func appendInterpolation(_ number: some FixedWidthInteger) { text += String(number) }
    }
}

extension [SQL] {
    /// The parts one after another with `separator` between them.
    func joined(by separator: SQL) -> SQL { SQL(joined: map(\.text).joined(separator: separator.text)) }
}
