public import HeadraceColumnar
public import HeadraceCore

/// A table of a MySQL or MariaDB database as a place for rows, or the whole database as a warehouse for facts.
///
/// Rows of an epoch, their checkpoint and the run's fence are one transaction. Tables are made outside of it, because the
/// server commits when it makes one. A replace loads a new table and swaps it in; see `MySQLSwap` for what makes that safe
/// though it is not one transaction.
public struct MySQLSink: AppendingSink, ReplacingSink, UpsertingSink, InsertingSink, MirroringSink, HistorySink,
    TransactionalSink, SchemaPolicySink
{
    /// The server and its database.
    public let configuration: MySQLConfiguration
    /// The table that rows go to; nil for fact loads, which bring their own tables.
    public let table: String?
    /// What becomes of a table that is there when the rows have columns that it lacks or numbers that are too wide for it.
    public let schemaPolicy: SchemaPolicy
    /// What runs have read from the state table.
    let seen = SeenCheckpoints()

    /// A sink on `table`; nothing is opened yet.
    public init(configuration: MySQLConfiguration, table: String? = nil, schemaPolicy: SchemaPolicy = .refuse) {
        self.configuration = configuration
        self.table = table
        self.schemaPolicy = schemaPolicy
    }

    public var name: String { configuration.named(table.map { "table=\($0)" }) }

    /// The sink's name in the state table; the server may move.
    var stateName: String { table ?? "" }

    public func committed(in context: RunContext) async throws -> Checkpoint? {
        let (job, sink) = (context.job, stateName)
        let target = try table.map { try MySQLName($0) }
        let checkpoint = try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            // The checkpoint of a swap that was interrupted is not written yet where its rows are there.
            if let target { try MySQLSwap.settle(target, of: job, in: connection) }
            let checkpoint = try MySQLState.read(job: job, sink: sink, in: connection)
            if let target, checkpoint?.isFinal == true { try MySQLSeenKeys.tidy(target, job: job, in: connection) }
            return checkpoint
        }
        seen.note(checkpoint, by: context.run)
        return checkpoint
    }

    /// The columns of the table that can be written.
    public func targetSchema(in context: RunContext) async throws -> Schema? {
        guard let table else { return nil }
        return try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            guard let found = try MySQLTable.read(table, from: connection) else { return nil }
            return Schema(
                found.columns.filter { !$0.isGenerated }.map {
                    Field($0.name.text, $0.type.type, nullable: $0.isNullable)
                })
        }
    }

    private func tablePlan(
        for schema: Schema, mode: SinkMode, fence: Int64 = 0, in connection: MySQLConnection
    ) throws -> MySQLTablePlan {
        guard let table else {
            throw HeadraceError(
                .badOption, "\(name) names no table", hint: "add ?table=NAME, or load facts, which bring their tables")
        }
        return try MySQLTablePlan.make(
            table, schema: schema, mode: MySQLTablePlan.Mode(mode), policy: schemaPolicy, fence: fence, in: connection)
    }

    public func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> MySQLSinkWriter {
        if case .facts(let load) = mode { try load.check(schema) }
        let session = MySQLSession(configuration)
        let key = session.follow(context.cancellation)
        do {
            let (target, byFile): (MySQLSinkWriter.Target, Bool) = try await session.use { connection in
                // A history acts on what it has read, which must stand until then.
                let isolation: SQL = if case .history = mode { "REPEATABLE READ" } else { "READ COMMITTED" }
                try connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL \(isolation)")
                let byFile = try connection.number("SELECT @@local_infile") == 1
                guard case .facts(let load) = mode else {
                    let plan = try self.tablePlan(for: schema, mode: mode, fence: context.fence, in: connection)
                    plan.noteIgnored(in: context.log)
                    let span = MySQLLoadSpan(plan, byFile: byFile, hasTimeout: try connection.hasStatementTimeout)
                    return (.table(plan, span), byFile)
                }
                for table in load.tables { _ = try MySQLTableDefinition.missing(table, in: connection) }
                return (.facts(load, schema), byFile)
            }
            context.log.info(
                byFile
                    ? "rows go to MySQL by LOAD DATA LOCAL from memory"
                    : "rows go to MySQL by prepared inserts: the server's local_infile is off",
                [("sink", name)])
            return MySQLSinkWriter(
                sink: self, session: session, cancellationKey: key, target: target, byFile: byFile, context: context)
        } catch {
            context.cancellation.remove(key)
            await session.close()
            throw error
        }
    }

    public func openWarehouse(in context: RunContext) async throws -> any Warehouse {
        try await openTransaction(in: context)
    }

    /// Opens a transaction over the database's tables. Nothing but tables that `ensure` makes is visible to others before
    /// its `commit`.
    /// - Throws: `leaseLost` when a run with a higher fence has committed for the context's job.
    public func openTransaction(in context: RunContext) async throws -> MySQLWarehouse {
        let session = MySQLSession(configuration)
        let (job, fence) = (context.job, context.fence)
        do {
            let byFile = try await session.use { connection in
                try connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
                try MySQLState.ensure(in: connection)
                try connection.execute("START TRANSACTION")
                try MySQLState.check(fence, job: job, locking: false, in: connection)
                return try connection.number("SELECT @@local_infile") == 1
            }
            return MySQLWarehouse(session, byFile: byFile)
        } catch {
            await session.close()
            throw error
        }
    }

    public func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] {
        let checkpoint =
            "write the checkpoint of job \(context.job) into \(MySQLState.name), in the rows' transaction"
        return try await MySQLSession.once(configuration, following: context.cancellation) { connection in
            if case .facts(let load) = mode {
                try load.check(schema)
                let missing = try load.tables.flatMap { try MySQLTableDefinition.missing($0, in: connection) }
                return missing.map(\.text) + load.summary + [checkpoint]
            }
            let plan = try self.tablePlan(for: schema, mode: mode, in: connection)
            return plan.definitions.map(\.text)
                + plan.ignored.map { "leave out column \"\($0.name)\", which the table lacks" }
                + plan.statements(at: context.datingTime) + [checkpoint]
        }
    }
}

extension Sink where Self == MySQLSink {
    /// A table of a MySQL or MariaDB database.
    public static func mySQL(
        _ configuration: MySQLConfiguration, table: String, schemaPolicy: SchemaPolicy = .refuse
    ) -> MySQLSink {
        MySQLSink(configuration: configuration, table: table, schemaPolicy: schemaPolicy)
    }

    /// A MySQL or MariaDB database as a warehouse for facts.
    public static func mySQL(_ configuration: MySQLConfiguration) -> MySQLSink {
        MySQLSink(configuration: configuration)
    }
}
