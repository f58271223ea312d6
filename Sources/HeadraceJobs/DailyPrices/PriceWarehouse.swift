public import HeadraceCore
public import HeadraceMySQL
public import HeadracePostgreSQL
import HeadraceSQLite

/// The warehouse of the daily prices, whichever database holds it.
public struct PriceWarehouse: Sendable {
    /// The warehouse as plans and the run's parameters name it; must not hold a secret.
    public let name: String
    /// A sink that can load facts, over the whole warehouse.
    public let facts: any Sink
    /// Writes one table of the warehouse; must take `.replace` and `.append`, and know `targetSchema` of tables that
    /// are there.
    public let sink: @Sendable (_ table: String) -> any Sink
    /// Reads one table of the warehouse whole.
    public let table: @Sendable (_ table: String) -> any Source
    /// Reads the rows of a SELECT over the warehouse's tables; the job's own keep to plain SQL.
    public let query: @Sendable (_ sql: String) -> any Source

    /// A warehouse made of a database's connectors.
    /// - Parameter facts: a `TransactionalSink` over the same database; a run refuses any other with `unsupported`.
    public init(
        name: String, facts: any Sink, sink: @escaping @Sendable (String) -> any Sink,
        table: @escaping @Sendable (String) -> any Source, query: @escaping @Sendable (String) -> any Source
    ) {
        self.name = name
        self.facts = facts
        self.sink = sink
        self.table = table
        self.query = query
    }
}

extension PriceWarehouse {
    /// A SQLite file, created by the first run.
    public static func sqlite(at path: String) -> PriceWarehouse {
        PriceWarehouse(
            name: "sqlite:\(path)", facts: SQLiteSink(path: path), sink: { SQLiteSink(path: path, table: $0) },
            table: { SQLiteTableSource(path: path, table: $0) }, query: { SQLiteQuerySource(path: path, query: $0) })
    }

    /// A database of a PostgreSQL server, whose tables the first run makes.
    public static func postgresql(_ configuration: PostgreSQLConfiguration) -> PriceWarehouse {
        PriceWarehouse(
            name: "\(configuration)", facts: PostgreSQLSink(configuration),
            sink: { PostgreSQLSink(configuration, table: $0) },
            table: { name in
                // Rows come in the order in which they were staged; a name that is none fails as a query when it is read.
                if let table = try? PostgreSQLTableSource(configuration, table: quoted(name)) { return table }
                return PostgreSQLQuerySource(configuration, query: "SELECT * FROM \(quoted(name))")
            },
            query: { PostgreSQLQuerySource(configuration, query: $0) })
    }

    /// A database of a MySQL or MariaDB server, whose tables the first run makes.
    public static func mySQL(_ configuration: MySQLConfiguration) -> PriceWarehouse {
        PriceWarehouse(
            name: "\(configuration)", facts: MySQLSink(configuration: configuration),
            sink: { MySQLSink(configuration: configuration, table: $0) },
            table: { MySQLTableSource(configuration: configuration, table: $0) },
            query: { MySQLQuerySource(configuration: configuration, query: $0) })
    }

    /// A table's name as an identifier of SQL.
    private static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
