import Glibc
public import HeadraceCore

/// Runs jobs: takes the lease, keeps it alive, writes the ledger's entry, cleans up on every path.
public struct JobRunner: Sendable {
    /// Where leases, runs, accounts, rejects and checkpoints go. The runner does not close it.
    public let ledger: any LedgerStore
    /// What every run of this runner depends on besides its job.
    public let options: RunOptions

    /// A runner over an open ledger; it may run any number of jobs.
    public init(ledger: any LedgerStore, options: RunOptions = RunOptions()) {
        self.ledger = ledger
        self.options = options
    }

    /// Runs a job to its end.
    /// - Returns: the report of a run that completed, with errors or without.
    /// - Throws: what ended a run that failed; its committed epochs and rejects are in the ledger.
    public func run(_ job: Job) async throws -> RunReport {
        let steps = try job.ordered()
        let random = RunRandom(seed: options.seed ?? SystemFacts.entropy())
        let run = Self.identifier(options.clock.now(), random)
        let holder = LeaseHolder.thisProcess(run: run)
        let lease = try await ledger.acquire(
            job.name, holder: holder, now: options.clock.now(), duration: options.leaseDuration)
        do {
            let report = try await perform(job, steps, run: run, lease: lease, random: random)
            try? await ledger.release(lease)
            return report
        } catch {
            try? await ledger.release(lease)
            throw error
        }
    }

    private func perform(
        _ job: Job, _ steps: [Job.Step], run: String, lease: Lease, random: RunRandom
    ) async throws -> RunReport {
        let lineage = try await lineage(of: job, run: run)
        let folder = try RunFolder.make(in: options.temporaryFolder)
        defer { folder.remove() }
        let started = options.clock.now()
        var context = RunContext(
            job: job.name, run: run, fence: lease.fence, clock: options.clock, random: random,
            memory: MemoryBudget(limit: options.memoryLimit), spillFolder: folder.path,
            rejects: LedgerRejectWriter(ledger, run: run), progress: options.progress, log: options.log,
            faults: options.faults, cancellation: options.cancellation, scheduling: options.scheduling)
        context.started = started
        try await ledger.begin(
            RunRecord(
                identifier: run, job: job.name,
                parameters: .object([("job", job.parameters)] + lineage.parameters(of: run)),
                started: started, fence: lease.fence))
        try context.faults.reach("run.begun")
        let jobRun = JobRun(context: context, ledger: ledger, options: options, lineage: lineage)
        let heartbeat = LeaseHeartbeat.start(lease, ledger: ledger, options: options)
        defer { heartbeat.cancel() }
        do {
            try await perform(steps, jobRun)
            try await context.rejects.flush()
            let state = jobRun.outcome
            try context.faults.reach("run.ending")
            let failure = jobRun.report(state).failures.first.map(\.error.description)
            try await ledger.end(run, state: state, at: options.clock.now(), error: failure)
            try context.faults.reach("run.ended")
            return jobRun.report(state)
        } catch {
            let ours = HeadraceError.wrapping(error, "the run failed").at("job \(job.name), run \(run)")
            try? await context.rejects.flush()
            try? await ledger.end(
                run, state: ours.code == .cancelled ? .cancelled : .failed, at: options.clock.now(),
                error: ours.description)
            throw ours
        }
    }

    private func perform(_ steps: [Job.Step], _ run: JobRun) async throws {
        var failed: Set<String> = []
        for step in steps {
            try run.context.cancellation.check()
            guard failed.isDisjoint(with: step.after) else {
                failed.insert(step.name)
                continue
            }
            run.enter(step.name)
            do { try await step.work(run) } catch let error as HeadraceError where error.code == .cancelled {
                throw error
            } catch {
                guard step.mayFail else { throw error }
                failed.insert(step.name)
                run.fail(step.name, error)
            }
        }
    }

    /// What must be equal in two runs for one to go on where the other stopped: all parameters, or what they name as their
    /// `identity`.
    private static func identity(_ parameters: JSONValue?) -> JSONValue? { parameters?["identity"] ?? parameters }

    /// Whose work is to be resumed: the last run's of this job with equal parameters, when it did not come to its end.
    private func lineage(of job: Job, run: String) async throws -> Lineage {
        let fresh = Lineage(beginning: run)
        guard let last = try await ledger.runs(job: job.name, limit: 1).first else { return fresh }
        switch last.state {
        case .complete, .completeWithErrors: return fresh
        case .running:
            // Its lease was free or expired, so it is gone: killed before it could say so.
            try await ledger.end(
                last.identifier, state: .failed, at: options.clock.now(), error: "the process was ended from outside")
        case .failed, .cancelled: break
        }
        guard Self.identity(last.parameters["job"]) == Self.identity(job.parameters) else { return fresh }
        return try await Lineage(run, after: last, restarts: options.restarts, in: ledger)
    }

    /// `20261121T101500Z-3f2a9c`: sorts by time, unique in a ledger.
    private static func identifier(_ now: Int64, _ random: RunRandom) -> String {
        var seconds = time_t(now / 1_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let stamp =
            "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))T\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))Z"
        return "\(stamp)-\(random.temporaryName("r").suffix(6))"
    }
}
