import HeadraceColumnar
public import HeadraceCore
import Synchronization

/// Writes rows into one table, or facts into a warehouse's tables, an epoch a transaction. Sinks of one load on one file
/// share it.
///
/// The transaction begins with the epoch's first rows and ends with `commit` or `abort`; a connection that is lost or a
/// process that is killed undoes it. Tables and indexes are made inside it, so that an aborted run leaves none behind.
public final class SQLiteSinkWriter: MirroringWriter {
    /// What rows are written to.
    enum Target: Sendable {
        case table(SQLiteTablePlan, SQLiteRowWriter)
        case facts(any FactLoad, Schema)

        static func table(_ plan: SQLiteTablePlan) -> Target { .table(plan, SQLiteRowWriter(plan)) }

        /// The keys that a mirror has seen, with its plan.
        var mirror: (plan: SQLiteTablePlan, seen: SQLiteSeenKeys)? {
            guard case .table(let plan, _) = self, case .mirror = plan.mode else { return nil }
            return (plan, SQLiteSeenKeys(plan))
        }
    }

    private struct State {
        /// Whether this writer has taken part in the epoch's transaction.
        var isOpen = false
        /// Set once the table is there and, for a replace, empty.
        var isPrepared = false
        var counts = WriteCounts()
        /// The run that began a mirror, as the checkpoints of its epochs name it; nil before the first.
        var mirrored: String?
        /// The fact load of the transaction.
        var load: (loader: any FactLoader, warehouse: SQLiteWarehouse)?
        var cancellationKey = 0
    }

    private let sink: SQLiteSink
    private let transaction: SQLiteTransaction
    private let target: Target
    private let context: RunContext
    /// The time from which rows hold that nothing else dates.
    private let now: Int64
    private let state = Mutex(State())
    /// What the next commit may replace.
    private let expected: Mutex<SeenCheckpoints.Expectation>

    init(sink: SQLiteSink, transaction: SQLiteTransaction, target: Target, context: RunContext) {
        self.sink = sink
        self.transaction = transaction
        self.target = target
        self.context = context
        expected = Mutex(sink.seen.take(by: context.run))
        now = context.datingTime
        let key = database.follow(context.cancellation)
        state.withLock { $0.cancellationKey = key }
    }

    private var database: SQLiteDatabase { transaction.database }

    public func encode(_ batch: Batch) throws -> SQLiteEncodedBatch {
        switch target {
        case .table(let plan, _): SQLiteEncodedBatch(batch, plan: plan, at: now)
        case .facts: SQLiteEncodedBatch(facts: batch)
        }
    }

    public func write(_ encoded: SQLiteEncodedBatch) async throws -> [Reject] {
        guard case .table(let plan, let rowWriter) = target else {
            let (loader, warehouse) = try await openLoad()
            return try await loader.load(encoded.batch, into: warehouse)
        }
        let outcome = try await database.use { connection in
            try self.begin(connection)
            try self.target.mirror?.seen.add(encoded, in: connection)
            return try rowWriter.write(encoded, to: connection)
        }
        state.withLock { $0.counts = $0.counts + outcome.counts }
        return encoded.rejects + outcome.refusals.map { $0.reject(of: encoded.batch, plan: plan) }
    }

    public func deleteAbsent() async throws -> Int {
        guard let (plan, seen) = target.mirror else { return 0 }
        let deleted = try await database.use { connection in
            try self.begin(connection)
            return try seen.deleteAbsent(plan: plan, in: connection, log: self.context.log)
        }
        state.withLock { $0.counts.deleted += deleted }
        return deleted
    }

    public func settle() async throws -> WriteCounts {
        var counts: WriteCounts?
        if case .facts = target {
            let (loader, warehouse) = try await openLoad()
            counts = try await loader.finish(in: warehouse)
        } else {
            try await database.use { try self.begin($0) }
        }
        transaction.settle(sink.stateName)
        return counts ?? state.withLock { $0.counts }
    }

