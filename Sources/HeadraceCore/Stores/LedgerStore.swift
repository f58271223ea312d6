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
    /// Writes down an epoch before any sink commits it: its boundaries and the accounts that hold once it is committed.
    func prepare(_ epoch: PreparedEpoch) async throws
    /// Writes down that a sink has committed a checkpoint. With the last sink of its epoch, and in one transaction, the
    /// prepared accounts become those of the run that prepared it, and its rejects count as committed.
    func committed(_ checkpoint: Checkpoint, job: String, sink: String, counts: WriteCounts) async throws
    /// Makes the ledger agree with what the sinks of an interrupted load say they hold: the epochs up to `checkpoint`
    /// (nil: none) are committed, and the rejects that the runs `earlier` wrote after it, which were not, are removed.
    /// - Parameter steps: the steps of the load, as in `PreparedEpoch`.
    /// - Returns: the accounts as of `checkpoint`; empty without one, or when the ledger does not know the epoch.
    func reconcile(
        _ checkpoint: Checkpoint?, job: String, sinks: [String], steps: String, earlier: [String]
    ) async throws -> [StepAccount]
    /// Writes down that `run` goes on after `epoch` of the runs `earlier`: the rejects that these committed in the
    /// load's steps are from now on listed and summed up under `run` too.
    func adopt(_ earlier: [String], by run: String, steps: String, through epoch: Int) async throws
    /// The last checkpoint that the ledger knows a sink to have committed.
    func lastCommitted(job: String, sink: String) async throws -> Checkpoint?
    /// The last runs of `job` (nil: of all jobs), newest first, at most `limit`; one that still runs is among them.
    func runs(job: String?, limit: Int) async throws -> [RunRecord]
    /// The run with this identifier.
    func run(_ identifier: String) async throws -> RunRecord?
    /// The accounts of a run in the order of its steps; empty for a run that the ledger does not know.
    func accounts(of run: String) async throws -> [StepAccount]
    /// Writes down an input: a file with size, checksum and rows.
    func record(_ input: InputRecord, of run: String) async throws
    /// The inputs of a run in the order in which they were written down.
    func inputs(of run: String) async throws -> [InputRecord]
    /// Values that a job keeps between runs (`headrace state`), such as a summary or a live position.
    func value(_ key: String, job: String) async throws -> JSONValue?
    /// Keeps a value for the job's later runs and who wrote it; nil removes it.
    func set(_ key: String, to value: JSONValue?, job: String, run: String) async throws
    /// Lets go of the database; the last call to a ledger.
    func close() async
}

/// Keeps refused rows until they are replayed or discarded.
public protocol RejectStore: Sendable {
    /// Adds rejects of a run; durable when it returns. They are not committed until their epoch is; epoch 0, for what
    /// belongs to no load, counts as committed.
    func add(_ rejects: [Reject], run: String, epoch: Int) async throws
    /// The rejects of a run and of those it goes on after, in the order they were added, from number `after`, at most
    /// `limit`.
    func rejects(of run: String, after: Int64, limit: Int) async throws -> [RejectRecord]
    /// How many rejects of a run, and of those it goes on after, there are by step, rule and code.
    func rejectSummary(of run: String) async throws -> [(step: String, rule: String, code: String, count: Int)]
    /// Moves rejects to another state.
    func mark(_ rejects: [Int64], as state: RejectState) async throws
}

/// One epoch of a load as the ledger keeps it before the sinks commit it.
public struct PreparedEpoch: Sendable, Hashable {
    /// What the sinks will commit.
    public var checkpoint: Checkpoint
    /// The name that the load's checkpoints are kept under.
    public var job: String
    /// The sinks that commit it.
    public var sinks: [String]
    /// The run that commits it; the checkpoint names the one that began the load.
    public var run: String
    /// What the names of the load's steps begin with, before a slash; empty for the only load of its job.
    public var steps: String
    /// The accounts of the load's steps from its beginning to the end of this epoch, over all runs that worked on it.
    public var accounts: [StepAccount]

    /// An epoch that is about to be committed.
    public init(
        checkpoint: Checkpoint, job: String, sinks: [String], run: String, steps: String, accounts: [StepAccount]
    ) {
        self.checkpoint = checkpoint
        self.job = job
        self.sinks = sinks
        self.run = run
        self.steps = steps
        self.accounts = accounts
    }
}

/// One refused row as kept.
public struct RejectRecord: Sendable {
    /// Grows in the order of adding, over all runs; how `mark` and the command line name a reject.
    public var number: Int64
    /// The run that refused the row.
    public var run: String
    /// The row with reason and place, as it was added.
    public var reject: Reject
    /// What has become of the row since.
    public var state: RejectState
    /// Whether the epoch it was refused in is committed. Rows of one that is not are read again by the next run, so
    /// that no replay may take them.
    public var isCommitted: Bool

    /// A reject as a store reads it back.
    public init(number: Int64, run: String, reject: Reject, state: RejectState, isCommitted: Bool = true) {
        self.isCommitted = isCommitted
        self.number = number
        self.run = run
        self.reject = reject
        self.state = state
    }
}

/// What has become of a refused row.
public enum RejectState: Sendable, Hashable {
    /// Nothing yet: a replay takes it.
    case open
    /// Taken by this run, which keeps a reject of its own if it refused the row again.
    case replayed(run: String)
    /// Given up by a person; replays leave it out.
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
    /// The run that holds the job, for messages.
    public var run: String
    /// The holder's machine; whether a process is gone can only be seen on the same one.
    public var host: String
    /// The number of the process on its machine.
    public var process: Int32
    /// The start time of the process in clock ticks since boot and the boot's identity, so that a reused number is told apart.
    public var processStart: String

    /// A holder; the runtime describes its own process by it.
    public init(run: String, host: String, process: Int32, processStart: String) {
        self.run = run
        self.host = host
        self.process = process
        self.processStart = processStart
    }
}

/// The right to run a job until a time, unless it is renewed.
public struct Lease: Sendable, Hashable {
    /// The job's name; it has one lease at a time.
    public var job: String
    /// Who has the right until `expires`.
    public var holder: LeaseHolder
    /// Higher with every lease of the job; a sink refuses a commit with a lower one than it has seen.
    public var fence: Int64
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var expires: Int64

    /// A lease as a store gives it out; making one takes no job.
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
