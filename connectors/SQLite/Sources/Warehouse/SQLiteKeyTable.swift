import HeadraceCSQLite
import HeadraceColumnar
import HeadraceCore

/// Keys of a batch in a temporary table of their connection, stored as the table that they are looked up in stores them.
struct SQLiteKeyTable {
    /// The table in SQL; its columns are `c0`, `c1` and so on.
    let sql: String
    let count: Int

    /// Fills a key table with the rows of `keys`; repeated ones are kept once. Rows with a value that the column cannot hold
    /// are left out: nothing equals them. So are rows with a null, unless `keepsNulls`.
    init(
        _ keys: RecordBatch, for columns: [SQLiteTable.Column], keepsNulls: Bool = false,
        in connection: SQLiteConnection
    ) throws {
        let types = columns.map { $0.type.declared }
        let name = Self.name(types, keepsNulls)
        sql = "temp.\(SQLiteName.quoted(name))"
        let declared = types.enumerated().map { "c\($0) \($1)" }.joined(separator: ", ")
        let list = columns.indices.map { "c\($0)" }.joined(separator: ", ")
        if keepsNulls {
            try connection.execute("CREATE TEMP TABLE IF NOT EXISTS \(SQLiteName.quoted(name)) (\(declared))")
        } else {
            try connection.execute(
                "CREATE TEMP TABLE IF NOT EXISTS \(SQLiteName.quoted(name)) (\(declared), PRIMARY KEY (\(list))) WITHOUT ROWID"
            )
        }
        try connection.run("DELETE FROM \(sql)")
        var misfits: [SQLiteMisfit] = []
        let encoded = zip(keys.columns, columns).map { column, target in
            SQLiteColumnEncoder(column.type, into: target.type).encode(column, misfits: &misfits)
        }
        let excluded = Set(misfits.map(\.row))
        let binder = SQLiteBinder(encoded)
        let insert =
            "INSERT OR IGNORE INTO \(sql) (\(list)) VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))"
        let statement = try connection.borrow(insert)
        defer {
            connection.giveBack(statement)
            withExtendedLifetime(encoded) {}
        }
        var inserted = 0
        for row in 0..<keys.count where !excluded.contains(row) {
            if !keepsNulls, keys.columns.contains(where: { !$0.isValid(row) }) { continue }
            guard binder.bind(row, from: 1, to: statement.handle) == SQLITE_OK else { throw connection.failure(insert) }
            _ = try statement.step()
            statement.reset()
            inserted += connection.changes
        }
        count = inserted
    }

    /// One table for each list of declared types, so that prepared statements stay good from batch to batch.
    private static func name(_ types: [String], _ keepsNulls: Bool) -> String {
        "\(ReservedNames.prefix)keys \(keepsNulls ? "with nulls " : "")\(types.joined(separator: ", "))"
    }

    /// The columns of `table` for the fields of `keys`, by name.
    static func columns(_ keys: [String], of table: SQLiteTable) throws -> [SQLiteTable.Column] {
        try keys.map { name in
            guard let column = table.column(name) else {
                throw HeadraceError(
                    .schemaMismatch, "table \"\(table.name)\" has no column \"\(name)\"",
                    fields: [("columns of the table", table.columns.map(\.name).joined(separator: ", "))])
            }
            return column
        }
    }

    /// Whether an index of `table` begins with one of `columns`, so that rows are found without reading all of them.
    static func hasIndex(_ table: SQLiteTable, on columns: [String], in connection: SQLiteConnection) throws -> Bool {
        if let alias = table.rowidAlias, columns.contains(alias.name) { return true }
        let leading = try connection.rows(
            """
            SELECT i.name FROM pragma_index_list(?) AS l, pragma_index_info(l.name) AS i
            WHERE i.seqno = 0 AND l.partial = 0
            """, [.text(table.name)]
        ) { $0.text(0) ?? "" }
        return leading.contains { name in columns.contains { SQLiteName.areEqual($0, name) } }
    }
}
