public import HeadraceColumnar
public import HeadraceCore

/// The rows of a table of a PostgreSQL database at one moment, in the order in which they lie in its blocks.
///
/// It reads on after any position, as long as no row of the table was added or changed since: then it says so instead
/// of reading a row twice or never. For tables that change meanwhile there is `PostgreSQLIncrementalSource`.
public struct PostgreSQLTableSource: ResumableSource {
    /// The server and how to reach it.
    public let configuration: PostgreSQLConfiguration
    /// The table, `schema.table` where it lies outside the search path.
    public let table: String
    /// How many connections read one big table side by side, in one snapshot.
    public let streams: Int
    private let tableName: PostgreSQLTableName

    /// The rows of `table`; nothing is opened yet.
    /// - Parameter streams: connections that share a table's blocks; 1 keeps the rows in the order of the table.
    /// - Throws: `badOption` for a name that is none and for less than one stream.
    public init(_ configuration: PostgreSQLConfiguration, table: String, streams: Int = 1) throws(HeadraceError) {
        guard (1...64).contains(streams) else {
            throw HeadraceError(.badOption, "a table is read by 1 to 64 streams, not \(streams)")
        }
        self.configuration = configuration
        self.table = table
        self.streams = streams
        tableName = try PostgreSQLTableName(table)
    }

    public var name: String { PostgreSQLSourceSupport.name(configuration, "table=\(table)") }

    public func schema(in context: RunContext) async throws -> Schema {
        let table = tableName
        return try await PostgreSQLSourceSupport.look(configuration, context) { connection in
            try PostgreSQLSourceSupport.find(table, in: connection).schema
        }
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> PostgreSQLReader
    {
        let (table, streams, source) = (tableName, self.streams, name)
        return try await PostgreSQLSourceSupport.open(configuration, stream: stream, context) { connection in
            let found = try PostgreSQLSourceSupport.find(table, in: connection)
            return try .table(
                found, columns: try PostgreSQLSourceSupport.columns(of: found, schema), schema: schema,
                streams: streams,
                from: position, incremental: nil, source: source, connection)
        }
    }

    /// The table's identity and definition. Its rows may come and go; positions look after that themselves.
    public func fingerprint(in context: RunContext) async throws -> String {
        let table = tableName
        let definition = try await PostgreSQLSourceSupport.look(configuration, context) { connection in
            PostgreSQLSourceSupport.definition(try PostgreSQLSourceSupport.find(table, in: connection))
        }
        return "\(name) \(definition)"
    }
}

extension Source where Self == PostgreSQLTableSource {
    /// The rows of a table of a PostgreSQL database.
    public static func postgreSQL(
        _ configuration: PostgreSQLConfiguration, table: String, streams: Int = 1
    ) throws(HeadraceError) -> PostgreSQLTableSource {
        try PostgreSQLTableSource(configuration, table: table, streams: streams)
    }
}
