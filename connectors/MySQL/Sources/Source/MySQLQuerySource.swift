import HeadraceCMariaDB
public import HeadraceColumnar
public import HeadraceCore

/// The rows that a query of a MySQL or MariaDB database gives, in its order.
///
/// It cannot resume: a query has no position that it could be asked to go on from.
public struct MySQLQuerySource: Source {
    /// The server and its database.
    public let configuration: MySQLConfiguration
    /// One SELECT, in the server's SQL.
    public let query: String
    /// Whether dates with a zero year, month or day are read as null; else their rows are rejects.
    public var zeroDatesAreNull: Bool
    /// Whether `TIME` values, which may be 838 hours, are read as text; else times outside of a day are rejects.
    public var timesAreText: Bool

    /// The rows of `query`, one SELECT; nothing is opened yet.
    public init(
        configuration: MySQLConfiguration, query: String, zeroDatesAreNull: Bool = false, timesAreText: Bool = false
    ) {
        self.configuration = configuration
        self.query = query
        self.zeroDatesAreNull = zeroDatesAreNull
        self.timesAreText = timesAreText
    }

    public var name: String { configuration.named("query=\(query)") }

    private var options: MySQLReadingOptions {
        MySQLReadingOptions(zeroDatesAreNull: zeroDatesAreNull, timesAreText: timesAreText)
    }

    /// The columns of the query, which is prepared and not run.
    private static func columns(
        of query: String, _ options: MySQLReadingOptions, in connection: MySQLConnection
    ) throws -> [(name: String, type: MySQLColumnType)] {
        let fields = try connection.describe(SQL(writtenByUser: query))
        guard !fields.isEmpty else {
            throw HeadraceError(
                .badQuery, "the query gives no rows", fields: [("sql", query)], hint: "write one SELECT")
        }
        return try fields.map { field in
            let type = MySQLColumnType(field).reading(options)
            guard type.kind != .float else {
                throw HeadraceError(
                    .unsupported,
                    "column \"\(field.name)\" of the query is a FLOAT, of which MySQL sends six digits only",
                    hint: "write CAST(… AS DOUBLE) AS \(field.name), which has them all")
            }
            return (field.name, type)
        }
    }

    public func schema(in context: RunContext) async throws -> Schema {
        let (query, options) = (self.query, options)
        return try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            let columns = try Self.columns(of: query, options, in: connection)
            guard let schema = Schema(unique: columns.map { Field($0.name, $0.type.type) }) else {
                let names = columns.map(\.name)
                let twice = names.first { name in names.count { $0 == name } > 1 } ?? ""
                throw HeadraceError(
                    .schemaMismatch, "the query gives two columns called \"\(twice)\"", hint: "name them apart with AS")
            }
            return schema
        }
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> MySQLReader
    {
        guard position == nil else {
            throw HeadraceError(
                .unsupported, "a query cannot be read on from a position", hint: "read a table, or run with --restart")
        }
        let (query, options) = (self.query, options)
        return try await MySQLTableReading.open(configuration, stream: stream, context: context) { leader, _ in
            let columns = try Self.columns(of: query, options, in: leader.connection)
            let places = try schema.fields.map { field in
                guard let index = columns.firstIndex(where: { $0.name == field.name }) else {
                    throw HeadraceError(
                        .schemaMismatch, "the query gives no column \"\(field.name)\"",
                        fields: [("columns of the query", columns.map(\.name).joined(separator: ", "))])
                }
                return index
            }
            let decoder = MySQLRowDecoder(
                schema, types: places.map { columns[$0].type }, columns: places, options: options)
            return (MySQLReadPlan(statements: [SQL(writtenByUser: query)], decoder: decoder), nil)
        }
    }

    /// The query and the moment: nothing tells whether the tables behind it have changed.
    public func fingerprint(in context: RunContext) async throws -> String { "\(name) \(context.clock.now())" }
}

extension Source where Self == MySQLQuerySource {
    /// The rows of a query over a MySQL or MariaDB database.
    public static func mySQL(_ configuration: MySQLConfiguration, query: String) -> MySQLQuerySource {
        MySQLQuerySource(configuration: configuration, query: query)
    }
}
