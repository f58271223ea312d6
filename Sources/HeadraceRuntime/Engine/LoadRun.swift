import HeadraceColumnar
import HeadraceCore

/// One load while it runs: drives its sources, keeps its account, commits its epochs.
///
/// - Invariant (`@unchecked Sendable`): the mutable state is touched by the holder of the current turn, one at a time, and
///   by the driver's thread while no worker is active.
final class LoadRun: @unchecked Sendable {
    let context: RunContext
    let settings: LoadSettings
    private let budget: RejectBudget?
    let ledger: any LedgerStore
    let book: AccountBook
    /// The run that began this load; kept by the runs that resume it.
    let origin: String
    private let prefix: String
    private let firstOrdinal: Int
    private(set) var sinks: [any SinkEnd] = []
    private var positions: [StreamID: Position]
    private(set) var epoch: Int
    private(set) var committedEpochs = 0
    private var bytesInEpoch = 0
    private var epochBegan: Int64
    private var commitsOften = false

    init(
        context: RunContext, settings: LoadSettings, budget: RejectBudget?, ledger: any LedgerStore, prefix: String,
        origin: String,
        resuming checkpoint: Checkpoint?, before: [StepAccount], firstOrdinal: Int,
        continuing ends: [StreamID: Position] = [:]
    ) {
        self.context = context
        self.settings = settings
        self.budget = budget
        self.ledger = ledger
        self.origin = origin
        self.prefix = prefix
        self.firstOrdinal = firstOrdinal
        book = AccountBook(prefix: prefix, before: before)
        positions = checkpoint?.positions ?? ends
        epoch = (checkpoint?.epoch ?? 0) + 1
        epochBegan = context.clock.monotonic()
    }

    func attach(_ sinks: [any SinkEnd], commitsOften: Bool) {
        self.sinks = sinks
        self.commitsOften = commitsOften
    }

    private func stepper() -> Stepper? {
        guard case .stepped(let seed, let workers) = context.scheduling else { return nil }
        return Stepper(seed: seed &+ UInt64(truncatingIfNeeded: epoch), workers: workers)
    }

    // MARK: - Phases

    /// Reads a source to its end on all workers and ends the node that takes its rows.
    func scan<S: Source>(_ source: S, _ scan: Graph.Scan) throws {
        let (step, node) = (scan.step, scan.into)
        let from = positions[scan.stream]
        if from?.isEnd == true { return try node.finish() }
        let context = self.context
        let opening = scan.feedsBreaker ? context.encodingTexts : context
        let reader = try locating(step) {
            try BlockingWork.wait { try await source.openReader(for: scan.node.schema, from: from, in: opening) }
        }
        defer { _ = try? BlockingWork.wait { await reader.close() } }
        context.progress.report(.stepStarted(step: step.name))
        let stepper = self.stepper()
        let gate = OrderedGate(stepper: stepper)
        let feed = Feed(reader, clock: context.clock)
        let metered = reader as? any MeteredReader
        let total = metered?.totalBytes
        try WorkerGroup.run(context.scheduling.workers, stepper: stepper, fail: { gate.fail($0) }) { worker in
            while let piece = try self.locating(step, { try feed.next() }) {
                stepper?.pass(worker)
                let turn = Turn(piece.number, gate: gate, worker: worker)
                let began = context.clock.monotonic()
                var batch = try self.locating(step) { try reader.decode(piece.chunk, sequence: piece.number) }
                batch.provenance = batch.provenance.inSource(scan.index)
                let rejects = batch.rejects
                batch.rejects = []
                try turn.note(
                    step,
                    StepDelta(
                        input: batch.recordsRead, output: batch.count, rejected: rejects.count,
                        nanoseconds: piece.nanoseconds + context.clock.monotonic() - began),
                    rejects: rejects)
                if batch.count > 0 { try node.push(batch, in: turn) }
                try self.complete(turn, (scan.stream, piece.position)) {
                    context.progress.report(
                        .read(
                            step: step.name, rows: self.book.accounts[step.ordinal].input,
                            bytes: metered?.bytesRead ?? 0,
                            totalBytes: total))
                }
            }
        }
        positions[scan.stream] = .end(at: source is any IncrementalSource ? positions[scan.stream] : nil)
        context.progress.report(.stepFinished(step: step.name, error: nil))
        try node.finish()
    }

