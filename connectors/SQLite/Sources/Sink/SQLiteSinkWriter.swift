public import HeadraceCore
import Synchronization

/// Writes rows into one table, an epoch a transaction.
///
/// The transaction begins with the epoch's first rows and ends with `commit` or `abort`; a connection that is lost or a
/// process that is killed undoes it. Tables and indexes are made inside it, so that an aborted run leaves none behind.
public final class SQLiteSinkWriter: SinkWriter {
    private struct State {
        /// Whether the epoch's transaction has begun.
        var isOpen = false
        /// Set once the table is there and, for a replace, empty.
        var isPrepared = false
        var counts = WriteCounts()
        var cancellationKey = 0
    }

    private let sink: SQLiteSink
    private let database: SQLiteDatabase
    private let plan: SQLiteTablePlan
    private let rowWriter: SQLiteRowWriter
    private let context: RunContext
    private let state = Mutex(State())

    init(sink: SQLiteSink, database: SQLiteDatabase, plan: SQLiteTablePlan, context: RunContext) {
        self.sink = sink
        self.database = database
        self.plan = plan
        self.context = context
        if case .upsert = plan.mode {
            rowWriter = SQLiteRowWriter(upserting: plan, updating: plan.valueColumns)
        } else {
            rowWriter = SQLiteRowWriter(inserting: plan)
        }
        let key = database.follow(context.cancellation)
        state.withLock { $0.cancellationKey = key }
    }

    public func encode(_ batch: Batch) throws -> SQLiteEncodedBatch { SQLiteEncodedBatch(batch, plan: plan) }

    public func write(_ encoded: SQLiteEncodedBatch) async throws -> [Reject] {
        let outcome = try await database.use { connection in
            try self.begin(connection)
            return try self.rowWriter.write(encoded, to: connection)
        }
        state.withLock { $0.counts = $0.counts + outcome.counts }
        guard !outcome.refusals.isEmpty else { return encoded.rejects }
        let refused = outcome.refusals.map { (row: $0.row, reject: $0.reject(of: encoded.batch, plan: plan)) }
        return encoded.rejects + refused.map(\.reject)
    }

    public func settle() async throws -> WriteCounts {
        try await database.use { try self.begin($0) }
        return state.withLock { $0.counts }
    }

    public func commit(_ checkpoint: Checkpoint) async throws {
        try await database.use { connection in
            try self.begin(connection)
            try SQLiteState.write(
                checkpoint, job: self.context.job, sink: self.sink.stateName, fence: self.context.fence, in: connection)
            try self.context.faults.reach("sqlite.beforeCommit")
            try connection.execute("COMMIT")
            self.state.withLock { $0.isOpen = false }
            try self.context.faults.reach("sqlite.afterCommit")
        }
        state.withLock { $0.counts = WriteCounts() }
        if checkpoint.isFinal { await close() }
    }

    public func abort() async { await close() }

    private func close() async {
        context.cancellation.remove(state.withLock { $0.cancellationKey })
        await database.close()
    }

    /// Begins the epoch's transaction where none is open: refuses a run that has been overtaken before it writes, and makes
    /// what is not there.
    private func begin(_ connection: SQLiteConnection) throws {
        if state.withLock({ $0.isOpen }) {
            // SQLite undoes a transaction by itself when the disk is full or fails: its rows must not be forgotten.
            guard connection.isInTransaction else {
                throw HeadraceError(.unexpected, "SQLite has undone the transaction of \(sink.name)")
            }
            return
        }
        try connection.execute("BEGIN IMMEDIATE")
        do {
            try SQLiteState.check(context.fence, job: context.job, in: connection)
            if !state.withLock({ $0.isPrepared }) { try prepare(connection) }
        } catch {
            connection.rollBack()
            throw error
        }
        state.withLock {
            $0.isPrepared = true
            $0.isOpen = true
        }
    }

    private func prepare(_ connection: SQLiteConnection) throws {
        let isNew = try SQLiteTable.read(plan.table, from: connection) == nil
        guard isNew == plan.makesTable else {
            throw HeadraceError(
                .schemaMismatch, "table \"\(plan.table)\" was \(isNew ? "dropped" : "made") by somebody else just now",
                hint: "run again", retry: .mayHelp)
        }
        for definition in plan.definitions {
            do { try connection.execute(definition) } catch {
                guard error.isConstraint else { throw error }
                throw HeadraceError(
                    .constraintViolated,
                    "table \"\(plan.table)\" holds rows of equal keys, so that an upsert cannot tell them apart",
                    fields: [("sqlite", error.message), ("sql", definition)],
                    hint: "remove the repeated rows, or choose other keys")
            }
        }
        if plan.mode == .replace, !isNew { try connection.run("DELETE FROM \(SQLiteName.quoted(plan.table))") }
    }
}
