import HeadraceCore

/// The name of a column, index, role or schema: one identifier, whatever it holds.
struct PostgreSQLName: Sendable, Hashable {
    let text: String

    /// The longest name that the server keeps, in bytes; it cuts longer ones without a word.
    static let longest = 63

    /// - Throws: `badOption` for an empty name, one with a zero byte and one that the server would cut.
    init(_ text: String) throws(HeadraceError) {
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw HeadraceError(.badOption, "a name in PostgreSQL is neither empty nor holds a zero byte")
        }
        guard text.utf8.count <= Self.longest else {
            throw HeadraceError(
                .badOption, "the name \"\(text)\" is longer than PostgreSQL keeps",
                fields: [("bytes", "\(text.utf8.count)"), ("longest", "\(Self.longest)")],
                hint: "rename the column or table; the server would cut the name")
        }
        self.text = text
    }

    /// The name as a quoted identifier.
    var quoted: String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { quoted.unicodeScalars.append(scalar) }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}

/// The name of a table or view, with its schema where one is given; without one the server's search path decides.
struct PostgreSQLTableName: Sendable, Hashable, CustomStringConvertible {
    let schema: PostgreSQLName?
    let table: PostgreSQLName

    init(schema: PostgreSQLName?, table: PostgreSQLName) {
        self.schema = schema
        self.table = table
    }

    /// Reads `table`, `schema.table` and the same with parts in double quotes, inside which a dot is a dot. Case is kept
    /// as written, quoted or not.
    /// - Throws: `badOption` for more than two parts, empty parts and an open quote.
    init(_ text: String) throws(HeadraceError) {
        var parts: [String] = [""]
        var isQuoted = false
        var characters = text.unicodeScalars.makeIterator()
        var pending = characters.next()
        while let character = pending {
            pending = characters.next()
            switch character {
            case "\"" where isQuoted && pending == "\"":
                parts[parts.count - 1].unicodeScalars.append("\"")
                pending = characters.next()
            case "\"" where isQuoted || parts[parts.count - 1].isEmpty: isQuoted.toggle()
            case "." where !isQuoted: parts.append("")
            default: parts[parts.count - 1].unicodeScalars.append(character)
            }
        }
        guard parts.count <= 2, !isQuoted, let last = parts.last else {
            throw HeadraceError(
                .badOption, "\"\(text)\" names no table",
                hint: "write table or schema.table, with parts that hold a dot in double quotes")
        }
        table = try PostgreSQLName(last)
        schema = parts.count == 2 ? try PostgreSQLName(parts[0]) : nil
    }

    var quoted: String { schema.map { "\($0.quoted).\(table.quoted)" } ?? table.quoted }

    /// As `init(_:)` reads it.
    var description: String {
        func part(_ name: PostgreSQLName) -> String {
            name.text.contains(".") || name.text.contains("\"") ? name.quoted : name.text
        }
        return schema.map { "\(part($0)).\(part(table))" } ?? part(table)
    }
}