    /// Runs the pieces of a phase on all workers, in turns.
    func phase(pieces: Int, _ body: @escaping @Sendable (Int, Turn) throws -> Void) throws {
        let stepper = self.stepper()
        let gate = OrderedGate(stepper: stepper)
        let counter = PieceCounter(pieces)
        try WorkerGroup.run(context.scheduling.workers, stepper: stepper, fail: { gate.fail($0) }) { worker in
            while let piece = counter.next() {
                stepper?.pass(worker)
                let turn = Turn(UInt64(piece), gate: gate, worker: worker)
                try body(piece, turn)
                try self.complete(turn, nil)
            }
        }
    }

    /// Closes the account of an operator with state: what it says it did must agree with what the engine saw.
    func close(_ step: StepHandle, _ delta: StepDelta, input: Int, rejected: Int) throws {
        book.apply(step.ordinal, delta)
        let account = book.accounts[step.ordinal]
        guard account.input == input, account.rejected == rejected, account.isBalanced else {
            throw HeadraceError(
                .accountMismatch, "the rows of step \(step.name) do not add up",
                fields: [
                    ("in", "\(account.input), the operator counts \(input)"), ("added", "\(account.added)"),
                    ("out", "\(account.output)"), ("rejected", "\(account.rejected), the operator counts \(rejected)"),
                    ("filtered", "\(account.filtered)"), ("merged", "\(account.merged)"),
                ], hint: "this is a fault in the operator, not in the data; nothing was committed")
        }
    }

    private func complete(
        _ turn: Turn, _ position: (stream: StreamID, position: Position)?, report: () -> Void = {}
    ) throws {
        try turn.acquire()
        try context.cancellation.check()
        try context.faults.reach("turn")
        for (step, delta) in turn.deltas { book.apply(step, delta) }
        if !turn.rejects.isEmpty {
            let (context, rejects, epoch) = (self.context, turn.rejects, self.epoch)
            try BlockingWork.wait { try await context.rejects.write(rejects, epoch: epoch) }
            try checkBudget(isEpochEnd: false)
        }
        if let position { positions[position.stream] = position.position }
        bytesInEpoch += turn.writtenBytes
        report()
        if turn.writtenBytes > 0 {
            for sink in sinks {
                let rows = book.accounts[sink.step.ordinal].output
                context.progress.report(.written(step: sink.step.name, rows: rows))
            }
        }
        if commitsOften && isEpochFull {
            try BlockingWork.wait { try await self.commit(isFinal: false) }
        }
        turn.release()
    }

    /// Ends the load when more rows were refused than it or its run may have. Shares are judged where an epoch ends:
    /// before that, one bad row among the first few would be too many.
    private func checkBudget(isEpochEnd: Bool) throws {
        let rejected = book.accounts.reduce(0) { $0 + $1.rejected }
        if let limit = settings.stopAfterRejects, rejected > limit { throw tooMany(rejected, "\(limit)") }
        guard let budget else { return }
        let (all, read) = (budget.rejected + rejected, budget.read + (book.accounts.first?.input ?? 0))
        switch budget.allowance {
        case .rows(let limit): if all > limit { throw tooMany(all, "\(limit)") }
        case .share(let share):
            guard isEpochEnd, !budget.allowance.allows(all, of: read) else { return }
            throw tooMany(all, "\(Int(share * Double(read))) of \(read)")
        case .unlimited: return
        }
    }

    private func tooMany(_ rejected: Int, _ allowed: String) -> HeadraceError {
        HeadraceError(
            .tooManyRejects, "\(rejected) rows were refused, \(allowed) are allowed", trail: ["job \(context.job)"],
            hint: "see `headrace rejects \(context.run)`, or raise --max-rejects")
    }

    private var isEpochFull: Bool {
        guard case .every(let bytes, let seconds) = settings.commit, bytesInEpoch > 0 else { return false }
        return bytesInEpoch >= bytes || context.clock.monotonic() - epochBegan >= Int64(seconds) * 1_000_000_000
    }

