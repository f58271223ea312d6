/// Everything outside a run's own data that it may depend on, so that a test can steer all of it.
public struct RunContext: Sendable {
    /// The job's name: leases, checkpoints and state are kept under it.
    public var job: String
    /// This run's identifier, unique in the ledger.
    public var run: String
    /// Grows with every run of the job; a sink refuses a commit with a lower one than it has seen.
    public var fence: Int64
    /// The only time that a plugin may ask for; virtual in tests.
    public var clock: any RunClock
    /// The only random numbers that a plugin may use; their seed makes a run repeatable.
    public var random: RunRandom
    /// Bytes that stateful operators may hold before they spill.
    public var memory: MemoryBudget
    /// A folder for spill files of this run; emptied at its end.
    public var spillFolder: String
    /// Where the engine puts refused rows; steps leave theirs in `Batch.rejects`.
    public var rejects: any RejectWriter
    /// Told by the engine as rows move; work outside a load reports to it itself.
    public var progress: any ProgressReporter
    /// Events for those who read about the run later; never rows or secrets.
    public var log: EventLog
    /// Reached between steps that a crash must not tear apart, so that tests can crash there.
    public var faults: any FaultPoints
    /// Checked between pieces of work; its handlers interrupt calls that block.
    public var cancellation: Cancellation
    /// How many workers there are and whether a seed decides their order.
    public var scheduling: Scheduling
    /// Numbers the run's files, so that a row keeps its file through stateful operators.
    public var files: FileTable
    /// Where a source's reader may number the texts of its columns; nil where nothing is gained by it. Set by the engine for
    /// each source.
    package var dictionaries: TextDictionaries?
    /// Where the load goes on that a sink is opened for; nil where it begins afresh.
    public var resumed: Checkpoint?
    /// When the run began, as the ledger has it, in microseconds since 1970-01-01T00:00:00Z; nil outside of runs.
    public var started: Int64?

    /// Since when rows hold that nothing else dates: since their run began, so that a replay of its rejects can date them alike.
    public var datingTime: Int64 { started ?? clock.now() }

    /// A context with every part given. The runtime makes those of runs and of looks; tests put doubles in.
    public init(
        job: String, run: String, fence: Int64, clock: any RunClock, random: RunRandom, memory: MemoryBudget,
        spillFolder: String, rejects: any RejectWriter, progress: any ProgressReporter, log: EventLog,
        faults: any FaultPoints, cancellation: Cancellation, scheduling: Scheduling, files: FileTable = FileTable(),
        resumed: Checkpoint? = nil
    ) {
        self.job = job
        self.run = run
        self.fence = fence
        self.clock = clock
        self.random = random
        self.memory = memory
        self.spillFolder = spillFolder
        self.rejects = rejects
        self.progress = progress
        self.log = log
        self.faults = faults
        self.cancellation = cancellation
        self.scheduling = scheduling
        self.files = files
        self.resumed = resumed
    }
}

/// Tells the time of a run. Virtual in tests.
public protocol RunClock: Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    func now() -> Int64
    /// Nanoseconds that only grow; for durations.
    func monotonic() -> Int64
    /// Waits; throws when the task is cancelled first.
    func sleep(for duration: Duration) async throws
}

/// How the engine runs its workers.
public enum Scheduling: Sendable, Hashable {
    /// This many threads of the engine.
    case threaded(workers: Int)
    /// One thread that picks which worker goes on by a seed, so that a run can be repeated step by step.
    case stepped(seed: UInt64, workers: Int)

    /// How many workers run: at least 1, whatever was asked for.
    public var workers: Int {
        switch self {
        case .threaded(let workers), .stepped(_, let workers): max(1, workers)
        }
    }
}

/// Takes the rows that a run refuses. Durable when `flush` returns.
public protocol RejectWriter: Sendable {
    /// Takes rejects of an epoch; they may wait in memory until `flush`, within a bound.
    func write(_ rejects: [Reject], epoch: Int) async throws
    /// Makes every reject taken so far durable; the engine calls it before a sink commits their epoch.
    func flush() async throws
}

/// A named place in the runtime where a test can make a run crash, fail, wait or be cancelled.
public protocol FaultPoints: Sendable {
    /// Called at each fault point; throws or ends the process when the plan says so.
    func reach(_ point: String) throws
}

/// No faults.
public struct NoFaults: FaultPoints {
    /// Fault points of a run in which none is wanted.
    public init() {}
    /// Goes on, whatever the point.
    public func reach(_ point: String) throws {}
}
