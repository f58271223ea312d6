import HeadraceColumnar
public import HeadraceCore
import Synchronization

/// Writes rows into one table, or facts into a warehouse's tables, an epoch a transaction, on a connection of its own.
public final class MySQLSinkWriter: MirroringWriter {
    /// What rows are written to.
    enum Target: Sendable {
        case table(MySQLTablePlan, MySQLLoadSpan)
        case facts(any FactLoad, Schema)
    }

    private struct State {
        /// Whether the epoch's transaction is open.
        var isOpen = false
        /// Whether the transaction holds rows, which are not in hand any more.
        var hasRows = false
        /// Once what is not there was made.
        var isPrepared = false
        /// The table that this writer made, for as long as nothing was committed into it.
        var made: MySQLName?
        /// The rows of a mirror, of earlier epochs too, whose key nobody knows.
        var unknownKeys = 0
        /// The run that the last commit of a mirror names; nil before the first of this load.
        var mirrored: String?
        /// Whether this writer made the table of a mirror's keys and nothing was committed with it.
        var hasFreshKeys = false
        var counts = WriteCounts()
        var load: (loader: any FactLoader, warehouse: MySQLWarehouse)?
    }

    private let sink: MySQLSink
    private let session: MySQLSession
    private let cancellationKey: Int
    private let target: Target
    private let byFile: Bool
    private let context: RunContext
    /// The time of the run, since when rows of a history hold that nothing else dates.
    private let time: Int64
    private let state = Mutex(State())
    /// What the next commit may replace.
    private let expected: Mutex<SeenCheckpoints.Expectation>

    init(
        sink: MySQLSink, session: MySQLSession, cancellationKey: Int, target: Target, byFile: Bool, context: RunContext
    ) {
        self.sink = sink
        self.session = session
        self.cancellationKey = cancellationKey
        self.target = target
        self.byFile = byFile
        self.context = context
        expected = Mutex(sink.seen.take(by: context.run))
        time = context.datingTime
    }

    public func encode(_ batch: Batch) throws -> MySQLEncodedBatch {
        switch target {
        case .table(let plan, _): MySQLEncodedBatch(batch, plan: plan)
        case .facts: MySQLEncodedBatch(facts: batch)
        }
    }

    public func write(_ encoded: MySQLEncodedBatch) async throws -> [Reject] {
        guard case .table(let plan, let span) = target else {
            let (loader, warehouse) = try await openLoad()
            return try await loader.load(encoded.batch, into: warehouse)
        }
        let (counts, rejects) = try await session.use { connection in
            try self.begin(connection)
            guard plan.isStaged else { return Self.inserted(try span.write(encoded, to: connection)) }
            return try self.attempt(connection) {
                if let keys = encoded.keys {
                    try MySQLSeenKeys(plan).add(keys.lines, byFile: self.byFile, in: connection)
                }
                let (counts, refusals) = try self.merger(plan).merge(encoded, byFile: self.byFile, in: connection)
                return (counts, refusals.map { $0.reject(of: encoded, plan: plan) })
            }
        }
        state.withLock {
            $0.hasRows = true
            $0.counts = $0.counts + counts
            $0.unknownKeys += encoded.unknownKeys
        }
        return encoded.rejects + rejects
    }

    public func drain() async throws -> [Reject] {
        guard case .table(_, let span) = target else { return [] }
        let (counts, rejects) = try await session.use { Self.inserted(try span.end($0)) }
        state.withLock { $0.counts = $0.counts + counts }
        return rejects
    }

    private static func inserted(_ outcome: MySQLLoadSpan.Outcome) -> (WriteCounts, [Reject]) {
        (WriteCounts(inserted: outcome.stored), outcome.rejects)
    }

    public func deleteAbsent() async throws -> Int {
        guard case .table(let plan, _) = target, plan.mode.isMirror else { return 0 }
        let deleted = try await session.use { connection in
            try self.begin(connection)
            let unknown = self.state.withLock { $0.unknownKeys }
            guard unknown == 0 else {
                self.context.log.warning(
                    "nothing is deleted: rows of the source have no key, so that nobody knows what is absent",
                    [("table", plan.table.text), ("rows", "\(unknown)")])
                return 0
            }
            return try self.attempt(connection) { try MySQLSeenKeys(plan).deleteAbsent(in: connection) }
        }
        state.withLock { $0.counts.deleted += deleted }
        return deleted
    }

    private static let stage = MySQLName(known: "_headrace_stage")

    private func merger(_ plan: MySQLTablePlan) -> MySQLMerger {
        MySQLMerger(plan, stage: Self.stage, updating: plan.valueColumns, time: time)
    }