    // MARK: - Commit

    /// Commits everything written so far: rejects durable, then rows with their checkpoint, then the ledger, which takes
    /// the accounts with it.
    func commit(isFinal: Bool) async throws {
        try context.faults.reach("commit.begin")
        for sink in sinks { try await drain(sink) }
        try checkBudget(isEpochEnd: true)
        if isFinal { for sink in sinks { try await deleteAbsent(from: sink) } }
        for sink in sinks {
            let counts = try await sink.settle()
            guard counts.written == sink.pending else {
                throw HeadraceError(
                    .accountMismatch, "sink \(sink.name) counts other rows than it was given",
                    fields: [
                        ("given", "\(sink.pending)"), ("inserted", "\(counts.inserted)"),
                        ("updated", "\(counts.updated)"),
                        ("unchanged", "\(counts.unchanged)"), ("deleted", "\(counts.deleted)"),
                    ], hint: "nothing of this epoch was committed")
            }
            book.addWritten(sink.step.ordinal, counts)
        }
        if isFinal { try book.check() }
        try context.faults.reach("commit.settled")
        try await context.rejects.flush()
        try context.faults.reach("commit.rejectsDurable")
        let checkpoint = Checkpoint(epoch: epoch, positions: positions, isFinal: isFinal, run: origin)
        try await ledger.prepare(
            PreparedEpoch(
                checkpoint: checkpoint, job: context.job, sinks: sinks.map(\.name), run: context.run, steps: prefix,
                accounts: book.accounts(from: firstOrdinal)))
        try context.faults.reach("commit.prepared")
        try context.cancellation.check()
        for sink in sinks {
            let counts = book.accounts[sink.step.ordinal].written ?? WriteCounts()
            try await sink.commit(checkpoint)
            try context.faults.reach("commit.sinkCommitted")
            try await ledger.committed(checkpoint, job: context.job, sink: sink.name, counts: counts)
            context.progress.report(.committed(step: sink.step.name, epoch: epoch, rows: counts.written))
        }
        try context.faults.reach("commit.ledgerCommitted")
        try context.faults.reach("commit.recorded")
        committedEpochs += 1
        epoch += 1
        bytesInEpoch = 0
        epochBegan = context.clock.monotonic()
    }

    /// Has a sink write what it has in hand; rows that it refuses now were counted as written.
    private func drain(_ sink: any SinkEnd) async throws {
        let rejects = try await sink.drain()
        guard !rejects.isEmpty else { return }
        book.apply(sink.step.ordinal, StepDelta(output: -rejects.count, rejected: rejects.count))
        try await context.rejects.write(rejects.map { $0.of(sink.step) }, epoch: epoch)
    }

    /// Ends a mirror: what the load did not have is deleted, where it is known what it had.
    private func deleteAbsent(from sink: any SinkEnd) async throws {
        guard sink.isMirror else { return }
        let ends = Set(sinks.map(\.step.ordinal))
        let lost = book.accounts.filter { !ends.contains($0.ordinal) }.reduce(0) { $0 + $1.rejected }
        // The sink knows the keys of rows that it refused itself; those of rows refused before it, nobody does.
        guard lost == 0 else {
            context.log.warning(
                "the mirror deleted nothing: the keys of refused rows are not known",
                [("sink", sink.name), ("rows refused before the sink", "\(lost)")])
            return
        }
        let deleted = try await sink.deleteAbsent()
        guard deleted > 0 else { return }
        guard book.accounts[sink.step.ordinal].input > 0 else {
            throw HeadraceError(
                .unsupported, "the load has no rows, and as a mirror would delete all \(deleted) rows of \(sink.name)",
                hint: "nothing was changed; where the source is truly empty, write by replace")
        }
        book.apply(sink.step.ordinal, StepDelta(added: deleted, output: deleted))
    }

    private func locating<R>(_ step: StepHandle, _ body: () throws -> R) throws -> R {
        do { return try body() } catch {
            throw HeadraceError.wrapping(error, "reading failed").at("step \(step.name)")
        }
    }
}
