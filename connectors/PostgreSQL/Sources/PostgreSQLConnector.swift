import HeadraceColumnar
public import HeadraceCore

/// PostgreSQL on the command line: `postgresql://host/database?table=s.t`, `postgresql://host/database?query=SELECT …`.
public struct PostgreSQLConnector: RowConnector {
    public let name = "postgresql"
    public let schemes = ["postgresql", "postgres"]

    /// The connector has no settings of its own; locations and libpq's environment hold them.
    public init() {}

    private static let own = [
        ConnectorOption("table", "SCHEMA.NAME", "the table or view to read or write"),
        ConnectorOption("query", "SQL", "one SELECT whose rows are read, in place of a table"),
        ConnectorOption("cursor", "COLUMN", "read only rows that are new or changed since the last complete run"),
        ConnectorOption(
            "lag", "AMOUNT", "how far a late row may lie behind the cursor, so that its index is used", isTuning: true),
        ConnectorOption(
            "streams", "N", "connections that read one big table side by side, in one snapshot (1)", isTuning: true),
        ConnectorOption("key", "NAME,NAME", "the columns that rows are matched by, in modes that write by key"),
        SchemaPolicy.option,
        ConnectorOption(
            "replace", "truncate|swap", "how a replace makes room: readers of a swapped table never wait (truncate)"),
        ConnectorOption("connectTimeout", "SECONDS", "how long connecting may take (15)", isTuning: true),
        ConnectorOption("statementTimeout", "SECONDS", "how long the server may work on one statement", isTuning: true),
        ConnectorOption("lockTimeout", "SECONDS", "how long a statement may wait for a lock", isTuning: true),
        ConnectorOption(
            "idleTimeout", "SECONDS", "how long the server may be silent while an answer is due", isTuning: true),
    ]

    /// libpq's options that say which database it is, or what a session sees of it.
    private static let places: Set<String> = ["host", "hostaddr", "port", "dbname", "service", "user", "options"]

    public var options: [ConnectorOption] {
        Self.own
            + PostgreSQLConfiguration.keywords.sorted().map {
                ConnectorOption($0, "…", "as libpq takes it", isTuning: !Self.places.contains($0))
            }
    }

    /// The server at a location, with libpq's options and the time-outs.
    package func configuration(of location: Location) throws -> PostgreSQLConfiguration {
        guard location.address.hasPrefix("//") else {
            throw HeadraceError(
                .badLocation, "\(location) names no server",
                hint: "write postgresql://user@host:port/database?table=NAME")
        }
        var configuration = try PostgreSQLConfiguration("postgresql:\(location.address)")
        for option in location.options {
            switch option.name {
            case "connectTimeout": configuration.connectTimeout = try Self.seconds(option)
            case "statementTimeout": configuration.statementTimeout = try Self.seconds(option)
            case "lockTimeout": configuration.lockTimeout = try Self.seconds(option)
            case "idleTimeout": configuration.idleTimeout = try Self.seconds(option)
            case let name where Self.own.contains { $0.name == name }: continue
            default: try configuration.set(option.name, to: option.value)
            }
        }
        return configuration
    }

    private static func seconds(_ option: Location.Option) throws -> Duration {
        guard let seconds = Double(option.value), seconds > 0, seconds <= 86_400 else {
            throw HeadraceError(
                .badOption, "\(option.name)=\(option.value) is no number of seconds",
                hint: "write a number above 0, up to 86400")
        }
        return .seconds(seconds)
    }

    private static func swaps(_ location: Location) throws -> Bool {
        switch location["replace"] {
        case nil, "truncate": return false
        case "swap": return true
        case let other?:
            throw HeadraceError(
                .badOption, "replace=\(other) is no way to replace a table", fields: [("replace", "truncate, swap")])
        }
    }

    private static func streams(_ location: Location) throws -> Int {
        guard let text = location["streams"] else { return 1 }
        guard let count = Int(text) else {
            throw HeadraceError(.badOption, "streams=\(text) is no number", hint: "write a number from 1 to 64")
        }
        return count
    }

