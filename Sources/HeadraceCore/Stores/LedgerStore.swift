import HeadraceColumnar

/// Keeps what every run did: runs, steps, counts, checkpoints, rejects, imports and leases. SQLite by default.
///
/// Calls are durable when they return. Implementations serialise their own access.
public protocol LedgerStore: RejectStore, LeaseStore {
    /// Writes down a run that begins; its state is `running`.
    func begin(_ run: RunRecord) async throws
    /// Writes down how a run ended.
    func end(_ run: String, state: RunState, at time: Int64, error: String?) async throws
    /// Replaces the account of one step of a run.
    func record(_ account: StepAccount, of run: String) async throws
    /// Writes down an epoch's boundaries before any sink commits it.
    func prepare(_ checkpoint: Checkpoint, job: String, sinks: [String]) async throws
    /// Writes down that a sink has committed a checkpoint.
    func committed(_ checkpoint: Checkpoint, job: String, sink: String, counts: WriteCounts) async throws
    /// The last checkpoint that the ledger knows a sink to have committed.
    func lastCommitted(job: String, sink: String) async throws -> Checkpoint?
    /// Forgets the checkpoints of a job, so that its next run starts afresh.
    func forgetCheckpoints(job: String) async throws
    /// A finished run of `job`, newest first; nil for all jobs.
    func runs(job: String?, limit: Int) async throws -> [RunRecord]
    /// The run with this identifier.
    func run(_ identifier: String) async throws -> RunRecord?
    func accounts(of run: String) async throws -> [StepAccount]
    /// Writes down an input: a file with size, checksum and rows.
    func record(_ input: InputRecord, of run: String) async throws
    func inputs(of run: String) async throws -> [InputRecord]
    /// Values that a job keeps between runs (`headrace state`), such as a summary or a live position.
    func value(_ key: String, job: String) async throws -> JSONValue?
    func set(_ key: String, to value: JSONValue?, job: String, run: String) async throws
    func close() async
}

/// Keeps refused rows until they are replayed or discarded.
public protocol RejectStore: Sendable {
    /// Adds rejects of a run; durable when it returns.
    func add(_ rejects: [Reject], run: String, epoch: Int) async throws
    /// The rejects of a run in the order they were added, from number `after`, at most `limit`.
    func rejects(of run: String, after: Int64, limit: Int) async throws -> [RejectRecord]
    /// How many rejects of a run there are by step, rule and code.
    func rejectSummary(of run: String) async throws -> [(step: String, rule: String, code: String, count: Int)]
    /// Moves rejects to another state.
    func mark(_ rejects: [Int64], as state: RejectState) async throws
    /// Removes rejects of epochs after `epoch`, which a failed run wrote and never committed.
    func removeRejects(of run: String, afterEpoch epoch: Int) async throws
}

/// One refused row as kept.
public struct RejectRecord: Sendable {
    public var number: Int64
    public var run: String
    public var reject: Reject
    public var state: RejectState

    public init(number: Int64, run: String, reject: Reject, state: RejectState) {
        self.number = number
        self.run = run
        self.reject = reject
        self.state = state
    }
}

public enum RejectState: Sendable, Hashable {
    case open
    case replayed(run: String)
    case discarded
}

/// Holds jobs so that two runs of one never interleave.
public protocol LeaseStore: Sendable {
    /// Takes the job for `holder` when it is free, past its time, or held by a process of this machine that is gone.
    /// - Returns: the lease with a fence higher than any before.
    /// - Throws: `leaseHeld` with who holds it.
    func acquire(_ job: String, holder: LeaseHolder, now: Int64, duration: Int64) async throws -> Lease
    /// Prolongs a lease; throws `leaseLost` when another run has taken it.
    func renew(_ lease: Lease, now: Int64, duration: Int64) async throws -> Lease
    /// Gives a lease back; does nothing when it is lost already.
    func release(_ lease: Lease) async throws
}

/// Who holds a job.
public struct LeaseHolder: Sendable, Hashable {
    public var run: String
    public var host: String
    public var process: Int32
    /// The start time of the process in clock ticks since boot and the boot's identity, so that a reused number is told apart.
    public var processStart: String

    public init(run: String, host: String, process: Int32, processStart: String) {
        self.run = run
        self.host = host
        self.process = process
        self.processStart = processStart
    }
}

public struct Lease: Sendable, Hashable {
    public var job: String
    public var holder: LeaseHolder
    public var fence: Int64
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var expires: Int64

    public init(job: String, holder: LeaseHolder, fence: Int64, expires: Int64) {
        self.job = job
        self.holder = holder
        self.fence = fence
        self.expires = expires
    }
}

extension HeadraceError {
    /// Another run holds the job.
    public static func held(_ lease: Lease) -> HeadraceError {
        HeadraceError(
            .leaseHeld, "job \(lease.job) is being run already",
            fields: [
                ("run", lease.holder.run), ("host", lease.holder.host), ("process", "\(lease.holder.process)"),
                ("until", Scalar.timestamp(lease.expires).description),
            ], hint: "wait for it to end; a run that was killed frees its lease when its time has passed",
            retry: .mayHelp)
    }
}
