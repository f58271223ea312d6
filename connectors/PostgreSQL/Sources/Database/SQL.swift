import HeadraceCore

/// A statement for the server, in which names, values and words are told apart by their types.
///
/// A literal is SQL as it stands; only names, values, numbers and other SQL can be put into it. A `String` cannot, so
/// that nothing that comes from outside becomes part of a statement by accident:
///
///     let sql: SQL = "SELECT \(column) FROM \(table) WHERE name = \(PostgreSQLLiteral("it's"))"
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
        mutating func appendInterpolation(_ name: PostgreSQLName) { text += name.quoted }
        mutating func appendInterpolation(_ name: PostgreSQLTableName) { text += name.quoted }
        mutating func appendInterpolation(_ names: [PostgreSQLName]) {
            text += names.map(\.quoted).joined(separator: ", ")
        }
        mutating func appendInterpolation(_ value: PostgreSQLLiteral) { text += value.quoted }
        mutating func appendInterpolation(_ sql: SQL) { text += sql.text }
        mutating func appendInterpolation(_ parts: [SQL]) {
            text += parts.map(\.text).joined(separator: ", ")
        }
        mutating func appendInterpolation(_ number: some FixedWidthInteger) { text += String(number) }
    }
}

extension [SQL] {
    /// The parts one after another with `separator` between them.
    func joined(by separator: SQL) -> SQL { SQL(joined: map(\.text).joined(separator: separator.text)) }
}

/// A text value inside a statement, quoted so that it is one value whatever it holds.
struct PostgreSQLLiteral: Sendable, Hashable {
    private let value: String

    /// - Throws: `unsupported` for text with a zero byte, which PostgreSQL does not store.
    init(_ value: String) throws(HeadraceError) {
        guard !value.utf8.contains(0) else {
            throw HeadraceError(.unsupported, "a text value holds a zero byte, which PostgreSQL does not store")
        }
        self.value = value
    }

    /// Backslashes are written so that they mean themselves whatever `standard_conforming_strings` says.
    var quoted: String {
        var text = value.utf8.contains(UInt8(ascii: "\\")) ? " E'" : "'"
        for scalar in value.unicodeScalars {
            if scalar == "'" || scalar == "\\" { text.unicodeScalars.append(scalar) }
            text.unicodeScalars.append(scalar)
        }
        return text + "'"
    }
}