    public func commit(_ checkpoint: Checkpoint) async throws {
        let expected = self.expected.withLock { $0 }
        let isUnused = try await database.use { connection in
            try self.begin(connection)
            if let seen = self.target.mirror?.seen {
                if checkpoint.isFinal {
                    try seen.end(in: connection)
                } else {
                    try seen.claim(job: self.context.job, run: checkpoint.run, in: connection)
                }
            }
            try SQLiteState.write(
                checkpoint, over: expected, job: self.context.job, sink: self.sink.stateName, fence: self.context.fence,
                in: connection)
            return try self.transaction.commit(
                self.sink.stateName, isFinal: checkpoint.isFinal, connection, faults: self.context.faults)
        }
        self.expected.withLock { $0 = .only(checkpoint) }
        state.withLock {
            $0.isOpen = false
            $0.mirrored = checkpoint.run
            $0.load = nil
            $0.counts = WriteCounts()
        }
        if checkpoint.isFinal { context.cancellation.remove(state.withLock { $0.cancellationKey }) }
        if isUnused { await database.close() }
    }

    public func abort() async {
        context.cancellation.remove(state.withLock { $0.cancellationKey })
        await transaction.abort(sink.stateName)
    }

    // MARK: - The transaction

    /// The fact load of the epoch's transaction, begun where there is none.
    private func openLoad() async throws -> (any FactLoader, SQLiteWarehouse) {
        try await database.use { try self.begin($0) }
        if let load = state.withLock({ $0.load }) { return load }
        guard case .facts(let facts, let schema) = target else { preconditionFailure("rows are no fact load") }
        let load = (loader: try facts.makeLoader(for: schema, in: context), warehouse: SQLiteWarehouse(database))
        state.withLock { $0.load = load }
        return load
    }

    /// Begins the epoch's transaction where none is open: refuses a run that has been overtaken before it writes, and makes
    /// what is not there.
    private func begin(_ connection: SQLiteConnection) throws {
        try transaction.begin(connection)
        let (isOpen, isPrepared) = state.withLock { ($0.isOpen, $0.isPrepared) }
        if isOpen { return }
        try SQLiteState.check(context.fence, job: context.job, in: connection)
        if !isPrepared { try prepare(connection) }
        if let (plan, seen) = target.mirror {
            // Goes on with the keys of the epochs before, or begins with none.
            if let run = state.withLock({ $0.mirrored }) ?? context.resumed?.run {
                try seen.check(job: context.job, run: run, plan: plan, in: connection)
            } else {
                try seen.begin(in: connection)
            }
        }
        state.withLock {
            $0.isPrepared = true
            $0.isOpen = true
        }
    }

    private func prepare(_ connection: SQLiteConnection) throws {
        switch target {
        case .table(let plan, _): try Self.prepare(plan, connection)
        case .facts(let facts, _):
            for table in facts.tables { try SQLiteTableDefinition.ensure(table, in: connection) }
        }
    }

    private static func prepare(_ plan: SQLiteTablePlan, _ connection: SQLiteConnection) throws {
        let isNew = try SQLiteTable.read(plan.table, from: connection) == nil
        guard isNew == plan.makesTable else {
            throw HeadraceError(
                .schemaMismatch,
                "table \"\(plan.table)\" was \(isNew ? "dropped" : "made") by somebody else just now",
                hint: "run again", retry: .mayHelp)
        }
        for definition in plan.definitions {
            do { try connection.execute(definition) } catch {
                guard error.isConstraint else { throw error }
                throw HeadraceError(
                    .constraintViolated,
                    "table \"\(plan.table)\" holds rows of equal keys, so that they cannot be told apart",
                    fields: [("sqlite", error.message), ("sql", definition)],
                    hint: "remove the repeated rows, or choose other keys")
            }
        }
        if case .mirror = plan.mode {} else { try SQLiteSeenKeys(plan).discard(in: connection) }
        if plan.mode == .replace, !isNew { try connection.run("DELETE FROM \(SQLiteName.quoted(plan.table))") }
    }
}
