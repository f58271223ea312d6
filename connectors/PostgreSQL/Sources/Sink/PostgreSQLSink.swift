public import HeadraceColumnar
public import HeadraceCore

/// A table of a PostgreSQL database as a place for rows, or the whole database as a warehouse for facts.
///
/// Rows of an epoch, their checkpoint and the run's fence are one transaction: readers and a crash see all of it or
/// nothing. The table is made from the rows' schema when it is not there; one that is there keeps its columns, which rows
/// are matched to by name, case included, unless `schemaPolicy` says otherwise. A replace empties the table inside the transaction, so that its views, grants,
/// indexes and references stay, and readers wait for its end.
///
/// A row that the server refuses becomes a reject with the server's words; the others arrive.
public struct PostgreSQLSink: AppendingSink, ReplacingSink, UpsertingSink, InsertingSink, MirroringSink, HistorySink,
    TransactionalSink, SchemaPolicySink
{
    /// The server and how to reach it.
    public let configuration: PostgreSQLConfiguration
    /// The table that rows go to, `schema.table` where it lies outside the search path; nil for fact loads, which bring
    /// their own tables.
    public let table: String?
    /// What becomes of a table that is there when the rows have columns that it lacks or types that are too wide for it.
    public let schemaPolicy: SchemaPolicy
    /// Whether a replace fills a new table and puts it in the place of the old at its commit, so that readers do not wait for
    /// the rows; else it empties the table, so that views, references, triggers and policies stay.
    public let replacesBySwap: Bool
    /// What runs have read from the state table.
    let seen = SeenCheckpoints()

    /// A sink on `table`; nothing is opened yet.
    public init(
        _ configuration: PostgreSQLConfiguration, table: String? = nil, schemaPolicy: SchemaPolicy = .refuse,
        replacesBySwap: Bool = false
    ) {
        self.configuration = configuration
        self.table = table
        self.schemaPolicy = schemaPolicy
        self.replacesBySwap = replacesBySwap
    }

    public var name: String { "\(configuration)\(table.map { "?table=\($0)" } ?? "")" }

    /// The sink's name in the state table, which lies in the same database.
    var stateName: String { table ?? "" }

    /// Runs `body` on a connection of its own.
    private func look<R: Sendable>(
        _ context: RunContext, _ body: @Sendable (PostgreSQLConnection) throws -> R
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

    public func committed(in context: RunContext) async throws -> Checkpoint? {
        let (job, sink) = (context.job, stateName)
        let checkpoint = try await look(context) { try PostgreSQLState.read(job: job, sink: sink, in: $0) }
        seen.note(checkpoint, by: context.run)
        return checkpoint
    }

    /// The columns of the table that can be written.
    public func targetSchema(in context: RunContext) async throws -> Schema? {
        guard let table else { return nil }
        let name = try PostgreSQLTableName(table)
        return try await look(context) { connection in
            guard let found = try PostgreSQLTable.read(name, from: connection) else { return nil }
            let writable = Set(found.columns.filter { !$0.isGenerated }.map(\.name.text))
            return Schema(found.schema.fields.filter { writable.contains($0.name) })
        }
    }

    /// The plan of the writes into `table`, against the database as it is now.
    func tablePlan(for schema: Schema, mode: SinkMode, in connection: PostgreSQLConnection) throws
        -> PostgreSQLTablePlan
    {
        guard let table else {
            throw HeadraceError(
                .badOption, "\(name) names no table", hint: "add ?table=NAME, or load facts, which bring their tables")
        }
        return try PostgreSQLTablePlan.make(
            table, schema: schema, mode: mode, policy: schemaPolicy, swaps: replacesBySwap, in: connection)
    }

    public func openWriter(
        for schema: Schema, mode: SinkMode, in context: RunContext
    ) async throws -> PostgreSQLSinkWriter {
        if case .facts(let load) = mode { try load.check(schema) }
        let target: PostgreSQLSinkWriter.Target = try await look(context) { connection in
            guard case .facts(let load) = mode else {
                let plan = try self.tablePlan(for: schema, mode: mode, in: connection)
                SchemaFit.note(plan.ignored, of: "\(plan.table)", in: context.log)
                let rowWriter = PostgreSQLRowWriter(plan, time: try Self.time(of: context), log: context.log)
                let hasTimeout = self.configuration.statementTimeout != nil
                return .table(plan, PostgreSQLCopySpan(plan, rowWriter, hasTimeout: hasTimeout))
            }
            for table in load.tables { _ = try PostgreSQLTableDefinition.missing(table, in: connection) }
            return .facts(load, schema)
        }
        return PostgreSQLSinkWriter(sink: self, target: target, context: context)
    }

    /// The time of a run, as the server reads it.
    private static func time(of context: RunContext) throws -> PostgreSQLLiteral {
        try PostgreSQLLiteral(Temporal.formatTimestamp(context.datingTime, hasZone: true))
    }

    public func openWarehouse(in context: RunContext) async throws -> any Warehouse {
        try await openTransaction(in: context)
    }

    /// Opens a transaction over the database's tables. Nothing is visible to others before its `commit`.
    /// - Throws: `leaseLost` when a run with a higher fence has committed for the context's job.
    public func openTransaction(in context: RunContext) async throws -> PostgreSQLWarehouse {
        let session = PostgreSQLSession(configuration)
        let (job, fence) = (context.job, context.fence)
        do {
            try await session.use { connection in
                try connection.script(PostgreSQLSinkWriter.opening)
                try PostgreSQLState.check(fence, job: job, in: connection)
            }
        } catch {
            await session.close()
            throw error
        }
        return PostgreSQLWarehouse(session)
    }

    public func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] {
        let checkpoint =
            "write the checkpoint of job \(context.job) into \(PostgreSQLState.table), in the rows' transaction"
        if case .facts(let load) = mode {
            try load.check(schema)
            let missing = try await look(context) { connection in
                try load.tables.flatMap { try PostgreSQLTableDefinition.missing($0, in: connection) }
            }
            return missing.map(\.text) + load.summary + [checkpoint]
        }
        let plan = try await look(context) { try self.tablePlan(for: schema, mode: mode, in: $0) }
        return plan.definitions.map(\.text)
            + SchemaFit.lines(of: plan.ignored)
            + plan.statements(at: try Self.time(of: context)) + [checkpoint]
    }
}

extension Sink where Self == PostgreSQLSink {
    /// A table of a PostgreSQL database.
    public static func postgreSQL(
        _ configuration: PostgreSQLConfiguration, table: String, schemaPolicy: SchemaPolicy = .refuse
    ) -> PostgreSQLSink {
        PostgreSQLSink(configuration, table: table, schemaPolicy: schemaPolicy)
    }

    /// A PostgreSQL database as a warehouse for facts.
    public static func postgreSQL(_ configuration: PostgreSQLConfiguration) -> PostgreSQLSink {
        PostgreSQLSink(configuration)
    }
}
