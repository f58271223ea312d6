public import HeadraceColumnar
public import HeadraceCore

/// The rows of a table or view of a MySQL or MariaDB database, in the order of its primary key.
///
/// A reader sees the table as it was when it opened, whatever others write meanwhile. It reads on after the key of any
/// position; rows that were inserted before that since are not seen. A view and a table without primary key and without a
/// unique index over columns that take no nulls have no such order: they are read from their start only.
///
/// With several streams ranges of keys are read side by side, all of the same moment; the order between them is open.
public struct MySQLTableSource: ResumableSource {
    /// The server and its database.
    public let configuration: MySQLConfiguration
    /// The table or view.
    public let table: String
    /// How many connections read the table side by side, 1 to 64.
    public var streams: Int
    /// Whether dates with a zero year, month or day are read as null; else their rows are rejects.
    public var zeroDatesAreNull: Bool
    /// Whether `TIME` columns, which may hold 838 hours, are read as text; else times outside of a day are rejects.
    public var timesAreText: Bool

    /// The rows of `table`; nothing is opened yet.
    public init(
        configuration: MySQLConfiguration, table: String, streams: Int = 1, zeroDatesAreNull: Bool = false,
        timesAreText: Bool = false
    ) {
        self.configuration = configuration
        self.table = table
        self.streams = streams
        self.zeroDatesAreNull = zeroDatesAreNull
        self.timesAreText = timesAreText
    }

    public var name: String { configuration.named("table=\(table)") }

    private var reading: MySQLTableReading {
        MySQLTableReading(
            table: table, options: MySQLReadingOptions(zeroDatesAreNull: zeroDatesAreNull, timesAreText: timesAreText),
            streams: streams)
    }

    public func schema(in context: RunContext) async throws -> Schema {
        let reading = self.reading
        return try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            reading.schema(of: try MySQLTable.find(reading.table, in: connection))
        }
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> MySQLReader
    {
        let (reading, log) = (self.reading, context.log)
        try reading.check()
        return try await MySQLTableReading.open(configuration, streams: streams, stream: stream, context: context) {
            leader, _ in
            let found = try MySQLTable.find(reading.table, in: leader.connection)
            let order = MySQLReadingOrder(found)
            let state: MySQLReadState
            if let position {
                guard let order else {
                    throw HeadraceError(
                        .unsupported, "\"\(found.name.text)\" has no primary key by which to read on from a position",
                        hint: "give it one, or run with --restart")
                }
                state = try MySQLReadState(position, of: found, order, isIncremental: false)
            } else {
                state = MySQLReadState(
                    window: nil, parts: try reading.parts(of: found, by: order, leader.connection, log))
            }
            return (try reading.plan(schema, of: found, by: order, state), found)
        }
    }

    /// The table's columns and key. Rows may be added and changed without making positions worthless.
    public func fingerprint(in context: RunContext) async throws -> String {
        let table = self.table
        let text = try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            let found = try MySQLTable.find(table, in: connection)
            return found.columns.map { "\($0.name.text) \($0.type.declared)" }.joined(separator: ", ")
                + " key " + found.primaryKey.joined(separator: ", ")
        }
        return "\(name) \(text)"
    }
}

extension MySQLConfiguration {
    /// What is read or written on this server, without the account, which may change while the data stays.
    func named(_ what: String?) -> String {
        var copy = self
        copy.user = nil
        let text = copy.description
        guard let what else { return text }
        return text + (text.contains("?") ? "&" : "?") + what
    }
}

extension Source where Self == MySQLTableSource {
    /// The rows of a table of a MySQL or MariaDB database.
    public static func mySQL(
        _ configuration: MySQLConfiguration, table: String, streams: Int = 1
    ) -> MySQLTableSource {
        MySQLTableSource(configuration: configuration, table: table, streams: streams)
    }
}
