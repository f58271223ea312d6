public import HeadraceColumnar
public import HeadraceCore

/// The rows of a table that were added or changed since the last complete run of the job; all of them in its first.
///
/// A reading takes every version of a row that a transaction before an upper bound wrote, the oldest transaction still
/// under way when the reading began. So a row that is committed late, below rows that were read long ago, comes with the
/// next run, none comes twice, and the state is one number. A transaction that stays open holds back what began after it,
/// and nothing is lost. A row that is changed comes again, whatever the change; a row that is deleted does not come.
public struct PostgreSQLIncrementalSource: IncrementalSource {
    /// The server and how to reach it.
    public let configuration: PostgreSQLConfiguration
    /// The table, `schema.table` where it lies outside the search path.
    public let table: String
    /// A column that grows with every new or changed row.
    public let cursor: String
    /// How far behind the highest value of the cursor a late row may lie, as the server reads it: `1 hour`, `1000`.
    ///
    /// With it the server uses an index on the cursor; without it looks through the whole table, and nothing rests on
    /// what the cursor holds.
    public let lag: String?
    /// How many connections read the table side by side.
    public let streams: Int
    private let tableName: PostgreSQLTableName
    private let increment: PostgreSQLIncrement

    /// The new rows of `table`; nothing is opened yet.
    /// - Throws: `badOption` for names that are none and for less than one stream.
    public init(
        _ configuration: PostgreSQLConfiguration, table: String, cursor: String, lag: String? = nil, streams: Int = 1
    ) throws(HeadraceError) {
        guard (1...64).contains(streams) else {
            throw HeadraceError(.badOption, "a table is read by 1 to 64 streams, not \(streams)")
        }
        self.configuration = configuration
        self.table = table
        self.cursor = cursor
        self.lag = lag
        self.streams = streams
        tableName = try PostgreSQLTableName(table)
        increment = PostgreSQLIncrement(cursor: try PostgreSQLName(cursor), lag: lag)
    }

    public var name: String { PostgreSQLSourceSupport.name(configuration, "table=\(table)&cursor=\(cursor)") }

    public func schema(in context: RunContext) async throws -> Schema {
        let (table, increment) = (tableName, self.increment)
        return try await PostgreSQLSourceSupport.look(configuration, context) { connection in
            let found = try PostgreSQLSourceSupport.find(table, in: connection)
            _ = try increment.floor(of: found, nil, connection)
            return found.schema
        }
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> PostgreSQLReader
    {
        let (table, increment, streams, source) = (tableName, self.increment, self.streams, name)
        return try await PostgreSQLSourceSupport.open(configuration, stream: stream, context) { connection in
            let found = try PostgreSQLSourceSupport.find(table, in: connection)
            return try .table(
                found, columns: try PostgreSQLSourceSupport.columns(of: found, schema), schema: schema,
                streams: streams,
                from: position, incremental: increment, source: source, connection)
        }
    }

    /// The table's identity: a column more or less does not make read rows unread.
    public func fingerprint(in context: RunContext) async throws -> String {
        let table = tableName
        let oid = try await PostgreSQLSourceSupport.look(configuration, context) { connection in
            try PostgreSQLSourceSupport.find(table, in: connection).oid
        }
        return "\(name) \(oid)"
    }
}
