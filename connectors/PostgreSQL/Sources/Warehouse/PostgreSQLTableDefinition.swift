import HeadraceColumnar
import HeadraceCore

/// Makes the tables of a fact load, and holds those that are there against what the load needs.
enum PostgreSQLTableDefinition {
    /// The statements that make the table and its indexes.
    static func statements(for table: TableDefinition) throws -> [SQL] {
        try checkColumns(of: table)
        let name = try PostgreSQLTableName(schema: nil, table: PostgreSQLName(table.name))
        func list(_ columns: [String]) throws -> [PostgreSQLName] { try columns.map { try PostgreSQLName($0) } }
        var lines = try table.schema.fields.map { field -> SQL in
            let type = PostgreSQLDeclaration.type(of: field, width: table.widths[field.name])
            let isRequired = !field.isNullable || table.primaryKey.contains(field.name)
            let column: SQL = "\(try PostgreSQLName(field.name)) \(type)"
            return isRequired ? "\(column) NOT NULL" : column
        }
        if !table.primaryKey.isEmpty { lines.append("PRIMARY KEY (\(try list(table.primaryKey)))") }
        lines += try table.unique.map { "UNIQUE (\(try list($0)))" }
        lines += try table.foreignKeys.map { key in
            "FOREIGN KEY (\(try PostgreSQLName(key.column))) REFERENCES \(try PostgreSQLName(key.table)) (\(try PostgreSQLName(key.references)))"
        }
        // Names of indexes are the server's to choose: ours could be longer than it keeps.
        return ["CREATE TABLE \(name) (\(lines))"]
            + (try table.indexes.map { "CREATE INDEX ON \(name) (\(try list($0)))" })
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
    static func missing(_ table: TableDefinition, in connection: PostgreSQLConnection) throws -> [SQL] {
        let name = try PostgreSQLTableName(schema: nil, table: PostgreSQLName(table.name))
        guard let existing = try PostgreSQLTable.read(name, from: connection) else {
            return try statements(for: table)
        }
        guard existing.kind != .view, existing.kind != .materializedView else {
            throw HeadraceError(.unsupported, "\"\(table.name)\" is a view", hint: "name another table")
        }
        for field in table.schema.fields {
            let needed = PostgreSQLDeclaration.readBack(field.type)
            let column = existing.column(field.name)
            guard column?.type.dataType == needed, column?.isGenerated == false else {
                throw HeadraceError(
                    .schemaMismatch,
                    "table \"\(table.name)\" has another column \"\(field.name)\" than the load needs",
                    fields: [
                        ("expected", "\(PostgreSQLDeclaration.type(of: field).text)"),
                        ("found", column?.type.name ?? "no such column"),
                    ], hint: "change the table, or load into a new one")
            }
        }
        guard table.primaryKey.isEmpty || existing.primaryKey == table.primaryKey else {
            throw HeadraceError(
                .schemaMismatch, "table \"\(table.name)\" has another primary key than the load needs",
                fields: [
                    ("expected", table.primaryKey.joined(separator: ", ")),
                    ("found", existing.primaryKey.isEmpty ? "none" : existing.primaryKey.joined(separator: ", ")),
                ], hint: "change the table, or load into a new one")
        }
        return []
    }

    /// Makes the table when it is not there.
    static func ensure(_ table: TableDefinition, in connection: PostgreSQLConnection) throws {
        for statement in try missing(table, in: connection) { try connection.script(statement) }
    }
}
