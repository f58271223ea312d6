public import HeadraceCore

/// What a run depends on besides its job: everything that a test steers and an operator sets.
public struct RunOptions: Sendable {
    /// Dates the run and its lease and waits for its pauses; virtual in tests.
    public var clock: any RunClock
    /// Nil draws a seed from the kernel.
    public var seed: UInt64?
    /// How many workers a phase has, and whether a seed steps them; results are the same either way.
    public var scheduling: Scheduling
    /// Bytes that operators with state may hold before they spill.
    public var memoryLimit: Int
    /// The folder for spill files; a folder of the run is made inside and removed at its end.
    public var temporaryFolder: String
    /// Told about steps, rows and commits while the run works.
    public var progress: any ProgressReporter
    /// Where warnings and errors that do not end the run go.
    public var log: EventLog
    /// Where tests make a run die or fail; `NoFaults` otherwise.
    public var faults: any FaultPoints
    /// Stops the run between two batches when it is cancelled. It stays cancelled: a later run needs another.
    public var cancellation: Cancellation
    /// The commit policy of loads that bring no settings of their own.
    public var commit: CommitPolicy
    /// The run ends "complete with errors" when more rows than this were refused.
    public var allowedRejects: RejectAllowance
    /// The run fails as soon as the allowance is passed: a number of rows with the first row beyond it, a share at the
    /// end of an epoch, before its commit. Holds for all loads of the run, whatever their own settings.
    public var stopsOnRejects: Bool
    /// Begins afresh instead of going on after what an interrupted run had committed. A load that appends and has
    /// committed rows is refused then, for they cannot be taken back; replacing and upserting loads do their work again.
    public var restarts: Bool
    /// How long a lease lasts without renewal, in microseconds.
    public var leaseDuration: Int64

    /// The options of an ordinary run: a worker a processor, 1 GiB for state, spill files in `/tmp`, a lease of one
    /// minute. One refused row is enough for "complete with errors".
    public init(
        clock: any RunClock = SystemClock(), seed: UInt64? = nil,
        scheduling: Scheduling = .threaded(workers: SystemFacts.processors), memoryLimit: Int = 1 << 30,
        temporaryFolder: String = "/tmp", progress: any ProgressReporter = SilentProgress(), log: EventLog = .none,
        faults: any FaultPoints = NoFaults(), cancellation: Cancellation = Cancellation(),
        commit: CommitPolicy = .standard,
        allowedRejects: RejectAllowance = .rows(0), stopsOnRejects: Bool = false, restarts: Bool = false,
        leaseDuration: Int64 = 60_000_000
    ) {
        self.clock = clock
        self.seed = seed
        self.scheduling = scheduling
        self.memoryLimit = memoryLimit
        self.temporaryFolder = temporaryFolder
        self.progress = progress
        self.log = log
        self.faults = faults
        self.cancellation = cancellation
        self.commit = commit
        self.allowedRejects = allowedRejects
        self.stopsOnRejects = stopsOnRejects
        self.restarts = restarts
        self.leaseDuration = leaseDuration
    }
}

/// How many refused rows a run may have and still be complete.
public enum RejectAllowance: Sendable, Hashable {
    /// A number of rows, over all loads of the run together.
    case rows(Int)
    /// A share of the rows read, from 0 to 1.
    case share(Double)
    /// Any number: refused rows never keep a run from being complete.
    case unlimited

    /// Whether `rejected` of `read` rows are within the allowance.
    public func allows(_ rejected: Int, of read: Int) -> Bool {
        switch self {
        case .rows(let limit): rejected <= limit
        case .share(let share): Double(rejected) <= share * Double(read)
        case .unlimited: true
        }
    }
}
