import HeadraceColumnar
public import HeadraceCore

/// Puts the open rejects of a run through the steps they had not passed, with today's rules.
///
/// A reject enters at the step that refused it; rows that never decoded are read again from their original bytes. What is
/// refused again is a reject of the new run and stays open in the run that is replayed, for the next replay. A replay
/// that dies goes on where it stopped, so no row is loaded twice.
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

    /// Replays and marks what passed.
    /// - Throws: `unsupported` for loads whose rows cannot be added one by one: those are run again whole.
    public func perform(with options: RunOptions) async throws -> RunReport {
        guard load.outputs.count == 1, var output = load.outputs.first,
            let mode = Self.adding(output.mode)
        else {
            throw HeadraceError(
                .unsupported, "the rejects of run \(run.identifier) cannot be added to its sink one by one",
                hint: "run it again whole: headrace replay \(run.identifier)")
        }
        output.mode = mode
        let dating = try await dating(&output, in: .looking(options))
        let open = try await ledger.openRejects(of: run.identifier)
        // Marked inside the job, so that the marks of a replay that dies after its commit are made up for.
        let job = try await job(open, output, dating, options).step("mark", after: [""]) { run in
            _ = try await run.ledger.markReplayed(open, by: run.context.run)
        }
        return try await JobRunner(ledger: ledger, options: options).run(job)
    }

    /// What dates rows by the time of the replayed run, where a history has them hold from that of theirs: newer versions stay the
    /// newer ones.
    private func dating(_ output: inout Load.Output, in context: RunContext) async throws -> Projection? {
        guard case .history(let keys, var columns) = output.mode, columns.effective == nil,
            let type = try await output.sink.targetSchema(in: context)?[columns.from]?.type
        else { return nil }
        let (began, dated): (Scalar, DataType) =
            switch type {
            case .date32: (.date(Temporal.day(ofTimestamp: run.started)), .date32)
            case .timestamp(nil): (.timestamp(run.started), type)
            default: (.timestamp(run.started), .instant)
            }
        columns.effective = columns.from
        output.mode = .history(on: keys, columns)
        return Projection(columns.from, .literal(began, dated))
    }

    /// The mode by which single rows of a load are added to the others; nil where they cannot be.
    private static func adding(_ mode: SinkMode) -> SinkMode? {
        switch mode {
        case .append, .upsert, .insert, .history: mode
        // The rejects are not all rows of the source: nothing is absent for not being among them.
        case .mirror(let keys): .upsert(on: keys)
        case .replace, .facts: nil
        }
    }

    /// One job whose single load merges the rejects of all steps, each entering where it was refused.
    private func job(
        _ rejects: [RejectRecord], _ output: Load.Output, _ dating: Projection?, _ options: RunOptions
    ) async throws -> Job {
        let context = RunContext.looking(options)
        let root = try await Planner(context).plan(output.relation)
        let steps = LoadSteps([root])
        var arms: [Relation] = []
        for (step, group) in Dictionary(grouping: rejects, by: \.reject.step).sorted(by: { $0.key < $1.key }) {
            arms.append(try await arm(step, group, output.relation, (root, steps), context))
        }
        var relation = arms.count == 1 ? arms[0] : Relation.union(step: "merge", arms)
        if let dating { relation = .derive(step: "date", [dating], relation) }
        let numbers = rejects.map { JSONValue.integer($0.number) }
        return Job(
            "replay \(run.identifier)", parameters: .object([("rejects", .array(numbers))]),
            Load("replay", arms.isEmpty ? [] : [Load.Output(relation: relation, sink: output.sink, mode: output.mode)]))
    }

    private static func scan<S: Source>(_ originals: S, of rejects: [RejectRecord], step: String) -> Relation {
        .scan(step: step, OriginalsSource(base: originals, rejects: rejects))
    }

    private func arm(
        _ step: String, _ rejects: [RejectRecord], _ relation: Relation, _ plan: (root: PlannedNode, steps: LoadSteps),
        _ context: RunContext
    ) async throws -> Relation {
        // What the sink refused had passed every step before it.
        if step == plan.steps.sinkName("load") {
            return .scan(
                step: "rejects of \(step)",
                RowsSource(name: "rejects of \(step)", rejects: rejects, fields: plan.root.schema))
        }
        guard let node = plan.steps.node(named: step) else {
            throw HeadraceError(
                .unsupported, "step \(step), which refused rows, is no step of the load that replays them",
                fields: [("steps", plan.steps.nodes.map { plan.steps.name(of: $0) }.joined(separator: ", "))],
                hint: "the load has changed since, or it is one of several: run it again whole")
        }
        if case .scan(let source) = node.kind {
            guard let replayable = source as? any ReplayableSource else {
                throw HeadraceError(
                    .unsupported, "\(source.name) keeps no originals that could be read again",
                    hint: "run it again whole: headrace replay \(run.identifier)")
            }
            let kept = rejects.filter { $0.reject.original != nil }
            let originals = try await replayable.replaying(kept.compactMap(\.reject.original), in: context)
            return try relation.entering(step, with: Self.scan(originals, of: kept, step: "rejects of \(step)"))
        }
        let rows = RowsSource(name: "rejects of \(step)", rejects: rejects, fields: node.inputs[0].schema)
        return try relation.entering(step, with: .scan(step: "rejects of \(step)", rows))
    }
}

