import HeadraceColumnar
import HeadraceCore

/// What the database says about a table or view.
struct MySQLTable: Sendable {
    struct Column: Sendable {
        let name: MySQLName
        let type: MySQLColumnType
        let isNullable: Bool
        /// Whether a new row may leave it out.
        let hasDefault: Bool
        /// Computed by the server; can be read, never written.
        let isGenerated: Bool
        /// The character set of text; nil for what is not text.
        let characterSet: MySQLName?

        /// The column in a SELECT: a FLOAT as text has six digits, so that it is read as a DOUBLE, which has all.
        var selection: SQL { type.kind == .float ? "CAST(\(name) AS DOUBLE)" : "\(name)" }
    }

    let name: MySQLName
    let isView: Bool
    let engine: String
    let columns: [Column]
    /// The columns of the primary key, in order.
    let primaryKey: [String]
    /// The columns of each unique index that takes no nulls or some, in order; the primary key first.
    let uniqueKeys: [[String]]
    /// The names of those indexes.
    let uniqueNames: [MySQLName]
    /// Which of those indexes hold their keys in order. MariaDB keeps long texts apart by a hash, and has no order for them.
    let sortedKeys: [Bool]
    /// How many rows the server believes that there are.
    let estimatedRows: Int
    /// The first columns of all indexes.
    let indexed: Set<String>
    /// Whether foreign keys lead from it or to it, or triggers hang on it: a table by another name would lack them.
    let hasTies: Bool

    /// The database of the connection.
    private static let here: SQL = "DATABASE()"

    /// Reads a table's description, nil when it is not there.
    static func read(_ name: String, from connection: MySQLConnection) throws -> MySQLTable? {
        let literal = MySQLLiteral(name)
        guard
            let found = try connection.rows(
                """
                SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS FROM information_schema.TABLES
                WHERE TABLE_SCHEMA = \(here) AND TABLE_NAME = \(literal)
                """
            ).first, let actual = found[0]
        else { return nil }
        let own = MySQLLiteral(actual)
        var jsonColumns: Set<String> = []
        if connection.isMariaDB {
            let checks = try connection.rows(
                """
                SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
                WHERE CONSTRAINT_SCHEMA = \(here) AND TABLE_NAME = \(own)
                """)
            for clause in checks.compactMap({ $0[0] }) where clause.hasPrefix("json_valid(`") && clause.hasSuffix("`)")
            {
                jsonColumns.insert(String(clause.dropFirst(12).dropLast(2)))
            }
        }
        let columns = try connection.rows(
            """
            SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLUMN_COMMENT, CHARACTER_SET_NAME
            FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = \(here) AND TABLE_NAME = \(own)
            ORDER BY ORDINAL_POSITION
            """
        ).map { row in
            let extra = (row[4] ?? "").lowercased()
            let name = row[0] ?? ""
            return Column(
                name: MySQLName(known: name),
                type: MySQLColumnType(
                    declared: row[1] ?? "", isJSON: jsonColumns.contains(name), comment: row[5] ?? ""),
                isNullable: row[2] == "YES", hasDefault: row[3] != nil || extra.contains("auto_increment"),
                isGenerated: extra.contains("generated") && !extra.contains("default_generated"),
                characterSet: row[6].map { MySQLName(known: $0) })
        }
        let keys = try connection.rows(
            """
            SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, INDEX_TYPE FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = \(here) AND TABLE_NAME = \(own) ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX
            """)
        var unique: [(name: String, columns: [String])] = []
        var indexed: Set<String> = []
        var last = ""
        var partial: Set<String> = []
        var unsorted: Set<String> = []
        for key in keys {
            let (index, column) = (key[0] ?? "", key[2] ?? "")
            if index != last { indexed.insert(column) }
            last = index
            if key[3] != nil { partial.insert(index) }
            if key[4] != "BTREE" { unsorted.insert(index) }
            guard key[1] == "0" else { continue }
            if unique.last?.name == index {
                unique[unique.count - 1].columns.append(column)
            } else {
                unique.append((index, [column]))
            }
        }
        let ties = try connection.number(
            """
            SELECT (SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = \(here)
            AND (TABLE_NAME = \(own) OR REFERENCED_TABLE_NAME = \(own)))
            + (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = \(here)
            AND EVENT_OBJECT_TABLE = \(own))
            """)
        return MySQLTable(
            name: MySQLName(known: actual), isView: found[1] == "VIEW" || found[1] == "SYSTEM VIEW",
            engine: found[2] ?? "", columns: columns,
            primaryKey: unique.first { $0.name == "PRIMARY" }?.columns ?? [],
            uniqueKeys: unique.filter { !partial.contains($0.name) }.map(\.columns),
            uniqueNames: unique.filter { !partial.contains($0.name) }.map { MySQLName(known: $0.name) },
            sortedKeys: unique.filter { !partial.contains($0.name) }.map { !unsorted.contains($0.name) },
            estimatedRows: found[3].flatMap { Int($0) } ?? 0, indexed: indexed,
            hasTies: (ties ?? 0) > 0)
    }

    /// The names of all tables and views, for messages.
    static func names(in connection: MySQLConnection) throws -> [String] {
        try connection.rows(
            """
            SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = \(here)
            AND TABLE_NAME NOT LIKE '|_headrace|_%' ESCAPE '|' ORDER BY TABLE_NAME LIMIT 200
            """
        ).compactMap { $0[0] }
    }

    /// The error for a table that is not there, naming those that are.
    static func notFound(_ name: String, in connection: MySQLConnection) throws -> HeadraceError {
        let names = try names(in: connection)
        return HeadraceError(
            .notFound, "there is no table \"\(name)\" in \(connection.configuration)",
            fields: [("tables", names.isEmpty ? "none" : names.joined(separator: ", "))])
    }

    static func find(_ name: String, in connection: MySQLConnection) throws -> MySQLTable {
        guard let table = try read(name, from: connection) else { throw try notFound(name, in: connection) }
        return table
    }

    func column(_ name: String) -> Column? {
        columns.first { $0.name.text == name } ?? columns.first { MySQLName.areEqual($0.name.text, name) }
    }

    /// The columns of the given names.
    /// - Throws: `schemaMismatch` for one that the table lacks.
    func columns(_ names: [String]) throws -> [Column] {
        try names.map { name in
            guard let column = column(name) else {
                throw HeadraceError(
                    .schemaMismatch, "table \"\(self.name.text)\" has no column \"\(name)\"",
                    fields: [("columns of the table", columns.map(\.name.text).joined(separator: ", "))])
            }
            return column
        }
    }
}
