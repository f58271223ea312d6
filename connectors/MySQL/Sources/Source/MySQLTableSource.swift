public import HeadraceColumnar
public import HeadraceCore

/// The rows of a table or view of a MySQL or MariaDB database, in the order of its primary key.
///
/// A reader sees the table as it was when it opened, whatever others write meanwhile. It reads on after the key of any
/// position; rows that were inserted before that since are not seen. A view and a table without primary key and without a
/// unique index over columns that take no nulls have no such order: they are read from their start only.
public struct MySQLTableSource: ResumableSource {
    /// The server and its database.
    public let configuration: MySQLConfiguration
    /// The table or view.
    public let table: String
    /// Whether dates with a zero year, month or day are read as null; else their rows are rejects.
    public var zeroDatesAreNull: Bool
    /// Whether `TIME` columns, which may hold 838 hours, are read as text; else times outside of a day are rejects.
    public var timesAreText: Bool

    /// The rows of `table`; nothing is opened yet.
    public init(
        configuration: MySQLConfiguration, table: String, zeroDatesAreNull: Bool = false, timesAreText: Bool = false
    ) {
        self.configuration = configuration
        self.table = table
        self.zeroDatesAreNull = zeroDatesAreNull
        self.timesAreText = timesAreText
    }

    public var name: String { "\(configuration.named)?table=\(table)" }

    private var options: MySQLReadingOptions {
        MySQLReadingOptions(zeroDatesAreNull: zeroDatesAreNull, timesAreText: timesAreText)
    }

    public func schema(in context: RunContext) async throws -> Schema {
        let (table, options) = (self.table, options)
        return try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            let found = try MySQLTable.find(table, in: connection)
            return Schema(
                found.columns.map { column in
                    let type = column.type.reading(options).type
                    let mayBecomeNull = options.zeroDatesAreNull && Self.isDated(type)
                    return Field(column.name.text, type, nullable: column.isNullable || mayBecomeNull)
                })
        }
    }

    private static func isDated(_ type: DataType) -> Bool {
        switch type {
        case .date32, .timestamp: true
        default: false
        }
    }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> MySQLReader
    {
        let (table, options) = (self.table, options)
        return try await MySQLReader.open(configuration, source: name, stream: stream, context: context) {
            connection in
            let found = try MySQLTable.find(table, in: connection)
            let columns = try found.columns(schema.names)
            let decoder = MySQLRowDecoder(schema, types: columns.map { $0.type.reading(options) }, options: options)
            guard let order = MySQLReadingOrder(found, offset: columns.count) else {
                guard position == nil else {
                    throw HeadraceError(
                        .unsupported, "\"\(found.name.text)\" has no primary key by which to read on from a position",
                        hint: "give it one, or run with --restart")
                }
                return MySQLReading(
                    sql: "SELECT \(columns.map(\.selection)) FROM \(found.name)", decoder: decoder,
                    columnCount: columns.count)
            }
            let list = (columns + order.columns).map(\.selection)
            var sql: SQL = "SELECT \(list) FROM \(found.name)"
            var rowsBefore = 0
            if let position {
                let condition = try order.condition(after: position, of: found)
                sql = "\(sql) WHERE \(condition.sql)"
                rowsBefore = condition.rowsBefore
            }
            return MySQLReading(
                sql: "\(sql) ORDER BY \(order.sql)", decoder: decoder, order: order, rowsBefore: rowsBefore,
                columnCount: list.count)
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
    /// The server without the account, which may change while the data stays.
    var named: String {
        var copy = self
        copy.user = nil
        return copy.description
    }
}

extension Source where Self == MySQLTableSource {
    /// The rows of a table of a MySQL or MariaDB database.
    public static func mySQL(_ configuration: MySQLConfiguration, table: String) -> MySQLTableSource {
        MySQLTableSource(configuration: configuration, table: table)
    }
}
