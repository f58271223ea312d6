import HeadraceColumnar
public import HeadraceCore

/// MySQL and MariaDB on the command line: `mysql://user@host/shop?table=prices`, `mysql://user@host/shop?query=SELECT …`.
public struct MySQLConnector: RowConnector {
    public let name = "mysql"
    public let schemes = ["mysql", "mariadb"]

    /// The connector has no settings of its own; locations hold them.
    public init() {}

    public var options: [ConnectorOption] {
        [
            ConnectorOption("table", "NAME", "the table to read or write; made from the rows when it is not there"),
            ConnectorOption("query", "SQL", "one SELECT whose rows are read, in place of a table"),
            ConnectorOption("cursor", "COLUMN", "read only rows that are new or changed since the last complete run"),
            ConnectorOption(
                "lag", "AMOUNT", "how far behind the cursor a late row may come: 5 minutes, or 1000", isTuning: true),
            ConnectorOption(
                "streams", "N", "connections that read one big table side by side, in one snapshot (1)", isTuning: true),
            ConnectorOption("key", "NAME,NAME", "the columns that rows are matched by, in modes that write by key"),
            SchemaPolicy.option,
            ConnectorOption("zeroDates", "reject|null", "what dates with a zero year, month or day become (reject)"),
            ConnectorOption("times", "time|text", "how TIME columns are read: times of a day, or text (time)"),
            ConnectorOption("socket", "PATH", "the server's Unix socket, in place of its host"),
            ConnectorOption("sslmode", "MODE", "disable, prefer, require or verify-full (prefer)", isTuning: true),
            ConnectorOption(
                "sslrootcert", "FILE", "certificates of the authorities that verify-full trusts", isTuning: true),
            ConnectorOption(
                "defaultsFile", "FILE", "user, password and host as mariadb --defaults-file reads them", isTuning: true),
            ConnectorOption("user", "NAME", "the user, where the address has none"),
            ConnectorOption(
                "password", "TEXT", "the password; MYSQL_PWD keeps it out of the shell's history", isTuning: true),
            ConnectorOption("connectTimeout", "SECONDS", "how long connecting may take (15)", isTuning: true),
            ConnectorOption(
                "statementTimeout", "SECONDS", "the longest that the server works on one statement", isTuning: true),
            ConnectorOption("lockTimeout", "SECONDS", "the longest that a statement waits for a lock", isTuning: true),
            ConnectorOption(
                "idleTimeout", "SECONDS", "the longest silence of the server while an answer is due", isTuning: true),
        ]
    }

    /// The table, view or query at a location.
    public func source(at location: Location) throws -> any Source {
        guard location[SchemaPolicy.option.name] == nil else {
            throw HeadraceError(.badOption, "\(SchemaPolicy.option.name) is for writing", hint: "leave it out")
        }
        let configuration = try configuration(of: location)
        let zeroDatesAreNull = try choice("zeroDates", of: location, ["reject", "null"]) == "null"
        let timesAreText = try choice("times", of: location, ["time", "text"]) == "text"
        let streams = try Self.streams(location)
        switch (location["table"], location["query"]) {
        case (let table?, nil):
            if let cursor = location["cursor"] {
                return try MySQLIncrementalSource(
                    configuration: configuration, table: table, cursor: cursor, lag: location["lag"], streams: streams,
                    zeroDatesAreNull: zeroDatesAreNull, timesAreText: timesAreText)
            }
            guard location["lag"] == nil else {
                throw HeadraceError(.badOption, "a lag needs a cursor", hint: "add cursor=COLUMN")
            }
            return MySQLTableSource(
                configuration: configuration, table: table, streams: streams, zeroDatesAreNull: zeroDatesAreNull,
                timesAreText: timesAreText)
        case (nil, let query?):
            guard location["cursor"] == nil, location["lag"] == nil, location["streams"] == nil else {
                throw HeadraceError(
                    .badOption, "a query has neither cursor nor lag nor streams", hint: "read a table")
            }
            return MySQLQuerySource(
                configuration: configuration, query: query, zeroDatesAreNull: zeroDatesAreNull,
                timesAreText: timesAreText)
        case (nil, nil):
            throw HeadraceError(
                .badOption, "\(location) names neither a table nor a query",
                hint: "add ?table=NAME or ?query=SELECT …")
        case (_?, _?):
            throw HeadraceError(.badOption, "\(location) names both a table and a query", hint: "leave one of them out")
        }
    }

    /// The table at a location, or the whole database where none is named: a warehouse for facts.
    public func sink(at location: Location) throws -> any Sink {
        let configuration = try configuration(of: location)
        guard location["query"] == nil else {
            throw HeadraceError(.badOption, "a query cannot be written to", hint: "name a table with ?table=NAME")
        }
        for option in ["cursor", "lag", "streams"] where location[option] != nil {
            throw HeadraceError(.badOption, "\(option) is for reading", hint: "leave it out")
        }
        return MySQLSink(
            configuration: configuration, table: location["table"],
            schemaPolicy: try SchemaPolicy(option: location[SchemaPolicy.option.name]))
    }

    private static func streams(_ location: Location) throws -> Int {
        guard let text = location["streams"] else { return 1 }
        guard let count = Int(text), (1...64).contains(count) else {
            throw HeadraceError(
                .badOption, "streams=\(text) is no number of connections", hint: "write a number from 1 to 64")
        }
        return count
    }

    private func choice(_ name: String, of location: Location, _ values: [String]) throws -> String? {
        guard let value = location[name] else { return nil }
        guard values.contains(value) else {
            throw HeadraceError(
                .badOption, "\(name)=\(value) is not known", fields: [("values", values.joined(separator: ", "))])
        }
        return value
    }

    /// Connects and says what is in the database, or how many rows and columns the table or query has.
    public func check(_ location: Location, in context: RunContext) async throws -> String {
        let configuration = try configuration(of: location)
        let table = location["table"]
        if let query = location["query"] {
            let schema = try await MySQLQuerySource(configuration: configuration, query: query).schema(in: context)
            return "the query gives \(schema.count) columns: \(schema.names.joined(separator: ", "))"
        }
        return try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            guard let table else {
                let names = try MySQLTable.names(in: connection)
                return "\(configuration) holds \(names.isEmpty ? "no tables" : names.joined(separator: ", "))"
            }
            let found = try MySQLTable.find(table, in: connection)
            let count = try connection.number("SELECT COUNT(*) FROM \(found.name)") ?? 0
            let kind = found.isView ? "view" : "table"
            return "\(kind) \(found.name.text) holds \(count) rows of \(found.columns.count) columns"
        }
    }

    /// The server of a location whose options are all known.
    /// - Throws: `badLocation` and `badOption` for one that names no database or an option that is none.
    public func configuration(of location: Location) throws -> MySQLConfiguration {
        let known = options.map(\.name)
        for option in location.options where !known.contains(option.name) {
            throw HeadraceError(
                .badOption, "mysql has no option \"\(option.name)\"",
                fields: [("options", known.joined(separator: ", "))])
        }
        let configuration = try MySQLConfiguration(location)
        guard configuration.database != nil else {
            throw HeadraceError(.badLocation, "\(location) names no database", hint: "write mysql://user@host/database")
        }
        return configuration
    }
}
