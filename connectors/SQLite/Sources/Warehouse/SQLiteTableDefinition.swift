import HeadraceColumnar
import HeadraceCore

/// Makes the tables of a fact load, and holds those that are there against what the load needs.
enum SQLiteTableDefinition {
    /// The statements that make the table and its indexes.
    static func statements(for table: TableDefinition) throws -> [String] {
        try SQLiteTablePlan.checkNames(table.schema.names, of: table.name)
        try checkColumns(of: table)
        var lines = table.schema.fields.map { field in
            let width = field.type == .utf8 ? table.widths[field.name] : nil
            let name = SQLiteName.quoted(field.name)
            return "\(name) \(SQLiteColumnType.declaration(of: field.type, width: width))"
                + (field.isNullable && !table.primaryKey.contains(field.name) ? "" : " NOT NULL")
                + (width.map { " CHECK (length(\(name)) <= \($0))" } ?? "")
        }
        if !table.primaryKey.isEmpty { lines.append("PRIMARY KEY (\(SQLiteName.list(table.primaryKey)))") }
        lines += table.unique.map { "UNIQUE (\(SQLiteName.list($0)))" }
        lines += table.foreignKeys.map { key in
            "FOREIGN KEY (\(SQLiteName.quoted(key.column))) REFERENCES \(SQLiteName.quoted(key.table)) "
                + "(\(SQLiteName.quoted(key.references)))"
        }
        let create = "CREATE TABLE \(SQLiteName.quoted(table.name)) (\(lines.joined(separator: ", ")))"
        return [create]
            + table.indexes.map { columns in
                let name = SQLiteName.quoted("\(table.name)_\(columns.joined(separator: "_"))_index")
                return "CREATE INDEX \(name) ON \(SQLiteName.quoted(table.name)) (\(SQLiteName.list(columns)))"
            }
    }

    private static func checkColumns(of table: TableDefinition) throws {
        let used =
            table.primaryKey + table.unique.joined() + table.indexes.joined() + table.foreignKeys.map(\.column)
            + table.widths.keys
        for name in used where table.schema[name] == nil {
            throw HeadraceError(
                .schemaMismatch, "table \"\(table.name)\" has a key or index on \"\(name)\", which is no column of it",
                fields: [("columns", table.schema.names.joined(separator: ", "))])
        }
    }

    /// The statements that are needed for the table now: none when it is there and holds what the load needs.
    /// - Throws: `schemaMismatch` when a column is missing or of another type, or the key is another.
    static func missing(_ table: TableDefinition, in connection: SQLiteConnection) throws -> [String] {
        guard let existing = try SQLiteTable.read(table.name, from: connection) else {
            return try statements(for: table)
        }
        guard !existing.isView else {
            throw HeadraceError(.unsupported, "\"\(existing.name)\" is a view", hint: "name another table")
        }
        for field in table.schema.fields {
            let needed = SQLiteColumnType.readBack(field.type)
            let column = existing.column(field.name)
            guard column?.type.type == needed else {
                throw HeadraceError(
                    .schemaMismatch,
                    "table \"\(existing.name)\" has another column \"\(field.name)\" than the load needs",
                    fields: [
                        ("expected", "\(needed) (declared \(SQLiteColumnType.declaration(of: field.type)))"),
                        ("found", column.map { "declared \($0.type.declared)" } ?? "no such column"),
                    ], hint: "change the table, or load into a new one")
            }
        }
        let keys = existing.keyColumns.map(\.name)
        guard table.primaryKey.isEmpty || keys == table.primaryKey else {
            throw HeadraceError(
                .schemaMismatch, "table \"\(existing.name)\" has another primary key than the load needs",
                fields: [
                    ("expected", table.primaryKey.joined(separator: ", ")),
                    ("found", keys.isEmpty ? "none" : keys.joined(separator: ", ")),
                ], hint: "change the table, or load into a new one")
        }
        return []
    }

    /// Makes the table when it is not there.
    static func ensure(_ table: TableDefinition, in connection: SQLiteConnection) throws {
        for statement in try missing(table, in: connection) { try connection.execute(statement) }
    }
}
