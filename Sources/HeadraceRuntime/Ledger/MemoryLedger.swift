public import HeadraceCore

/// A ledger in memory, for tests and for jobs that need no history. Forgets everything with the process.
public actor MemoryLedger: LedgerStore {
    private var records: [RunRecord] = []
    private var stepAccounts: [String: [StepAccount]] = [:]
    private var inputRecords: [String: [InputRecord]] = [:]
    private var kept: [RejectRecord] = []
    private var epochs: [Int64: Int] = [:]
    private var checkpoints: [String: [String: Checkpoint]] = [:]
    private var prepared: [Prepared] = []
    private var adopted: [String: [Adoption]] = [:]
    private var values: [String: [String: JSONValue]] = [:]
    private var leases: [String: Lease] = [:]
    private var fences: [String: Int64] = [:]

    /// An epoch and the sinks that have not committed it.
    private struct Prepared {
        let epoch: PreparedEpoch
        var missing: Set<String>
    }

    /// Rejects of another run that are listed under a run too.
    private struct Adoption: Hashable {
        let run: String
        let steps: String
        let epoch: Int
    }

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

    public func prepare(_ epoch: PreparedEpoch) {
        prepared.removeAll { $0.epoch.job == epoch.job && Self.isSame($0.epoch.checkpoint, epoch.checkpoint) }
        prepared.append(Prepared(epoch: epoch, missing: Set(epoch.sinks)))
    }

    public func committed(_ checkpoint: Checkpoint, job: String, sink: String, counts: WriteCounts) {
        checkpoints[job, default: [:]][sink] = checkpoint
        settle(checkpoint, job: job, sink: sink)
    }

    private func settle(_ checkpoint: Checkpoint, job: String, sink: String) {
        guard let index = index(of: checkpoint, job: job), prepared[index].missing.remove(sink) != nil,
            prepared[index].missing.isEmpty
        else { return }
        let epoch = prepared[index].epoch
        for account in epoch.accounts { record(account, of: epoch.run) }
        for index in kept.indices where kept[index].run == epoch.run && kept[index].reject.isIn(epoch.steps) {
            if epochs[kept[index].number] == checkpoint.epoch { kept[index].isCommitted = true }
        }
    }

    private func index(of checkpoint: Checkpoint, job: String) -> Int? {
        prepared.firstIndex { $0.epoch.job == job && Self.isSame($0.epoch.checkpoint, checkpoint) }
    }

    private static func isSame(_ one: Checkpoint, _ other: Checkpoint) -> Bool {
        one.run == other.run && one.epoch == other.epoch
    }

    public func reconcile(
        _ checkpoint: Checkpoint?, job: String, sinks: [String], steps: String, earlier: [String]
    ) -> [StepAccount] {
        if let checkpoint { for sink in sinks { settle(checkpoint, job: job, sink: sink) } }
        kept.removeAll { earlier.contains($0.run) && !$0.isCommitted && $0.reject.isIn(steps) }
        return checkpoint.flatMap { index(of: $0, job: job) }.map { prepared[$0].epoch.accounts } ?? []
    }

    public func adopt(_ earlier: [String], by run: String, steps: String, through epoch: Int) {
        adopted[run, default: []] += earlier.map { Adoption(run: $0, steps: steps, epoch: epoch) }
    }

    /// Whether a reject is listed under a run: its own, or one of a run that it goes on after.
    private func belongs(_ record: RejectRecord, to run: String) -> Bool {
        if record.run == run { return true }
        return (adopted[run] ?? []).contains {
            $0.run == record.run && record.reject.isIn($0.steps) && (1...$0.epoch).contains(epochs[record.number] ?? 0)
        }
    }

    public func lastCommitted(job: String, sink: String) -> Checkpoint? { checkpoints[job]?[sink] }

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
            kept.append(RejectRecord(number: number, run: run, reject: reject, state: .open, isCommitted: epoch == 0))
            epochs[number] = epoch
        }
    }

    public func rejects(of run: String, after: Int64, limit: Int) -> [RejectRecord] {
        Array(kept.filter { $0.number > after && belongs($0, to: run) }.prefix(limit))
    }

    public func rejectSummary(of run: String) -> [(step: String, rule: String, code: String, count: Int)] {
        var counts: [[String]: Int] = [:]
        for record in kept where belongs(record, to: run) {
            counts[[record.reject.step, record.reject.rule, record.reject.code], default: 0] += 1
        }
        return counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
            ($0.key[0], $0.key[1], $0.key[2], $0.value)
        }
    }

    public func mark(_ rejects: [Int64], as state: RejectState) {
        for index in kept.indices where rejects.contains(kept[index].number) { kept[index].state = state }
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

extension Reject {
    /// Whether a step of the load refused the row whose steps begin with `steps`.
    fileprivate func isIn(_ steps: String) -> Bool { steps.isEmpty || step.hasPrefix(steps + "/") }
}
