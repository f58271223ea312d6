import HeadraceColumnar
public import HeadraceCore
import Synchronization

/// Writes rows into one table, or facts into a warehouse's tables, an epoch a transaction.
///
/// The transaction begins with the epoch's first rows and ends with `commit` or `abort`; a connection that is lost or a
/// process that is killed undoes it. Tables and indexes are made inside it, so that an aborted run leaves none behind.
public final class PostgreSQLSinkWriter: MirroringWriter {
    /// What rows are written to.
    enum Target: Sendable {
        case table(PostgreSQLTablePlan, PostgreSQLCopySpan)
        case facts(any FactLoad, Schema)
    }

    private struct State {
        var session: PostgreSQLSession
        /// The session's place among those whom a cancellation interrupts.
        var cancellationKey: Int
        /// Whether the epoch's transaction is open.
        var isOpen = false
        /// Set once the table is there and, for a replace, empty.
        var isPrepared = false
        var counts = WriteCounts()
        /// The run that began a mirror, as the checkpoints of its epochs name it; nil before the first.
        var mirrored: String?
        /// The fact load of the transaction.
        var load: (loader: any FactLoader, warehouse: PostgreSQLWarehouse)?
    }

    /// What an epoch's transaction begins with. Constraints that wait for the commit would refuse rows when it is too
    /// late to tell which; compiling a statement that runs for one batch would take longer than the statement.
    static var opening: SQL {
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL jit = off"
    }

    private let sink: PostgreSQLSink
    private let target: Target
    private let context: RunContext
    private let state: Mutex<State>
    /// What the next commit may replace.
    private let expected: Mutex<SeenCheckpoints.Expectation>

    init(sink: PostgreSQLSink, target: Target, context: RunContext) {
        self.sink = sink
        self.target = target
        self.context = context
        let session = PostgreSQLSession(sink.configuration)
        let key = session.follow(context.cancellation)
        state = Mutex(State(session: session, cancellationKey: key))
        expected = Mutex(sink.seen.take(by: context.run))
    }

    private var session: PostgreSQLSession { state.withLock { $0.session } }

    public func encode(_ batch: Batch) throws -> PostgreSQLEncodedBatch {
        switch target {
        case .table(let plan, _): PostgreSQLEncodedBatch(batch, plan: plan)
        case .facts: PostgreSQLEncodedBatch(facts: batch)
        }
    }

    public func write(_ encoded: PostgreSQLEncodedBatch) async throws -> [Reject] {
        guard case .table(let plan, let span) = target else {
            let (loader, warehouse) = try await openLoad()
            return try await loader.load(encoded.batch, into: warehouse)
        }
        let outcome = try await session.use { connection in
            try self.begin(connection)
            if let keys = encoded.keys { try PostgreSQLSeenKeys(plan).add(keys, in: connection) }
            return try span.write(encoded, to: connection)
        }
        state.withLock { $0.counts = $0.counts + outcome.counts }
        return encoded.rejects + outcome.rejects
    }

    public func drain() async throws -> [Reject] {
        guard case .table(_, let span) = target else { return [] }
        let outcome = try await session.use { try span.end($0) }
        state.withLock { $0.counts = $0.counts + outcome.counts }
        return outcome.rejects
    }

    public func deleteAbsent() async throws -> Int {
        guard case .table(let plan, _) = target, plan.mode == .mirror else { return 0 }
        let log = context.log
        let deleted = try await session.use { connection in
            try self.begin(connection)
            return try PostgreSQLSeenKeys(plan).deleteAbsent(in: connection, log: log)
        }
        state.withLock { $0.counts.deleted += deleted }
        return deleted
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
        let (job, sink, fence, faults) = (context.job, self.sink.stateName, context.fence, context.faults)
        let expected = self.expected.withLock { $0 }
        try await session.use { connection in
            try self.begin(connection)
            if case .table(let plan, _) = self.target, plan.mode == .mirror {
                let seen = PostgreSQLSeenKeys(plan)
                if checkpoint.isFinal {
                    try seen.end(in: connection)
                } else {
                    try seen.claim(job: job, run: checkpoint.run, in: connection)
                }
            }
            if case .table(let plan, _) = self.target { try plan.swap?.end(in: connection) }
            try PostgreSQLState.write(
                checkpoint, over: expected, job: job, sink: sink, fence: fence, in: connection)
            try faults.reach("postgresql.beforeCommit")
        }
        do {
            try await session.use(raw: true) { try $0.script("COMMIT") }
        } catch let failure as PostgreSQLFailure {
            guard failure.isConnectionLoss, try await isCommitted(checkpoint) else { throw failure.error }
        }
        self.expected.withLock { $0 = .only(checkpoint) }
        try faults.reach("postgresql.afterCommit")
        state.withLock {
            $0.isOpen = false
            $0.mirrored = checkpoint.run
            $0.load = nil
            $0.counts = WriteCounts()
        }
        if checkpoint.isFinal { await letGo() }
    }

    public func abort() async { await letGo() }

