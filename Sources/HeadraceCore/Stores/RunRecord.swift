/// How a run stands.
public enum RunState: String, Sendable, Hashable, CaseIterable {
    case running
    case complete
    case completeWithErrors = "complete with errors"
    case failed
    case cancelled
}

/// One run of a job as the ledger keeps it. Times are microseconds since 1970-01-01T00:00:00Z.
public struct RunRecord: Sendable, Hashable {
    public var identifier: String
    public var job: String
    /// What was asked for, secrets left out: the command or the job's parameters.
    public var parameters: JSONValue
    public var state: RunState
    public var started: Int64
    public var ended: Int64?
    public var error: String?
    public var fence: Int64

    public init(
        identifier: String, job: String, parameters: JSONValue, state: RunState = .running, started: Int64,
        ended: Int64? = nil, error: String? = nil, fence: Int64
    ) {
        self.identifier = identifier
        self.job = job
        self.parameters = parameters
        self.state = state
        self.started = started
        self.ended = ended
        self.error = error
        self.fence = fence
    }
}

/// The account of rows of one step: `input + added = output + rejected + filtered + merged`.
public struct StepAccount: Sendable, Hashable {
    public var step: String
    /// The position of the step in its run, for listing.
    public var ordinal: Int
    public var input: Int
    public var added: Int
    public var output: Int
    public var rejected: Int
    public var filtered: Int
    public var merged: Int
    /// For sinks: what the target says became of the rows.
    public var written: WriteCounts?
    /// Nanoseconds of work, summed over workers.
    public var nanoseconds: Int64

    public init(
        step: String, ordinal: Int, input: Int = 0, added: Int = 0, output: Int = 0, rejected: Int = 0,
        filtered: Int = 0, merged: Int = 0, written: WriteCounts? = nil, nanoseconds: Int64 = 0
    ) {
        self.step = step
        self.ordinal = ordinal
        self.input = input
        self.added = added
        self.output = output
        self.rejected = rejected
        self.filtered = filtered
        self.merged = merged
        self.written = written
        self.nanoseconds = nanoseconds
    }

    /// Whether the account holds.
    public var isBalanced: Bool {
        input + added == output + rejected + filtered + merged && (written.map { $0.written == output } ?? true)
    }
}

/// One input of a run: a file or object with what identifies it.
public struct InputRecord: Sendable, Hashable {
    public var step: String
    public var name: String
    public var bytes: Int
    /// Lower-case hex SHA-256, empty where the input was not read whole.
    public var sha256: String
    public var rows: Int

    public init(step: String, name: String, bytes: Int, sha256: String, rows: Int) {
        self.step = step
        self.name = name
        self.bytes = bytes
        self.sha256 = sha256
        self.rows = rows
    }
}