extension LedgerStore {
    /// The refused rows of a run that no replay has taken up yet, in the order they were refused. Those of epochs that
    /// were never committed are left out: the next run of the job reads their rows again.
    public func openRejects(of run: String) async throws -> [RejectRecord] {
        var found: [RejectRecord] = []
        var after: Int64 = 0
        while case let page = try await rejects(of: run, after: after, limit: 2000), let last = page.last {
            after = last.number
            found += page.filter { $0.state == .open && $0.isCommitted }
        }
        return found
    }
}

extension LedgerStore {
    /// Marks those of `rejects` as replayed by `run` that it did not refuse again; the others stay as they are.
    ///
    /// A row is told by its place: source, file, line and ordinal, which a replay keeps.
    /// - Parameter rejects: what the run was to take up, as `openRejects` gave it before.
    /// - Returns: how many were refused again.
    public func markReplayed(_ rejects: [RejectRecord], by run: String) async throws -> Int {
        var refused: [Place: Int] = [:]
        var after: Int64 = 0
        while case let page = try await self.rejects(of: run, after: after, limit: 2000), let last = page.last {
            after = last.number
            for record in page { refused[record.reject.place, default: 0] += 1 }
        }
        var passed: [Int64] = []
        for record in rejects {
            // A row whose original is gone was not taken up by anyone.
            if record.reject.original == nil && record.reject.row == nil { continue }
            if let times = refused[record.reject.place], times > 0 {
                refused[record.reject.place] = times - 1
            } else {
                passed.append(record.number)
            }
        }
        try await mark(passed, as: .replayed(run: run))
        return rejects.count - passed.count
    }
}

extension Relation {
    /// This relation with `input` in place of what the step reads; the step of a scan is replaced itself.
    fileprivate func entering(_ step: String, with input: Relation) throws -> Relation {
        var walk = Walk(step: step, input: input)
        guard let result = replaced(&walk) else {
            throw HeadraceError(
                .unsupported, "between step \(step) and the sink lies an operator with state",
                hint: "run it again whole")
        }
        return result
    }

    /// Names the steps as `LoadSteps` does: what a step reads before it, what is shared once.
    private struct Walk {
        let step: String
        let input: Relation
        var names = StepNames()
        var shared: Set<ObjectIdentifier> = []

        mutating func isAt(_ name: String) -> Bool { names.enter(name) == step }
    }

    private func replaced(_ walk: inout Walk) -> Relation? {
        func rowWise(_ name: String, _ below: Relation, _ make: (Relation) -> Relation) -> Relation? {
            let inner = below.replaced(&walk)
            return walk.isAt(name) ? make(walk.input) : inner.map(make)
        }
        func breaker(_ name: String, _ inputs: Relation...) -> Relation? {
            for input in inputs { _ = input.replaced(&walk) }
            _ = walk.isAt(name)
            return nil
        }
        switch self {
        case .scan(let name, _): return walk.isAt(name) ? walk.input : nil
        case .stage(let transform, let below): return rowWise(transform.name, below) { .stage(transform, $0) }
        case .project(let name, let columns, let below):
            return rowWise(name, below) { .project(step: name, columns, $0) }
        case .derive(let name, let columns, let below):
            return rowWise(name, below) { .derive(step: name, columns, $0) }
        case .drop(let name, let columns, let below): return rowWise(name, below) { .drop(step: name, columns, $0) }
        case .rename(let name, let columns, let below): return rowWise(name, below) { .rename(step: name, columns, $0) }
        case .filter(let name, let condition, let below):
            return rowWise(name, below) { .filter(step: name, condition, $0) }
        case .lookup(let specification, let below):
            return rowWise(specification.step, below) { .lookup(specification, $0) }
        case .union(let name, let inputs):
            let arms = inputs.map { $0.replaced(&walk) }
            _ = walk.isAt(name)
            return arms.lazy.compactMap { $0 }.first
        case .shared(let box):
            guard walk.shared.insert(ObjectIdentifier(box)).inserted else { return nil }
            return box.relation.replaced(&walk)
        case .distinct(let specification, let below): return breaker(specification.step, below)
        case .aggregate(let specification, let below): return breaker(specification.step, below)
        case .join(let specification, let left, let right): return breaker(specification.step, left, right)
        case .window(let specification, let below): return breaker(specification.step, below)
        case .sort(let name, _, _, let below): return breaker(name, below)
        }
    }
}