    private func letGo() async {
        let (session, key) = state.withLock { ($0.session, $0.cancellationKey) }
        context.cancellation.remove(key)
        await session.close()
    }

    // MARK: - An answer that is lost

    /// How long to wait before each attempt to reach the server again.
    private static let reconnectPauses: [Duration] = [
        .zero, .milliseconds(200), .milliseconds(500), .seconds(1), .seconds(2), .seconds(4),
    ]

    /// Whether the transaction whose commit got no answer was committed: the state table tells, once nobody holds the
    /// lock of the job's commits. The writer goes on with the fresh connection.
    /// - Throws: when the server does not come back: the next run reads the state itself.
    private func isCommitted(_ checkpoint: Checkpoint) async throws -> Bool {
        let (job, sink) = (context.job, self.sink.stateName)
        await letGo()
        var lastError: any Error = HeadraceError.cancelled
        for pause in Self.reconnectPauses {
            try context.cancellation.check()
            if pause > .zero { try await context.clock.sleep(for: pause) }
            let fresh = PostgreSQLSession(self.sink.configuration)
            let key = fresh.follow(context.cancellation)
            state.withLock { ($0.session, $0.cancellationKey) = (fresh, key) }
            do {
                let found = try await fresh.use { try PostgreSQLState.settled(job: job, sink: sink, in: $0) }
                return found == checkpoint
            } catch {
                lastError = error
                await letGo()
            }
        }
        throw lastError
    }

    // MARK: - The transaction

    /// The fact load of the epoch's transaction, begun where there is none.
    private func openLoad() async throws -> (any FactLoader, PostgreSQLWarehouse) {
        let session = session
        try await session.use { try self.begin($0) }
        if let load = state.withLock({ $0.load }) { return load }
        guard case .facts(let facts, let schema) = target else { preconditionFailure("rows are no fact load") }
        let load = (loader: try facts.makeLoader(for: schema, in: context), warehouse: PostgreSQLWarehouse(session))
        state.withLock { $0.load = load }
        return load
    }

    /// Begins the epoch's transaction where none is open: refuses a run that has been overtaken before it writes, and makes
    /// what is not there.
    private func begin(_ connection: PostgreSQLConnection) throws {
        let (isOpen, isPrepared) = state.withLock { ($0.isOpen, $0.isPrepared) }
        if isOpen { return }
        try connection.script(Self.opening)
        try PostgreSQLState.check(context.fence, job: context.job, in: connection)
        if !isPrepared { try prepare(connection) }
        if case .table(let plan, let span) = target {
            if plan.locks { try connection.script(plan.lock) }
            if plan.mode == .mirror { try beginMirror(plan, connection) }
            span.begin()
        }
        state.withLock {
            $0.isPrepared = true
            $0.isOpen = true
        }
    }

    /// Goes on with the keys of the epochs before, or begins with none.
    private func beginMirror(_ plan: PostgreSQLTablePlan, _ connection: PostgreSQLConnection) throws {
        let seen = PostgreSQLSeenKeys(plan)
        guard let run = state.withLock({ $0.mirrored }) ?? context.resumed?.run else {
            return try seen.begin(in: connection)
        }
        try seen.check(job: context.job, run: run, in: connection)
    }

    private func prepare(_ connection: PostgreSQLConnection) throws {
        switch target {
        case .table(let plan, _): try Self.prepare(plan, connection)
        case .facts(let facts, _):
            for table in facts.tables { try PostgreSQLTableDefinition.ensure(table, in: connection) }
        }
    }

    private static func prepare(_ plan: PostgreSQLTablePlan, _ connection: PostgreSQLConnection) throws {
        let isNew = try PostgreSQLTable.read(plan.table, from: connection) == nil
        guard isNew == plan.makesTable else {
            throw HeadraceError(
                .schemaMismatch,
                "table \(plan.table) was \(isNew ? "dropped" : "made") by somebody else just now",
                hint: "run again", retry: .mayHelp)
        }
        for definition in plan.definitions {
            do { try connection.script(definition) } catch let failure as PostgreSQLFailure
                where failure.isDependence && definition.text.hasPrefix("ALTER TABLE")
            {
                throw HeadraceError(
                    .schemaMismatch, "a column of table \(plan.table) cannot be widened: \(failure.message)",
                    fields: [("depends on it", failure.detail ?? "unknown"), ("sql", definition.text)],
                    hint:
                        "drop what depends on it and make it again afterwards, or load what fits with schemaPolicy=refuse"
                )
            } catch let failure as PostgreSQLFailure where failure.isAboutRows {
                throw HeadraceError(
                    .constraintViolated,
                    "table \(plan.table) holds rows of equal keys, so that they cannot be told apart",
                    fields: [("postgresql", failure.message), ("sql", definition.text)],
                    hint: "remove the repeated rows, or choose other keys")
            }
        }
        if plan.mode != .mirror { try PostgreSQLSeenKeys(plan).discard(in: connection) }
        if let swap = plan.swap {
            try swap.begin(in: connection)
        } else if plan.mode == .replace, !isNew {
            try connection.script(plan.clear)
        }
    }
}