    public func settle() async throws -> WriteCounts {
        if case .facts = target {
            let (loader, warehouse) = try await openLoad()
            return try await loader.finish(in: warehouse)
        }
        guard try await drain().isEmpty else {
            throw HeadraceError(.unexpected, "rows were refused that nobody asked for: drain before settle")
        }
        try await session.use { try self.begin($0) }
        return state.withLock { $0.counts }
    }

    public func commit(_ checkpoint: Checkpoint) async throws {
        let (job, fence, faults, name) = (context.job, context.fence, context.faults, sink.stateName)
        let expected = self.expected.withLock { $0 }
        try await session.use { connection in
            try self.begin(connection)
            if case .table(let plan, _) = self.target, plan.swaps {
                let swap = MySQLSwap(target: plan.table, job: job, sink: name, fence: fence)
                try swap.commit(checkpoint, over: expected, faults: faults, in: connection)
                return
            }
            try MySQLState.write(checkpoint, over: expected, job: job, sink: name, fence: fence, in: connection)
            let seen: MySQLSeenKeys? =
                if case .table(let plan, _) = self.target, plan.mode.isMirror { MySQLSeenKeys(plan) } else { nil }
            let mark = try seen?.claim(
                job: job, run: checkpoint.run, unknown: self.state.withLock { $0.unknownKeys },
                isFinal: checkpoint.isFinal, in: connection)
            try faults.reach("mysql.beforeCommit")
            try connection.execute("COMMIT")
            try faults.reach("mysql.afterCommit")
            if checkpoint.isFinal, let mark { try seen?.end(mark, in: connection) }
        }
        self.expected.withLock { $0 = .only(checkpoint) }
        state.withLock {
            $0.isOpen = false
            $0.hasRows = false
            $0.made = nil
            $0.mirrored = checkpoint.run
            $0.hasFreshKeys = false
            $0.load = nil
            $0.counts = WriteCounts()
        }
        guard checkpoint.isFinal else { return }
        context.cancellation.remove(cancellationKey)
        await session.close()
    }

    public func abort() async {
        context.cancellation.remove(cancellationKey)
        if case .table(_, let span) = target { await session.finish { _ in span.giveUp() } }
        await session.close()
        let (isPrepared, made, hasFreshKeys) = state.withLock { state in
            defer { (state.isPrepared, state.made, state.hasFreshKeys) = (false, nil, false) }
            return (state.isPrepared, state.made, state.hasFreshKeys)
        }
        // Tables were made outside of the transaction that is undone; where even this fails, the next run does it.
        guard isPrepared, case .table(let plan, _) = target else { return }
        let (job, fence, name) = (context.job, context.fence, sink.stateName)
        _ = try? await MySQLSession.once(sink.configuration) { connection in
            if plan.swaps {
                try MySQLSwap(target: plan.table, job: job, sink: name, fence: fence).abandon(in: connection)
            }
            if let made { try Self.unmake(made, job: job, sink: name, in: connection) }
            if hasFreshKeys { try MySQLSeenKeys(plan).abandon(job: job, run: self.context.run, in: connection) }
        }
    }

    /// Takes away a table that this writer made, unless somebody has committed to it: this run's own commit, whose answer
    /// was lost, or a run that has taken its place.
    private static func unmake(
        _ table: MySQLName, job: String, sink: String, in connection: MySQLConnection
    ) throws {
        // Waits for whoever is writing into it.
        try connection.execute("LOCK TABLES \(table) WRITE, `_headrace_state` READ")
        let isUsed =
            try connection.number("SELECT EXISTS (SELECT 1 FROM \(table))") == 1
            || connection.number(
                """
                SELECT COUNT(*) FROM `_headrace_state` WHERE job = \(MySQLLiteral(job)) AND sink = \(MySQLLiteral(sink))
                """) != 0
        if !isUsed { try connection.execute("DROP TABLE \(table)") }
    }

    // MARK: - The transaction

    /// The fact load of the epoch's transaction, begun where there is none.
    private func openLoad() async throws -> (any FactLoader, MySQLWarehouse) {
        try await session.use { try self.begin($0) }
        if let load = state.withLock({ $0.load }) { return load }
        guard case .facts(let facts, let schema) = target else { preconditionFailure("rows are no fact load") }
        let load = (
            loader: try facts.makeLoader(for: schema, in: context), warehouse: MySQLWarehouse(session, byFile: byFile)
        )
        state.withLock { $0.load = load }
        return load
    }

