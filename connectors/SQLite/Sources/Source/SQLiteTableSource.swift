public import HeadraceColumnar
public import HeadraceCore

/// The rows of a table of an SQLite database, in the order of its rowid or primary key.
///
/// A reader sees the table as it was when it opened, whatever others write meanwhile. It reads on after the rowid or key of
/// any position; rows that were inserted before that since are not seen.
public struct SQLiteTableSource: ResumableSource {
    /// The database file.
    public let path: String
    /// The table; its name matches without regard to ASCII case.
    public let table: String

    /// The rows of `table` in the database file at `path`; nothing is opened yet.
    public init(path: String, table: String) {
        self.path = path
        self.table = table
    }

    public var name: String { "sqlite:\(path)?table=\(table)" }

    public func schema(in context: RunContext) async throws -> Schema {
        let name = table
        return try await SQLiteSourceSupport.look(at: path) { connection in
            let table = try Self.find(name, in: connection)
            let columns = SQLiteName.list(table.columns.map(\.name))
            let statement = try connection.prepare("SELECT \(columns) FROM \(SQLiteName.quoted(table.name))")
            return try SQLiteSourceSupport.schema(of: statement) { table.isNullable(table.columns[$0]) }
        }
    }

    static func find(_ name: String, in connection: SQLiteConnection) throws -> SQLiteTable {
        guard let table = try SQLiteTable.read(name, from: connection) else {
            throw try SQLiteTable.notFound(name, in: connection)
        }
        guard !table.isView else {
            throw HeadraceError(
                .unsupported, "\"\(table.name)\" is a view, which has no order to read on in",
                hint: "read it as a query: SELECT * FROM \(SQLiteName.quoted(table.name))")
        }
        return table
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> SQLiteReader
    {
        let (name, wanted) = (table, schema)
        return try await SQLiteReader.open(path: path, source: self.name, stream: stream, context: context) {
            connection in
            let table = try Self.find(name, in: connection)
            for field in wanted.fields where table.column(field.name) == nil {
                throw HeadraceError(
                    .schemaMismatch, "table \"\(table.name)\" has no column \"\(field.name)\"",
                    fields: [("columns of the table", table.columns.map(\.name).joined(separator: ", "))])
            }
            let order = try SQLiteReadingOrder(table)
            let query = try order.query(columns: wanted.names, of: table, after: position)
            let statement = try connection.prepare(query.sql)
            try statement.bind(query.values)
            return try SQLiteCursor(
                statement, schema: wanted, columns: Array(wanted.fields.indices), order: order,
                rowsBefore: query.rowsBefore)
        }
    }

    /// The file and the table's definition. Rows may be added and changed without making positions worthless.
    public func fingerprint(in context: RunContext) async throws -> String {
        let name = table
        let definition = try await SQLiteSourceSupport.look(at: path) { try Self.find(name, in: $0).definition }
        return "\(self.name) \(try await SQLiteSourceSupport.identity(of: path)) \(definition)"
    }
}

extension SQLiteTableSource: NumberSurveyingSource {
    package func numbers(in columns: [String], context: RunContext) async throws -> [String: SeenNumbers] {
        let name = table
        return try await SQLiteSourceSupport.look(at: path) { connection in
            let table = try Self.find(name, in: connection)
            return try SQLiteLook.numbers(in: columns, of: SQLiteName.quoted(table.name), connection)
        }
    }
}

extension Source where Self == SQLiteTableSource {
    /// The rows of a table of the SQLite database file at `path`.
    public static func sqlite(path: String, table: String) -> SQLiteTableSource {
        SQLiteTableSource(path: path, table: table)
    }
}
