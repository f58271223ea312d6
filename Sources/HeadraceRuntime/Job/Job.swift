public import HeadraceCore

/// Named steps with dependencies that run under one lease and one entry in the ledger.
public struct Job: Sendable {
    /// What a step does; its loads are accounted for under the step's name.
    public typealias Work = @Sendable (JobRun) async throws -> Void

    struct Step: Sendable {
        let name: String
        let after: [String]
        let mayFail: Bool
        let work: Work
    }

    /// Lease, checkpoints and state are kept under it, so two runs of jobs with one name never overlap.
    public let name: String
    /// What the run is asked to do, secrets left out; an interrupted run is resumed only by one with equal parameters.
    public let parameters: JSONValue
    private(set) var steps: [Step] = []

    /// A job without steps, for `step` to add to; run as it is, it completes having done nothing.
    public init(_ name: String, parameters: JSONValue = .object([])) {
        self.name = name
        self.parameters = parameters
    }

    /// Adds a step that runs when the steps `after` have succeeded.
    /// - Parameter mayFail: a failure is recorded and the run ends "complete with errors" instead of failing.
    public func step(_ name: String, after: [String] = [], mayFail: Bool = false, _ work: @escaping Work) -> Job {
        var copy = self
        copy.steps.append(Step(name: name, after: after, mayFail: mayFail, work: work))
        return copy
    }

    /// A job of one load.
    public init(_ name: String, parameters: JSONValue = .object([]), _ load: Load, settings: LoadSettings? = nil) {
        self.init(name, parameters: parameters)
        steps = [
            Step(name: "", after: [], mayFail: false) { run in
                _ = try await run.execute(load, settings: settings)
            }
        ]
    }

    /// The steps in an order in which each comes after what it needs.
    func ordered() throws -> [Step] {
        var done: Set<String> = []
        var result: [Step] = []
        while result.count < steps.count {
            guard let next = steps.first(where: { !done.contains($0.name) && Set($0.after).isSubset(of: done) }) else {
                let waiting = steps.filter { !done.contains($0.name) }.map(\.name)
                throw HeadraceError(
                    .badOption, "the steps of job \(name) wait for each other or for steps that do not exist",
                    fields: [("steps", waiting.joined(separator: ", "))])
            }
            done.insert(next.name)
            result.append(next)
        }
        return result
    }
}

/// What a run came to.
public struct RunReport: Sendable {
    /// The run's identifier in the ledger.
    public var run: String
    /// `complete` or `completeWithErrors`: a run that fails or is cancelled throws instead.
    public var state: RunState
    /// The account of every step, in the order they ran.
    public var accounts: [StepAccount]
    /// Errors of steps that may fail, in order.
    public var failures: [(step: String, error: HeadraceError)]
    /// Rows refused by all steps.
    public var rejected: Int
}
