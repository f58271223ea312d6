public import HeadraceColumnar
public import HeadraceCore

/// The rows that a query of an SQLite database gives, in its order.
///
/// It cannot resume: a query has no position that it could be asked to go on from.
public struct SQLiteQuerySource: Source {
    /// The database file.
    public let path: String
    /// One SELECT, in SQLite's SQL.
    public let query: String

    /// The rows of `query`, one SELECT, over the database file at `path`; nothing is opened yet.
    public init(path: String, query: String) {
        self.path = path
        self.query = query
    }

    public var name: String { "sqlite:\(path)?query=\(query)" }

    public func schema(in context: RunContext) async throws -> Schema {
        let query = self.query
        return try await SQLiteSourceSupport.look(at: path) { connection in
            try SQLiteSourceSupport.schema(of: try Self.prepare(query, connection)) { _ in true }
        }
    }

    private static func prepare(_ query: String, _ connection: SQLiteConnection) throws -> SQLiteStatement {
        let statement = try connection.prepare(query)
        guard statement.isReadOnly, statement.columnCount > 0 else {
            throw HeadraceError(
                .badQuery, "the query gives no rows", fields: [("sql", query)], hint: "write one SELECT")
        }
        return statement
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> SQLiteReader
    {
        if position != nil {
            throw HeadraceError(
                .unsupported, "a query cannot be read on from a position", hint: "read a table, or run with --restart")
        }
        let (query, wanted) = (self.query, schema)
        return try await SQLiteReader.open(path: path, source: name, stream: stream, context: context) { connection in
            let statement = try Self.prepare(query, connection)
            let names = (0..<statement.columnCount).map(statement.columnName)
            let columns = try wanted.fields.map { field in
                guard let index = names.firstIndex(of: field.name) else {
                    throw HeadraceError(
                        .schemaMismatch, "the query gives no column \"\(field.name)\"",
                        fields: [("columns of the query", names.joined(separator: ", "))])
                }
                return index
            }
            return try SQLiteCursor(statement, schema: wanted, columns: columns, order: nil, rowsBefore: 0)
        }
    }

    /// The query and the file as it is now: any commit makes other data of it.
    public func fingerprint(in context: RunContext) async throws -> String {
        "\(name) \(try await SQLiteSourceSupport.version(of: path))"
    }
}

extension SQLiteQuerySource: NumberSurveyingSource {
    package func numbers(in columns: [String], context: RunContext) async throws -> [String: SeenNumbers] {
        let query = self.query
        return try await SQLiteSourceSupport.look(at: path) { connection in
            _ = try Self.prepare(query, connection)
            return try SQLiteLook.numbers(in: columns, of: "(\(query))", connection)
        }
    }
}

extension Source where Self == SQLiteQuerySource {
    /// The rows of a query over the SQLite database file at `path`.
    public static func sqlite(path: String, query: String) -> SQLiteQuerySource {
        SQLiteQuerySource(path: path, query: query)
    }
}
