/// Names of tables, columns and indexes in SQL. Nothing else puts a name into a statement.
enum SQLiteName {
    /// The name as a quoted identifier; whatever it holds, it is one name and never SQL.
    static func quoted(_ name: String) -> String {
        "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }

    /// Quoted names joined by commas.
    static func list(_ names: [String]) -> String { names.map(quoted).joined(separator: ", ") }

    /// SQLite compares names without regard to the case of ASCII letters.
    static func areEqual(_ left: String, _ right: String) -> Bool { folded(left) == folded(right) }

    /// The name with its ASCII letters in lower case: equal for names that SQLite takes for the same.
    static func folded(_ name: String) -> String {
        String(
            decoding: name.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 },
            as: UTF8.self)
    }
}
