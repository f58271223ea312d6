import HeadraceColumnar
import HeadraceCore

/// What the database says about a table or view.
struct SQLiteTable: Sendable {
    struct Column: Sendable {
        let name: String
        let type: SQLiteColumnType
        let isNotNull: Bool
        let hasDefault: Bool
        /// The place in the primary key from 1, 0 outside it.
        let keyOrdinal: Int
        /// Computed by SQLite; can be read, never written.
        let isGenerated: Bool
    }

    /// The name as the database spells it.
    let name: String
    let isView: Bool
    let columns: [Column]
    let hasRowid: Bool
    /// The SQL that made it.
    let definition: String

    /// Reads a table's description, nil when it is not there. Names match without regard to ASCII case.
    static func read(_ name: String, from connection: SQLiteConnection) throws(SQLiteFailure) -> SQLiteTable? {
        let found = try connection.first(
            "SELECT name, type, sql FROM main.sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE",
            [.text(name)]
        ) { ($0.text(0) ?? name, $0.text(1) == "view", $0.text(2) ?? "") }
        guard let (actual, isView, definition) = found else { return nil }
        let columns = try connection.rows(
            "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?, 'main') ORDER BY cid",
            [.text(actual)]
        ) { row in
            (
                Column(
                    name: row.text(0) ?? "", type: SQLiteColumnType(declared: row.text(1) ?? ""),
                    isNotNull: row.integer(2) != 0, hasDefault: !row.isNull(3), keyOrdinal: Int(row.integer(4)),
                    isGenerated: row.integer(5) >= 2), isHidden: row.integer(5) == 1
            )
        }
        let isWithoutRowid = try connection.first(
            "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", [.text(actual)]
        ) { $0.integer(0) != 0 }
        return SQLiteTable(
            name: actual, isView: isView, columns: columns.filter { !$0.isHidden }.map(\.0),
            hasRowid: !isView && isWithoutRowid != true, definition: definition)
    }

    /// The names of all tables and views, for messages.
    static func names(in connection: SQLiteConnection) throws(SQLiteFailure) -> [String] {
        try connection.rows(
            """
            SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            AND name NOT LIKE '\\_headrace\\_%' ESCAPE '\\' ORDER BY name
            """
        ) { $0.text(0) ?? "" }
    }

    /// The error for a table that is not there, naming those that are.
    static func notFound(_ name: String, in connection: SQLiteConnection) throws(SQLiteFailure) -> HeadraceError {
        let names = try names(in: connection)
        return HeadraceError(
            .notFound, "there is no table \"\(name)\" in \(connection.path)",
            fields: [("tables", names.isEmpty ? "none" : names.joined(separator: ", "))])
    }

    func column(_ name: String) -> Column? {
        columns.first { $0.name == name } ?? columns.first { SQLiteName.areEqual($0.name, name) }
    }

    var keyColumns: [Column] {
        columns.filter { $0.keyOrdinal > 0 }.sorted { $0.keyOrdinal < $1.keyOrdinal }
    }

    /// The column that is another name for the rowid.
    var rowidAlias: Column? {
        guard hasRowid, keyColumns.count == 1, let key = keyColumns.first,
            SQLiteName.areEqual(key.type.declared, "integer")
        else { return nil }
        return key
    }

    /// The name under which the rowid can be read, nil when it cannot.
    var rowidName: String? {
        guard hasRowid else { return nil }
        if let rowidAlias { return rowidAlias.name }
        return ["_rowid_", "rowid", "oid"].first { name in !columns.contains { SQLiteName.areEqual($0.name, name) } }
    }

    /// Whether a column of a row that is there can be null.
    func isNullable(_ column: Column) -> Bool {
        !column.isNotNull && !(column.keyOrdinal > 0 && (!hasRowid || rowidAlias != nil))
    }
}
