/// How a run stands.
public enum RunState: String, Sendable, Hashable, CaseIterable {
    /// Begun and not ended: at work, or killed before it could say so, which the job's next run finds out.
    case running
    /// All steps came to their end and no more rows were refused than allowed.
    case complete
    /// A step failed that may, or more rows were refused than allowed; what could be committed is.
    case completeWithErrors = "complete with errors"
    /// An error ended it; its committed epochs stay, and the next run may go on after them.
    case failed
    /// Somebody asked it to stop; like `failed` in all else.
    case cancelled
}

/// One run of a job as the ledger keeps it. Times are microseconds since 1970-01-01T00:00:00Z.
public struct RunRecord: Sendable, Hashable {
    /// Unique in the ledger; what a run leaves behind is kept under it.
    public var identifier: String
    /// The job's name, which many runs share.
    public var job: String
    /// What was asked for, secrets left out: the command or the job's parameters.
    public var parameters: JSONValue
    /// `running` until `LedgerStore.end` says how it ended.
    public var state: RunState
    /// When the run was written down, before its first step.
    public var started: Int64
    /// When the run ended, nil as long as it has not.
    public var ended: Int64?
    /// The first failure as it prints, nil when there was none.
    public var error: String?
    /// The fence of the lease that the run holds.
    public var fence: Int64

    /// A run; as it begins, unless the last arguments say how it ended.
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
    /// The step's name, unique in its run: the second of a name has a number behind it.
    public var step: String
    /// The position of the step in its run, for listing.
    public var ordinal: Int
    /// Rows that came in; of a source, the records cut.
    public var input: Int
    /// Rows that came out beyond those that came in, as matches of a join do.
    public var added: Int
    /// Rows handed on; of a sink, rows accepted.
    public var output: Int
    /// Rows refused; each is in the reject store.
    public var rejected: Int
    /// Rows taken out because nobody asked for them.
    public var filtered: Int
    /// Rows that went into others, as in groups and among duplicates.
    public var merged: Int
    /// For sinks: what the target says became of the rows.
    public var written: WriteCounts?
    /// Nanoseconds of work, summed over workers.
    public var nanoseconds: Int64

    /// The account of a step; without counts, of one that has not seen a row.
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
    /// The step that read the input.
    public var step: String
    /// The path, URL or key of the input, secrets left out.
    public var name: String
    /// The size in bytes of what `sha256` is the checksum of.
    public var bytes: Int
    /// Lower-case hex SHA-256, empty where the input was not read whole.
    public var sha256: String
    /// Rows read from it; 0 where the step keeps bytes and reads no rows.
    public var rows: Int

    /// An input as it goes into the ledger.
    public init(step: String, name: String, bytes: Int, sha256: String, rows: Int) {
        self.step = step
        self.name = name
        self.bytes = bytes
        self.sha256 = sha256
        self.rows = rows
    }
}