    /// Begins the epoch's transaction where none is open: refuses a run that has been overtaken before it writes, and makes
    /// what is not there.
    private func begin(_ connection: MySQLConnection) throws {
        let (isOpen, isPrepared) = state.withLock { ($0.isOpen, $0.isPrepared) }
        if isOpen { return }
        if !isPrepared {
            try MySQLState.ensure(in: connection)
            // Before anything is made: a run that was overtaken must not leave even an empty table.
            try MySQLState.check(context.fence, job: context.job, locking: false, in: connection)
            state.withLock { $0.isPrepared = true }
            try prepare(connection)
        }
        try connection.execute("START TRANSACTION")
        try MySQLState.check(context.fence, job: context.job, locking: false, in: connection)
        if case .table(let plan, let span) = target {
            span.begin()
            if !isPrepared, plan.mode == .replace, !plan.swaps { try connection.execute("DELETE FROM \(plan.table)") }
            if plan.mode.isMirror, let run = state.withLock({ $0.mirrored }) ?? context.resumed?.run {
                let unknown = try MySQLSeenKeys(plan).check(job: context.job, run: run, in: connection)
                state.withLock { $0.unknownKeys = max($0.unknownKeys, unknown) }
            }
        }
        state.withLock { $0.isOpen = true }
    }

    /// Does work in the epoch's open transaction, and again where another transaction stood in its way. A deadlock undoes the
    /// whole transaction: where that held rows of earlier batches, the run ends, and the next one goes on after the last epoch.
    private func attempt<R>(_ connection: MySQLConnection, _ body: () throws -> R) throws -> R {
        try connection.attempt(
            log: context.log,
            reopen: { failure in
                let isLost = self.state.withLock { state in
                    state.isOpen = false
                    return state.hasRows
                }
                if isLost { throw failure }
                try self.begin(connection)
            }, body)
    }

    private func prepare(_ connection: MySQLConnection) throws {
        switch target {
        case .facts(let facts, _):
            for table in facts.tables {
                for sql in try MySQLTableDefinition.missing(table, in: connection) { try connection.execute(sql) }
            }
        case .table(let plan, _):
            if !plan.mode.isMirror { try MySQLSeenKeys.discard(of: plan.table, in: connection) }
            if plan.swaps {
                try MySQLSwap.recover(plan.table, in: connection)
                let swap = MySQLSwap(
                    target: plan.table, job: context.job, sink: sink.stateName, fence: context.fence)
                try swap.prepare(plan, in: connection)
                return
            }
            try define(plan, connection)
            if !plan.makesTable, let history = plan.mode.history { try Self.checkOpen(history, plan, connection) }
            if plan.mode.isMirror, context.resumed == nil {
                state.withLock { $0.hasFreshKeys = true }
                try MySQLSeenKeys(plan).begin(job: context.job, run: context.run, in: connection)
            }
            if plan.isStaged {
                try merger(plan).makeStage(in: connection)
            }
        }
    }

    /// A version that is open has no end here; where it ends in a year far away it would never be found to be open.
    private static func checkOpen(
        _ history: HistoryColumns, _ plan: MySQLTablePlan, _ connection: MySQLConnection
    ) throws {
        let (current, until) = (MySQLName(known: history.current), MySQLName(known: history.until))
        let sql: SQL = "SELECT 1 FROM \(plan.table) WHERE \(current) AND \(until) IS NOT NULL LIMIT 1"
        guard try !connection.rows(sql).isEmpty else { return }
        throw history.endedError(in: "\"\(plan.table.text)\"")
    }

    private func define(_ plan: MySQLTablePlan, _ connection: MySQLConnection) throws {
        for definition in plan.definitions {
            do { try connection.execute(definition) } catch {
                if error.number == 1050 {
                    throw HeadraceError(
                        .schemaMismatch, "table \"\(plan.table.text)\" was made by somebody else just now",
                        hint: "run again", retry: .mayHelp)
                }
                if error.isDependence {
                    throw HeadraceError(
                        .schemaMismatch,
                        "a column of table \"\(plan.table.text)\" cannot be widened: \(error.message)",
                        fields: [("sql", definition.text)],
                        hint:
                            "drop what depends on it and make it again afterwards, or load what fits with schemaPolicy=refuse"
                    )
                }
                guard error.isAboutRows else { throw error }
                throw HeadraceError(
                    .constraintViolated,
                    "table \"\(plan.table.text)\" holds rows of equal keys, so that they cannot be told apart",
                    fields: [("mysql", error.message), ("sql", definition.text)],
                    hint: "remove the repeated rows, or choose other keys")
            }
        }
        if plan.makesTable { state.withLock { $0.made = plan.table } }
    }
}
