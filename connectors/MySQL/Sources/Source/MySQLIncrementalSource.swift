public import HeadraceColumnar
public import HeadraceCore

/// The rows of a table whose cursor has grown since the last complete run of the job; all of them in its first.
///
/// A pass takes the rows whose cursor lies above the bound of the pass before and not above a bound of its own, below which
/// nothing can come any more. So a row that is committed late, with a lower value than rows that are there, is not missed, none
/// comes twice, and the state is one value. A row whose cursor grows comes again; one that is changed without that, or deleted,
/// does not.
///
/// - Without a lag the source proves the bound: it waits for all that others had under way. It needs the privilege
///   `PROCESS`, an InnoDB table, a server that is neither a replica nor in a Galera cluster, and a cursor that the server
///   gives: `AUTO_INCREMENT`, or a time by the server's clock when the statement began (`DEFAULT CURRENT_TIMESTAMP ON UPDATE
///   CURRENT_TIMESTAMP`), in one time zone without summer time. Where others take longer than about ten seconds, their rows and
///   all later ones come with a later run, and the log says so.
/// - With a lag rows come when they are that old, or that far behind the highest number. What is committed by then is not
///   missed, whoever gives the cursor's values; what comes later than that is.
public struct MySQLIncrementalSource: IncrementalSource {
    /// The server and its database.
    public let configuration: MySQLConfiguration
    /// The table; it has a primary key, or a unique index over columns that take no nulls.
    public let table: String
    /// A column of numbers or times that grows with every new or changed row.
    public let cursor: String
    /// How long after its cursor's time, or how far behind the highest number, a row may be committed: `5 minutes`, `1000`.
    public let lag: String?
    /// How many connections read the first pass side by side, 1 to 64.
    public let streams: Int
    /// Whether dates with a zero year, month or day are read as null; else their rows are rejects.
    public let zeroDatesAreNull: Bool
    /// Whether `TIME` columns, which may hold 838 hours, are read as text; else times outside of a day are rejects.
    public let timesAreText: Bool
    private let room: MySQLLag?

    /// The new rows of `table`; nothing is opened yet.
    /// - Throws: `badOption` for a lag that is none and for less than one stream.
    public init(
        configuration: MySQLConfiguration, table: String, cursor: String, lag: String? = nil, streams: Int = 1,
        zeroDatesAreNull: Bool = false, timesAreText: Bool = false
    ) throws {
        self.configuration = configuration
        self.table = table
        self.cursor = cursor
        self.lag = lag
        self.streams = streams
        self.zeroDatesAreNull = zeroDatesAreNull
        self.timesAreText = timesAreText
        room = try lag.map { text throws(HeadraceError) in try MySQLLag(text) }
        try reading.check()
    }

    public var name: String { configuration.named("table=\(table)&cursor=\(cursor)") }

    private var reading: MySQLTableReading {
        MySQLTableReading(
            table: table, options: MySQLReadingOptions(zeroDatesAreNull: zeroDatesAreNull, timesAreText: timesAreText),
            streams: streams)
    }

    public func schema(in context: RunContext) async throws -> Schema {
        let (reading, cursor) = (self.reading, self.cursor)
        return try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            let found = try MySQLTable.find(reading.table, in: connection)
            _ = try Self.order(of: found)
            _ = try MySQLCursor(cursor, of: found)
            return reading.schema(of: found)
        }
    }

    private static func order(of table: MySQLTable) throws -> MySQLReadingOrder {
        guard let order = MySQLReadingOrder(table) else {
            throw HeadraceError(
                .unsupported,
                "\"\(table.name.text)\" has no primary key by which a pass could go on after an interruption",
                hint: "give it one, or a unique index over columns that take no nulls")
        }
        return order
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> MySQLReader
    {
        let (reading, cursorName, lag, log) = (self.reading, self.cursor, room, context.log)
        return try await MySQLTableReading.open(configuration, streams: streams, stream: stream, context: context) {
            leader, crew in
            let connection = leader.connection
            let found = try MySQLTable.find(reading.table, in: connection)
            let order = try Self.order(of: found)
            let cursor = try MySQLCursor(cursorName, of: found)
            try cursor.checkNulls(connection)
            var state = try position.map { try MySQLReadState($0, of: found, order, isIncremental: true) }
            if state?.parts.isEmpty ?? true {
                let since = state?.window?.bound
                let settlement = MySQLSettlement(cursor: cursor, since: since, lag: lag, crew: crew, log: log)
                let window = MySQLWindow(since: since, bound: try settlement.bound(connection))
                let parts =
                    window.isEmpty
                    ? []
                    : since == nil ? try reading.parts(of: found, by: order, connection, log) : [MySQLPart(number: 0)]
                state = MySQLReadState(window: window, parts: parts)
            }
            guard let state, let window = state.window else {
                throw HeadraceError(.unexpected, "a pass over \(found.name.text) has no window")
            }
            var plan = try reading.plan(schema, of: found, by: order, state, where: try cursor.condition(window))
            plan.givesLastPosition = true
            return (plan, found)
        }
    }

    /// The table's identity and key: a column more or less does not make read rows unread.
    public func fingerprint(in context: RunContext) async throws -> String {
        let table = self.table
        let key = try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            try Self.order(of: try MySQLTable.find(table, in: connection)).columns.map(\.name.text)
        }
        return "\(name) key \(key.joined(separator: ", "))"
    }
}

extension Source where Self == MySQLIncrementalSource {
    /// The new and changed rows of a table of a MySQL or MariaDB database, run by run.
    /// - Throws: `badOption` for a lag that is none and for less than one stream.
    public static func mySQL(
        _ configuration: MySQLConfiguration, table: String, cursor: String, lag: String? = nil, streams: Int = 1
    ) throws -> MySQLIncrementalSource {
        try MySQLIncrementalSource(
            configuration: configuration, table: table, cursor: cursor, lag: lag, streams: streams)
    }
}
