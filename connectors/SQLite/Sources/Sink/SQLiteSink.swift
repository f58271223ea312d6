public import HeadraceColumnar
public import HeadraceCore

/// A table of an SQLite database as a place for rows, or the whole database as a warehouse for facts.
///
/// Rows of an epoch, their checkpoint and the run's fence are one transaction: readers and a crash see all of it or
/// nothing. The database file is made when it is not there, and so is the table, from the rows' schema; a table that is
/// there keeps its columns, which rows are matched to by name.
///
/// One database takes one writer at a time. Sinks of one load on the same file share its transaction and commit together;
/// another run waits for the end of the epoch, and fails with `databaseBusy` after `busyTimeout`.
public struct SQLiteSink: AppendingSink, ReplacingSink, UpsertingSink, InsertingSink, MirroringSink, HistorySink,
    TransactionalSink, SchemaPolicySink
{
    /// The database file.
    public let path: String
    /// The table that rows go to; nil for fact loads, which bring their own tables.
    public let table: String?
    /// How long a statement waits while another connection writes.
    public var busyTimeout: Duration
    /// What runs have read from the state table.
    let seen = SeenCheckpoints()
    /// What becomes of a table that is there when the rows have columns that it lacks. Types are never changed.
    public var schemaPolicy: SchemaPolicy

    /// A sink on `table` of the database file at `path`; nothing is opened yet.
    public init(
        path: String, table: String? = nil, busyTimeout: Duration = .seconds(30), schemaPolicy: SchemaPolicy = .refuse
    ) {
        self.path = path
        self.table = table
        self.busyTimeout = busyTimeout
        self.schemaPolicy = schemaPolicy
    }

    public var name: String { "sqlite:\(path)\(table.map { "?table=\($0)" } ?? "")" }

    /// The sink's name in the state table; the file is known there, and may be moved.
    var stateName: String { table ?? "" }

    private func options(_ access: SQLiteOptions.Access) -> SQLiteOptions {
        let milliseconds = busyTimeout / .milliseconds(1)
        return SQLiteOptions(access: access, busyMilliseconds: Int32(clamping: Int64(min(max(milliseconds, 0), 2e9))))
    }

    func openDatabase(_ access: SQLiteOptions.Access) -> SQLiteDatabase {
        SQLiteDatabase(path: path, options: options(access))
    }

    /// Runs `body` on a connection for reading; nil when the file is not there.
    private func look<R: Sendable>(_ body: @Sendable (SQLiteConnection) throws -> R?) async throws -> R? {
        let database = openDatabase(.readOnly)
        do {
            let result = try await database.use(body)
            await database.close()
            return result
        } catch let error as HeadraceError where error.code == .notFound {
            await database.close()
            return nil
        } catch {
            await database.close()
            throw error
        }
    }

    public func committed(in context: RunContext) async throws -> Checkpoint? {
        let (job, sink) = (context.job, stateName)
        let checkpoint = try await look { try SQLiteState.read(job: job, sink: sink, in: $0) }
        seen.note(checkpoint, by: context.run)
        return checkpoint
    }

    /// The columns of the table that can be written. One that declares no type has that of the values in it.
    public func targetSchema(in context: RunContext) async throws -> Schema? {
        guard let table else { return nil }
        return try await look { connection in
            guard let found = try SQLiteTable.read(table, from: connection) else { return nil }
            let columns = found.columns.filter { !$0.isGenerated }
            let names = SQLiteName.list(columns.map(\.name))
            let types = try SQLiteLook.types(
                of: try connection.prepare("SELECT \(names) FROM \(SQLiteName.quoted(found.name))"))
            return Schema(zip(columns, types).map { Field($0.name, $1, nullable: !$0.isNotNull) })
        }
    }

    /// The plan of the writes into `table`, against the database as it is now.
    func tablePlan(for schema: Schema, mode: SinkMode, in connection: SQLiteConnection?) throws -> SQLiteTablePlan {
        guard let table else {
            throw HeadraceError(
                .badOption, "\(name) names no table", hint: "add ?table=NAME, or load facts, which bring their tables")
        }
        let planMode: SQLiteTablePlan.Mode =
            switch mode {
            case .append: .append
            case .replace: .replace
            case .upsert(let keys): .upsert(keys: keys)
            case .insert(let keys): .insert(keys: keys)
            case .mirror(let keys): .mirror(keys: keys)
            case .history(let keys, let columns): .history(keys: keys, columns)
            case .facts: preconditionFailure("a fact load is not planned as one table")
            }
        return try SQLiteTablePlan.make(
            table, schema: schema, mode: planMode, in: connection, policy: schemaPolicy)
    }

    public func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> SQLiteSinkWriter
    {
        if case .facts(let load) = mode { try load.check(schema) }
        let transaction = try SQLiteTransaction.join(stateName, sink: self, run: context.run)
        do {
            let target: SQLiteSinkWriter.Target = try await transaction.database.use { connection in
                guard case .facts(let load) = mode else {
                    let plan = try self.tablePlan(for: schema, mode: mode, in: connection)
                    SchemaFit.note(plan.ignored, of: plan.table, in: context.log)
                    return .table(plan)
                }
                for table in load.tables { _ = try SQLiteTableDefinition.missing(table, in: connection) }
                return .facts(load, schema)
            }
            return SQLiteSinkWriter(sink: self, transaction: transaction, target: target, context: context)
        } catch {
            await transaction.abort(stateName)
            throw error
        }
    }

    public func openWarehouse(in context: RunContext) async throws -> any Warehouse {
        try await openTransaction(in: context)
    }

    /// Opens a transaction over the database's tables. Nothing is visible to others before its `commit`.
    /// - Throws: `leaseLost` when a run with a higher fence has committed for the context's job.
    public func openTransaction(in context: RunContext) async throws -> SQLiteWarehouse {
        let database = openDatabase(.create)
        let (job, fence) = (context.job, context.fence)
        do {
            try await database.use { connection in
                try connection.execute("BEGIN IMMEDIATE")
                try SQLiteState.check(fence, job: job, in: connection)
            }
        } catch {
            await database.close()
            throw error
        }
        return SQLiteWarehouse(database)
    }

    public func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] {
        var lines: [String] = []
        let checkpoint =
            "write the checkpoint of job \(context.job) into \(SQLiteState.table), in the rows' transaction"
        if case .facts(let load) = mode {
            try load.check(schema)
            let missing = try await look { connection in
                try load.tables.flatMap { try SQLiteTableDefinition.missing($0, in: connection) }
            }
            if missing == nil { lines.append("make the database file \(path)") }
            lines += try missing ?? load.tables.flatMap { try SQLiteTableDefinition.statements(for: $0) }
            return lines + load.summary + [checkpoint]
        }
        let planned = try await look { try self.tablePlan(for: schema, mode: mode, in: $0) }
        if planned == nil { lines.append("make the database file \(path)") }
        let plan = try planned ?? tablePlan(for: schema, mode: mode, in: nil)
        return lines + plan.definitions + SchemaFit.lines(of: plan.ignored) + plan.statements + [checkpoint]
    }
}

extension Sink where Self == SQLiteSink {
    /// A table of the SQLite database file at `path`.
    public static func sqlite(path: String, table: String) -> SQLiteSink { SQLiteSink(path: path, table: table) }

    /// The SQLite database file at `path` as a warehouse for facts.
    public static func sqlite(path: String) -> SQLiteSink { SQLiteSink(path: path) }
}
