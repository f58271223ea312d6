public import HeadraceCore

/// When the rows of a load become visible.
public enum CommitPolicy: Sendable, Hashable {
    /// Once, at the end.
    case run
    /// After this many bytes of rows or this time, whichever comes first, where source and sink allow it.
    case every(bytes: Int, seconds: Int)

    /// An epoch per 64 MiB or 10 s.
    public static var standard: CommitPolicy { .every(bytes: 64 << 20, seconds: 10) }
}

/// How one load of a run goes about its work.
public struct LoadSettings: Sendable, Hashable {
    /// When rows become visible. Loads with an operator that keeps state, several sinks or a mode that replaces commit
    /// once, whatever this says.
    public var commit: CommitPolicy
    /// The run fails as soon as more rows than this were refused; nil never stops.
    public var stopAfterRejects: Int?
    /// Whether a load that was interrupted goes on where it stopped. Off for loads that are cheap to repeat whole.
    public var resumes: Bool

    /// The usual settings: commits often, stops at no number of rejects, resumes.
    public init(commit: CommitPolicy = .standard, stopAfterRejects: Int? = nil, resumes: Bool = true) {
        self.commit = commit
        self.stopAfterRejects = stopAfterRejects
        self.resumes = resumes
    }
}

/// How many rows the loads of a run may refuse together before it stops, and what its earlier loads came to.
struct RejectBudget: Sendable {
    let allowance: RejectAllowance
    let rejected: Int
    let read: Int
}

/// What a load did.
public struct LoadReport: Sendable {
    /// The accounts of its steps, in order.
    public var accounts: [StepAccount]
    /// Epochs committed by this run.
    public var epochs: Int
    /// The sinks had everything already: an earlier run was interrupted after its last commit.
    public var wasComplete: Bool

    /// Rows refused by all steps.
    public var rejected: Int { accounts.reduce(0) { $0 + $1.rejected } }
    /// What became of the rows at the first sink.
    public var written: WriteCounts { accounts.compactMap(\.written).first ?? WriteCounts() }
}
