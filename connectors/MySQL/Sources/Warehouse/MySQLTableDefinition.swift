import HeadraceColumnar
import HeadraceCore

/// Makes tables, and holds those that are there against what a fact load needs.
enum MySQLTableDefinition {
    /// Bytes that an index may take of a row.
    private static let indexLimit = 3072

    /// The statement that makes the table with its keys and indexes, and the types that its columns then have.
    static func create(
        _ table: TableDefinition, in connection: MySQLConnection
    ) throws -> (sql: SQL, types: [MySQLColumnType]) {
        let keyed = [table.primaryKey] + table.unique + table.indexes + table.foreignKeys.map { [$0.column] }
        for name in keyed.joined() where table.schema[name] == nil {
            throw HeadraceError(
                .schemaMismatch, "table \"\(table.name)\" has a key or index on \"\(name)\", which is no column of it",
                fields: [("columns", table.schema.names.joined(separator: ", "))])
        }
        var lines: [SQL] = []
        var types: [MySQLColumnType] = []
        for field in table.schema.fields {
            let width = width(of: field, in: table, keyed)
            let declared = try MySQLColumnType.declaration(of: field.type, width: width)
            let isRequired = !field.isNullable || table.primaryKey.contains(field.name)
            let comment = MySQLColumnType.comment(of: field.type)
            lines.append(
                "\(try MySQLName(field.name)) \(declared)\(isRequired ? " NOT NULL" as SQL : " NULL")\(comment)")
            types.append(MySQLColumnType(made: field.type, declared))
        }
        func names(_ columns: [String]) throws -> [MySQLName] { try columns.map { try MySQLName($0) } }
        if !table.primaryKey.isEmpty { lines.append("PRIMARY KEY (\(try names(table.primaryKey)))") }
        for columns in table.unique { lines.append("UNIQUE KEY (\(try names(columns)))") }
        for columns in table.indexes { lines.append("KEY (\(try names(columns)))") }
        for key in table.foreignKeys {
            lines.append(
                """
                FOREIGN KEY (\(try MySQLName(key.column))) REFERENCES \(try MySQLName(key.table)) \
                (\(try MySQLName(key.references)))
                """)
        }
        // Text is told apart by its bytes, blanks at the end included.
        let collation: SQL = connection.isMariaDB ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin"
        return (
            """
            CREATE TABLE \(try MySQLName(table.name)) (\(lines)) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE \(collation) \
            ROW_FORMAT=DYNAMIC
            """, types
        )
    }

    /// The characters or bytes of a column that must be bounded; nil for one that need not be.
    private static func width(of field: Field, in table: TableDefinition, _ keyed: [[String]]) -> Int? {
        guard field.type == .utf8 || field.type == .binary else { return nil }
        let asked = table.widths[field.name]
        let groups = keyed.filter { $0.contains(field.name) }
        guard !groups.isEmpty else { return field.type == .utf8 ? asked.map { min($0, 16_000) } : nil }
        let most =
            groups.map { group in
                let texts = group.count { table.schema[$0]?.type == .utf8 || table.schema[$0]?.type == .binary }
                let others = (group.count - texts) * 20
                return (indexLimit - others) / (4 * max(texts, 1)) - 1
            }.min() ?? 255
        return min(asked ?? 255, most)
    }

    /// The statement that is needed for the table now: none when it is there and holds what the load needs.
    /// - Throws: `schemaMismatch` when a column is missing or of another type, or the key is another.
    static func missing(_ table: TableDefinition, in connection: MySQLConnection) throws -> [SQL] {
        guard let existing = try MySQLTable.read(table.name, from: connection) else {
            return [try create(table, in: connection).sql]
        }
        guard !existing.isView else {
            throw HeadraceError(.unsupported, "\"\(table.name)\" is a view", hint: "name another table")
        }
        for field in table.schema.fields {
            let needed = MySQLColumnType.readBack(field.type)
            let column = existing.column(field.name)
            guard column?.type.type == needed else {
                throw HeadraceError(
                    .schemaMismatch,
                    "table \"\(table.name)\" has another column \"\(field.name)\" than the load needs",
                    fields: [
                        ("expected", "\(needed)"),
                        ("found", column.map { "declared \($0.type.declared)" } ?? "no such column"),
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
}