    /// The table or query at a location. A view is read as a query, because it cannot be resumed.
    public func source(at location: Location) throws -> any Source {
        for option in [SchemaPolicy.option.name, "replace"] where location[option] != nil {
            throw HeadraceError(.badOption, "\(option) is for writing", hint: "leave it out")
        }
        let configuration = try configuration(of: location)
        switch (location["table"], location["query"]) {
        case (let table?, nil):
            let streams = try Self.streams(location)
            if let cursor = location["cursor"] {
                return try PostgreSQLIncrementalSource(
                    configuration, table: table, cursor: cursor, lag: location["lag"], streams: streams)
            }
            guard location["lag"] == nil else {
                throw HeadraceError(.badOption, "a lag needs a cursor", hint: "add cursor=COLUMN")
            }
            if let view = view(table, configuration) {
                return PostgreSQLQuerySource(configuration, query: "SELECT * FROM \(view.quoted)")
            }
            return try PostgreSQLTableSource(configuration, table: table, streams: streams)
        case (nil, let query?):
            guard location["cursor"] == nil, location["streams"] == nil else {
                throw HeadraceError(.badOption, "a query has neither cursor nor streams", hint: "read a table")
            }
            return PostgreSQLQuerySource(configuration, query: query)
        case (nil, nil):
            throw HeadraceError(
                .badOption, "\(location) names neither a table nor a query", hint: "add ?table=NAME or ?query=SELECT …")
        case (_?, _?):
            throw HeadraceError(.badOption, "\(location) names both a table and a query", hint: "leave one of them out")
        }
    }

    /// The table at a location, or the whole database where none is named: a warehouse for facts.
    public func sink(at location: Location) throws -> any Sink {
        guard location["query"] == nil else {
            throw HeadraceError(.badOption, "a query cannot be written to", hint: "name a table with ?table=NAME")
        }
        for option in ["cursor", "lag", "streams"] where location[option] != nil {
            throw HeadraceError(.badOption, "\(option) is for reading", hint: "leave it out")
        }
        return PostgreSQLSink(
            try configuration(of: location), table: location["table"],
            schemaPolicy: try SchemaPolicy(option: location[SchemaPolicy.option.name]),
            replacesBySwap: try Self.swaps(location))
    }

    /// Connects and says what is there, or how many rows and columns the table or query has.
    public func check(_ location: Location, in context: RunContext) async throws -> String {
        let configuration = try configuration(of: location)
        if let query = location["query"] {
            let schema = try await PostgreSQLQuerySource(configuration, query: query).schema(in: context)
            return "the query gives \(schema.count) columns: \(schema.names.joined(separator: ", "))"
        }
        let table = try location["table"].map { try PostgreSQLTableName($0) }
        return try await PostgreSQLSourceSupport.look(configuration, context) { connection in
            guard let table else {
                let names = try PostgreSQLTable.names(in: connection)
                let version = "PostgreSQL \(connection.serverVersion / 10_000).\(connection.serverVersion % 10_000)"
                let what = names.isEmpty ? "holds no tables" : "holds \(names.joined(separator: ", "))"
                return "\(version), database \(connection.databaseName) \(what)"
            }
            guard let found = try PostgreSQLTable.read(table, from: connection) else {
                throw try PostgreSQLTable.notFound(table, in: connection)
            }
            let count = try connection.first("SELECT count(*) FROM \(found.name)") { $0.integer(0) ?? 0 }
            let kind = found.kind == .view ? "view" : "table"
            return "\(kind) \(found.name) holds \(count ?? 0) rows of \(found.columns.count) columns"
        }
    }

    /// The name when it is a view's. Nil too where nothing can be opened: the source says so when it is asked.
    private func view(_ table: String, _ configuration: PostgreSQLConfiguration) -> PostgreSQLTableName? {
        guard let name = try? PostgreSQLTableName(table),
            let connection = try? PostgreSQLConnection(configuration, interrupter: PostgreSQLInterrupter()),
            let found = try? PostgreSQLTable.read(name, from: connection)
        else { return nil }
        return found.kind == .view || found.kind == .foreign ? found.name : nil
    }
}
