import Glibc
import HeadraceColumnar
public import HeadraceCore

/// SQLite databases on the command line: `sqlite:warehouse.db?table=prices`, `sqlite:warehouse.db?query=SELECT …`.
public struct SQLiteConnector: RowConnector {
    public let name = "sqlite"
    public let schemes = ["sqlite"]

    /// The connector has no settings of its own; locations hold them.
    public init() {}

    public var options: [ConnectorOption] {
        [
            ConnectorOption("table", "NAME", "the table to read or write; made from the rows when it is not there"),
            ConnectorOption("query", "SQL", "one SELECT whose rows are read, in place of a table"),
            ConnectorOption("key", "NAME,NAME", "the columns that rows are matched by, in modes that write by key"),
            SchemaPolicy.option,
            ConnectorOption("busyTimeout", "SECONDS", "how long to wait while another connection writes (30)"),
        ]
    }

    /// The table or query at a location. A view is read as a query, because it cannot be resumed.
    public func source(at location: Location) throws -> any Source {
        let path = try path(of: location)
        switch (location["table"], location["query"]) {
        case (let table?, nil):
            guard isView(table, at: path) else { return SQLiteTableSource(path: path, table: table) }
            return SQLiteQuerySource(path: path, query: "SELECT * FROM \(SQLiteName.quoted(table))")
        case (nil, let query?): return SQLiteQuerySource(path: path, query: query)
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
        let path = try path(of: location)
        guard location["query"] == nil else {
            throw HeadraceError(.badOption, "a query cannot be written to", hint: "name a table with ?table=NAME")
        }
        let policy = try SchemaPolicy(option: location[SchemaPolicy.option.name])
        return SQLiteSink(
            path: path, table: location["table"],
            busyTimeout: try location["busyTimeout"].map(Self.timeout) ?? .seconds(30), schemaPolicy: policy)
    }

    private static func timeout(_ text: String) throws -> Duration {
        guard let seconds = Double(text), seconds >= 0, seconds <= 86_400 else {
            throw HeadraceError(
                .badOption, "busyTimeout=\(text) is no number of seconds", hint: "write a number from 0 to 86400")
        }
        return .seconds(seconds)
    }

    /// Opens the database and says what is in it, or how many rows and columns the table or query has.
    public func check(_ location: Location, in context: RunContext) async throws -> String {
        let path = try path(of: location)
        let (table, query) = (location["table"], location["query"])
        if let query {
            let schema = try await SQLiteQuerySource(path: path, query: query).schema(in: context)
            return "the query gives \(schema.count) columns: \(schema.names.joined(separator: ", "))"
        }
        return try await SQLiteSourceSupport.look(at: path) { connection in
            guard let table else {
                let names = try SQLiteTable.names(in: connection)
                return names.isEmpty ? "\(path) holds no tables" : "\(path) holds \(names.joined(separator: ", "))"
            }
            guard let found = try SQLiteTable.read(table, from: connection) else {
                throw try SQLiteTable.notFound(table, in: connection)
            }
            let count = try connection.first("SELECT count(*) FROM \(SQLiteName.quoted(found.name))") { $0.integer(0) }
            return
                "\(found.isView ? "view" : "table") \(found.name) holds \(count ?? 0) rows of \(found.columns.count) columns"
        }
    }

    /// The path of a location whose options are all known.
    private func path(of location: Location) throws -> String {
        let known = options.map(\.name)
        for option in location.options where !known.contains(option.name) {
            throw HeadraceError(
                .badOption, "sqlite has no option \"\(option.name)\"",
                fields: [("options", known.joined(separator: ", "))])
        }
        guard !location.address.isEmpty else {
            throw HeadraceError(.badLocation, "\(location) names no file", hint: "write sqlite:FILE.db?table=NAME")
        }
        guard location.address.hasPrefix("//") else { return location.address }
        guard location.address.hasPrefix("///") else {
            throw HeadraceError(
                .badLocation, "\(location) names a host, but SQLite reads files",
                hint: "write sqlite:/folder/file.db, with one slash")
        }
        return String(location.address.dropFirst(2))
    }

    /// False too where nothing can be opened: the source says so when it is asked for its schema.
    private func isView(_ table: String, at path: String) -> Bool {
        guard let connection = try? SQLiteConnection(path: path, options: .reading, interrupter: SQLiteInterrupter())
        else { return false }
        return (try? SQLiteTable.read(table, from: connection))??.isView ?? false
    }
}
