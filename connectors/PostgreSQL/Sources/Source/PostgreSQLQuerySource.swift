public import HeadraceColumnar
public import HeadraceCore

/// The rows that a query of a PostgreSQL database gives, in its order.
///
/// It cannot resume: a query has no position that it could be asked to go on from. It runs in a transaction that only
/// reads, so that it changes nothing.
public struct PostgreSQLQuerySource: Source {
    /// The server and how to reach it.
    public let configuration: PostgreSQLConfiguration
    /// One SELECT, VALUES or WITH, in PostgreSQL's SQL.
    public let query: String

    /// The rows of `query`; nothing is opened yet.
    public init(_ configuration: PostgreSQLConfiguration, query: String) {
        self.configuration = configuration
        self.query = query
    }

    public var name: String { PostgreSQLSourceSupport.name(configuration, "query=\(query)") }

    public func schema(in context: RunContext) async throws -> Schema {
        let query = statement
        return try await PostgreSQLSourceSupport.look(configuration, context) { connection in
            Schema(try Self.columns(of: query, connection).map { $0.field() })
        }
    }

    /// Without the semicolon at its end, which has no place in a COPY.
    private var statement: SQL {
        var text = Substring(query)
        while let last = text.last, last.isWhitespace || last == ";" { text = text.dropLast() }
        return SQL(writtenByUser: String(text))
    }

    private static func columns(of query: SQL, _ connection: PostgreSQLConnection) throws -> [PostgreSQLColumn] {
        let found = try connection.describe(query)
        guard !found.isEmpty else {
            throw HeadraceError(
                .badQuery, "the query gives no rows", fields: [("sql", query.text)], hint: "write one SELECT")
        }
        let names = found.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw HeadraceError(
                .schemaMismatch, "the query gives two columns called \"\(twice)\"", hint: "name them apart with AS")
        }
        let catalog = PostgreSQLTypeCatalog(connection)
        return try found.map { column in
            PostgreSQLColumn(
                name: try PostgreSQLName(column.name), type: try catalog.type(column.type, modifier: column.modifier).0,
                isNullable: true, isGenerated: false, isIdentityAlways: false, hasDefault: false)
        }
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> PostgreSQLReader
    {
        if position != nil {
            throw HeadraceError(
                .unsupported, "a query cannot be read on from a position", hint: "read a table, or run with --restart")
        }
        let query = statement
        return try await PostgreSQLSourceSupport.open(configuration, stream: stream, context) { connection in
            let columns = try Self.columns(of: query, connection)
            let wanted = try PostgreSQLSourceSupport.pick(schema, of: columns, "the query")
            let isSame = wanted.map(\.name) == columns.map(\.name)
            return try .query(query, columns: wanted, isWhole: isSame, schema: schema, connection)
        }
    }

    /// The query and the database's moment: any commit may make other data of it.
    public func fingerprint(in context: RunContext) async throws -> String {
        let moment = try await PostgreSQLSourceSupport.look(configuration, context) { connection in
            try connection.first("SELECT pg_current_snapshot()::text") { $0.text(0) ?? "" } ?? ""
        }
        return "\(name) \(moment)"
    }
}

extension Source where Self == PostgreSQLQuerySource {
    /// The rows of a query of a PostgreSQL database.
    public static func postgreSQL(_ configuration: PostgreSQLConfiguration, query: String) -> PostgreSQLQuerySource {
        PostgreSQLQuerySource(configuration, query: query)
    }
}
