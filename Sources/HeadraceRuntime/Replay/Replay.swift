import HeadraceColumnar
public import HeadraceCore

/// Puts the open rejects of a run through the steps they had not passed, with today's rules.
///
/// A reject enters at the step that refused it; rows that never decoded are read again from their original bytes. What is
/// refused again is a reject of the new run. A replay that dies goes on where it stopped, so no row is loaded twice.
public struct Replay: Sendable {
    private let run: RunRecord
    private let load: Load
    private let ledger: any LedgerStore

    /// - Parameter load: the load of the run, made again from its parameters.
    public init(of run: RunRecord, through load: Load, ledger: any LedgerStore) {
        self.run = run
        self.load = load
        self.ledger = ledger
    }

    /// Replays and marks what was replayed.
    /// - Throws: `unsupported` for loads whose rows cannot be added one by one: those are run again whole.
    public func perform(with options: RunOptions) async throws -> RunReport {
        guard load.outputs.count == 1, let output = load.outputs.first, Self.addsRows(output.mode) else {
            throw HeadraceError(
                .unsupported, "the rejects of run \(run.identifier) cannot be added to its sink one by one",
                hint: "run it again whole: headrace replay \(run.identifier)")
        }
        let open = try await ledger.openRejects(of: run.identifier)
        let report = try await JobRunner(ledger: ledger, options: options).run(try await job(open, output, options))
        try await ledger.mark(open.map(\.number), as: .replayed(run: report.run))
        return report
    }

    private static func addsRows(_ mode: SinkMode) -> Bool {
        switch mode {
        case .append, .upsert: true
        case .replace, .facts: false
        }
    }

    /// One job whose single load merges the rejects of all steps, each entering where it was refused.
    private func job(_ rejects: [RejectRecord], _ output: Load.Output, _ options: RunOptions) async throws -> Job {
        let context = RunContext.looking(options)
        let root = try await Planner(context).plan(output.relation)
        var arms: [Relation] = []
        for (step, group) in Dictionary(grouping: rejects, by: \.reject.step).sorted(by: { $0.key < $1.key }) {
            arms.append(try await arm(step, group, output.relation, root, context))
        }
        let relation = arms.count == 1 ? arms[0] : .union(step: "merge", arms)
        let numbers = rejects.map { JSONValue.integer($0.number) }
        return Job(
            "replay \(run.identifier)", parameters: .object([("rejects", .array(numbers))]),
            Load("replay", arms.isEmpty ? [] : [Load.Output(relation: relation, sink: output.sink, mode: output.mode)]))
    }

    private func arm(
        _ step: String, _ rejects: [RejectRecord], _ relation: Relation, _ root: PlannedNode, _ context: RunContext
    ) async throws -> Relation {
        // What the sink refused had passed every step before it.
        guard let node = root.find(step) else {
            return .scan(
                step: "rejects of \(step)",
                RowsSource(name: "rejects of \(step)", rejects: rejects, fields: root.schema))
        }
        if case .scan(let source) = node.kind {
            guard let replayable = source as? any ReplayableSource else {
                throw HeadraceError(
                    .unsupported, "\(source.name) keeps no originals that could be read again",
                    hint: "run it again whole: headrace replay \(run.identifier)")
            }
            let originals = try await replayable.replaying(rejects.compactMap(\.reject.original), in: context)
            return try relation.entering(step, with: .scan(step: "rejects of \(step)", originals))
        }
        let rows = RowsSource(name: "rejects of \(step)", rejects: rejects, fields: node.inputs[0].schema)
        return try relation.entering(step, with: .scan(step: "rejects of \(step)", rows))
    }
}

extension LedgerStore {
    /// The refused rows of a run that no replay has taken up yet, in the order they were refused.
    public func openRejects(of run: String) async throws -> [RejectRecord] {
        var found: [RejectRecord] = []
        var after: Int64 = 0
        while case let page = try await rejects(of: run, after: after, limit: 2000), let last = page.last {
            after = last.number
            found += page.filter { $0.state == .open }
        }
        return found
    }
}

extension PlannedNode {
    /// The node of a step, by the name it has in the ledger.
    fileprivate func find(_ step: String) -> PlannedNode? {
        if self.step == step { return self }
        return inputs.lazy.compactMap { $0.find(step) }.first
    }
}

extension Relation {
    /// This relation with `input` in place of what the step reads; the step of a scan is replaced itself.
    fileprivate func entering(_ step: String, with input: Relation) throws -> Relation {
        guard let result = replaced(step, input) else {
            throw HeadraceError(
                .unsupported, "between step \(step) and the sink lies an operator with state",
                hint: "run it again whole")
        }
        return result
    }

    private func replaced(_ step: String, _ input: Relation) -> Relation? {
        switch self {
        case .scan(let name, _): name == step ? input : nil
        case .stage(let transform, let below):
            transform.name == step
                ? .stage(transform, input) : below.replaced(step, input).map { .stage(transform, $0) }
        case .project(let name, let columns, let below):
            name == step
                ? .project(step: name, columns, input)
                : below.replaced(step, input).map { .project(step: name, columns, $0) }
        case .derive(let name, let columns, let below):
            name == step
                ? .derive(step: name, columns, input)
                : below.replaced(step, input).map { .derive(step: name, columns, $0) }
        case .drop(let name, let columns, let below):
            name == step
                ? .drop(step: name, columns, input) : below.replaced(step, input).map { .drop(step: name, columns, $0) }
        case .rename(let name, let columns, let below):
            name == step
                ? .rename(step: name, columns, input)
                : below.replaced(step, input).map { .rename(step: name, columns, $0) }
        case .filter(let name, let condition, let below):
            name == step
                ? .filter(step: name, condition, input)
                : below.replaced(step, input).map { .filter(step: name, condition, $0) }
        case .lookup(let specification, let below):
            specification.step == step
                ? .lookup(specification, input) : below.replaced(step, input).map { .lookup(specification, $0) }
        case .union(_, let inputs): inputs.lazy.compactMap { $0.replaced(step, input) }.first
        case .shared(let box): box.relation.replaced(step, input)
        case .distinct, .aggregate, .join, .window, .sort: nil
        }
    }
}
