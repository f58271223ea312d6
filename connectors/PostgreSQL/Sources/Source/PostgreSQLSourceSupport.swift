import HeadraceColumnar
import HeadraceCore

/// What the sources share: a short connection for a look, and the opening of a reader.
enum PostgreSQLSourceSupport {
    static func name(_ configuration: PostgreSQLConfiguration, _ what: String) -> String {
        let text = configuration.description
        return text + (text.contains("?") ? "&" : "?") + what
    }

    /// Runs `body` on a connection that is closed afterwards.
    static func look<R: Sendable>(
        _ configuration: PostgreSQLConfiguration, _ context: RunContext,
        _ body: @Sendable (PostgreSQLConnection) throws -> R
    ) async throws -> R {
        let session = PostgreSQLSession(configuration)
        let key = session.follow(context.cancellation)
        defer { context.cancellation.remove(key) }
        do {
            let result = try await session.use(body)
            await session.close()
            return result
        } catch {
            await session.close()
            throw error
        }
    }

    /// Takes a snapshot, plans the reading in it and starts the reader.
    static func open(
        _ configuration: PostgreSQLConfiguration, stream: StreamID, _ context: RunContext,
        _ plan: @escaping @Sendable (PostgreSQLConnection) throws -> PostgreSQLReadPlan
    ) async throws -> PostgreSQLReader {
        let leader = PostgreSQLSession(configuration)
        let key = leader.follow(context.cancellation)
        do {
            let plan = try await leader.use { connection in
                try PostgreSQLSnapshot.begin(connection)
                return try plan(connection)
            }
            return PostgreSQLReader(
                plan, leader: leader, leaderKey: key, configuration: configuration, stream: stream, context: context)
        } catch {
            context.cancellation.remove(key)
            await leader.close()
            throw error
        }
    }

    /// The table of that name.
    /// - Throws: `notFound` with the tables that there are; `unsupported` for views, which have no order to read on in.
    static func find(_ name: PostgreSQLTableName, in connection: PostgreSQLConnection) throws -> PostgreSQLTable {
        guard let table = try PostgreSQLTable.read(name, from: connection) else {
            throw try PostgreSQLTable.notFound(name, in: connection)
        }
        switch table.kind {
        case .table, .partitioned, .materializedView: return table
        case .view, .foreign:
            throw HeadraceError(
                .unsupported, "\(table.name) is a view or foreign table, which has no order to read on in",
                hint: "read it as a query: SELECT * FROM \(table.name.quoted)")
        }
    }

    /// The columns of a table that `schema` asks for.
    static func columns(of table: PostgreSQLTable, _ schema: Schema) throws -> [PostgreSQLColumn] {
        try pick(schema, of: table.columns, "table \(table.name)")
    }

    static func pick(_ schema: Schema, of columns: [PostgreSQLColumn], _ place: String) throws -> [PostgreSQLColumn] {
        try schema.fields.map { field in
            guard let column = columns.first(where: { $0.name.text == field.name }) else {
                throw HeadraceError(
                    .schemaMismatch, "\(place) has no column \"\(field.name)\"",
                    fields: [("columns", columns.map(\.name.text).joined(separator: ", "))])
            }
            guard column.type.dataType == field.type else {
                throw HeadraceError(
                    .schemaMismatch, "column \"\(field.name)\" of \(place) is \(column.type.dataType) now",
                    fields: [("expected", "\(field.type)")], hint: "run again with its types of today")
            }
            return column
        }
    }

    /// What makes positions in a table worthless when it changes: another table, other columns.
    static func definition(_ table: PostgreSQLTable) -> String {
        "\(table.oid) " + table.columns.map { "\($0.name.quoted) \($0.type.name)" }.joined(separator: ", ")
    }
}
