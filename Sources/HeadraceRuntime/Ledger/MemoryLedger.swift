public import HeadraceCore

/// A ledger in memory, for tests and for jobs that need no history. Forgets everything with the process.
public actor MemoryLedger: LedgerStore {
    private var records: [RunRecord] = []
    private var stepAccounts: [String: [StepAccount]] = [:]
    private var inputRecords: [String: [InputRecord]] = [:]
    private var kept: [RejectRecord] = []
    private var epochs: [Int64: Int] = [:]
    private var checkpoints: [String: [String: Checkpoint]] = [:]
    private var values: [String: [String: JSONValue]] = [:]
    private var leases: [String: Lease] = [:]
    private var fences: [String: Int64] = [:]

    /// An empty ledger; runs must share one for the second to resume the first.
    public init() {}

    public func begin(_ run: RunRecord) { records.append(run) }

    public func end(_ run: String, state: RunState, at time: Int64, error: String?) {
        guard let index = records.firstIndex(where: { $0.identifier == run }) else { return }
        records[index].state = state
        records[index].ended = time
        records[index].error = error
    }

    public func record(_ account: StepAccount, of run: String) {
        stepAccounts[run, default: []].removeAll { $0.step == account.step }
        stepAccounts[run, default: []].append(account)
        stepAccounts[run, default: []].sort { $0.ordinal < $1.ordinal }
    }

    public func prepare(_ checkpoint: Checkpoint, job: String, sinks: [String]) {}

    public func committed(_ checkpoint: Checkpoint, job: String, sink: String, counts: WriteCounts) {
        checkpoints[job, default: [:]][sink] = checkpoint
    }

    public func lastCommitted(job: String, sink: String) -> Checkpoint? { checkpoints[job]?[sink] }
    public func forgetCheckpoints(job: String) { checkpoints[job] = nil }

    public func runs(job: String?, limit: Int) -> [RunRecord] {
        Array(records.filter { job == nil || $0.job == job }.reversed().prefix(limit))
    }

    public func run(_ identifier: String) -> RunRecord? { records.first { $0.identifier == identifier } }
    /// The accounts of a run by the ordinals of their steps; empty for a run that is not known.
    public func accounts(of run: String) -> [StepAccount] { stepAccounts[run] ?? [] }
    public func record(_ input: InputRecord, of run: String) { inputRecords[run, default: []].append(input) }
    /// The inputs of a run in the order they were recorded; one recorded twice is there twice.
    public func inputs(of run: String) -> [InputRecord] { inputRecords[run] ?? [] }
    public func value(_ key: String, job: String) -> JSONValue? { values[job]?[key] }
    /// Keeps a value between runs of a job; nil removes it.
    public func set(_ key: String, to value: JSONValue?, job: String, run: String) {
        values[job, default: [:]][key] = value
    }
    /// Does nothing: the ledger can be used, and read, after it.
    public func close() {}

    public func add(_ rejects: [Reject], run: String, epoch: Int) {
        for reject in rejects {
            let number = Int64(kept.count + 1)
            kept.append(RejectRecord(number: number, run: run, reject: reject, state: .open))
            epochs[number] = epoch
        }
    }

    public func rejects(of run: String, after: Int64, limit: Int) -> [RejectRecord] {
        Array(kept.filter { $0.run == run && $0.number > after }.prefix(limit))
    }

    public func rejectSummary(of run: String) -> [(step: String, rule: String, code: String, count: Int)] {
        var counts: [[String]: Int] = [:]
        for record in kept where record.run == run {
            counts[[record.reject.step, record.reject.rule, record.reject.code], default: 0] += 1
        }
        return counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
            ($0.key[0], $0.key[1], $0.key[2], $0.value)
        }
    }

    public func mark(_ rejects: [Int64], as state: RejectState) {
        for index in kept.indices where rejects.contains(kept[index].number) { kept[index].state = state }
    }

    public func removeRejects(of run: String, afterEpoch epoch: Int) {
        kept.removeAll { $0.run == run && (epochs[$0.number] ?? 0) > epoch }
    }

    public func acquire(_ job: String, holder: LeaseHolder, now: Int64, duration: Int64) throws -> Lease {
        if let held = leases[job], held.expires > now { throw HeadraceError.held(held) }
        let fence = (fences[job] ?? 0) + 1
        fences[job] = fence
        let lease = Lease(job: job, holder: holder, fence: fence, expires: now + duration)
        leases[job] = lease
        return lease
    }

    public func renew(_ lease: Lease, now: Int64, duration: Int64) throws -> Lease {
        guard leases[lease.job]?.fence == lease.fence else {
            throw HeadraceError(.leaseLost, "another run has taken over job \(lease.job)")
        }
        var renewed = lease
        renewed.expires = now + duration
        leases[lease.job] = renewed
        return renewed
    }

    public func release(_ lease: Lease) {
        if leases[lease.job]?.fence == lease.fence { leases[lease.job] = nil }
    }
}
