import HeadraceColumnar
import HeadraceCore

/// Runs a load from planning to its last commit.
struct LoadExecution {
    let load: Load
    let context: RunContext
    let ledger: any LedgerStore
    let settings: LoadSettings
    /// What the run as a whole may still refuse; nil never stops it.
    let budget: RejectBudget?
    /// Put before step names in the ledger.
    let prefix: String
    /// The runs whose work this run goes on with.
    let lineage: Lineage
    /// Whether incremental sources read on where the last run of the job ended; off for a run that starts afresh.
    let continues: Bool
    /// The place of the load's first step among all steps of the run.
    let firstOrdinal: Int

    /// Everything the plan says before anything is written.
    static func plan(_ load: Load, in context: RunContext) async throws -> [String] {
        let planned = try await planned(load, in: context)
        let steps = LoadSteps(planned.map(\.root))
        var lines: [String] = []
        for (output, root) in planned {
            lines += Self.describe(root, steps)
            lines += try await output.sink.plan(for: root.schema, mode: output.mode, in: context).map {
                "\(output.mode.name): \($0)"
            }
        }
        return lines
    }

    private static func describe(_ node: PlannedNode, _ steps: LoadSteps) -> [String] {
        var summary = node.summary
        if case .scan(let source) = node.kind, let stream = steps.stream(of: node), stream != source.stream {
            summary += " again, as \"\(stream.name)\""
        }
        return node.inputs.flatMap { describe($0, steps) } + ["\(steps.name(of: node)): \(summary) -> \(node.schema)"]
    }

    func run() async throws -> LoadReport {
        guard !load.outputs.isEmpty else { return LoadReport(accounts: [], epochs: 0, wasComplete: true) }
        var planned = try await Self.planned(load, in: context)
        // Of the whole load, whatever is left of it: positions keep their names.
        let steps = LoadSteps(planned.map(\.root))
        var resumed: Checkpoint?
        var complete: Checkpoint?
        var began = settings.resumes ? lineage.origin : context.run
        var ends: [StreamID: Position] = [:]
        if settings.resumes {
            var open: [(output: Load.Output, root: PlannedNode)] = []
            for (output, root) in planned {
                let checkpoint = try await output.sink.committed(in: context)
                if let checkpoint, try await isOurs(checkpoint, output) {
                    began = checkpoint.run
                    // The sink has the whole load: an earlier run ended between its commit and the ledger's.
                    if checkpoint.isFinal {
                        complete = checkpoint
                        continue
                    }
                    resumed = checkpoint
                } else if let checkpoint, continues, planned.count == 1, Self.addsRows(output.mode) {
                    ends = Self.ends(in: checkpoint, of: root, steps)
                }
                open.append((output, root))
            }
            guard !open.isEmpty else {
                return LoadReport(accounts: try await takeUp(complete), epochs: 0, wasComplete: true)
            }
            planned = open
        }
        // Where one of several sinks has the load, its rejects stay with the run that wrote them.
        let before = complete == nil ? try await takeUp(resumed) : []
        let mayCommitOften =
            planned.count == 1 && planned.allSatisfy { $0.root.isStateless && Self.takesEpochs($0.output.mode) }
            && planned[0].root.scans.allSatisfy { Self.isResumable($0) } && settings.commit != .run
        let run = LoadRun(
            context: context, settings: settings, budget: budget, ledger: ledger, prefix: prefix,
            origin: began,
            resuming: resumed, before: before, firstOrdinal: firstOrdinal, continuing: ends)
        let graph = Graph(planned.map(\.root), of: steps, run: run)
        var sinks: [(root: PlannedNode, sink: any SinkEnd)] = []
        do {
            for (output, root) in planned {
                let step = run.book.enter(planned.count == 1 ? "load" : "load \(output.sink.name)")
                var opening = context
                opening.resumed = resumed
                sinks.append((root, try await Self.open(output.sink, mode: output.mode, root.schema, step, opening)))
            }
            run.attach(sinks.map(\.sink), commitsOften: mayCommitOften)
            let scans = try graph.scans(sinks.map { ($0.root, $0.sink) })
            try await drive(scans, run)
            try await run.commit(isFinal: true)
            graph.discard()
        } catch {
            for scan in sinks { await scan.sink.abort() }
            graph.discard()
            throw error
        }
        return LoadReport(accounts: run.book.accounts, epochs: run.committedEpochs, wasComplete: false)
    }

    /// Takes up what the earlier runs committed of this load, up to `checkpoint`, and gives up what they did not.
    /// - Returns: the accounts of the load's steps up to there.
    private func takeUp(_ checkpoint: Checkpoint?) async throws -> [StepAccount] {
        let earlier = lineage.earlier(since: checkpoint?.run ?? lineage.origin)
        guard !earlier.isEmpty else { return [] }
        let accounts = try await reconcile(checkpoint, earlier)
        if let checkpoint {
            try await ledger.adopt(earlier, by: context.run, steps: prefix, through: checkpoint.epoch)
        }
        return accounts
    }

    private func reconcile(_ checkpoint: Checkpoint?, _ earlier: [String]) async throws -> [StepAccount] {
        try await ledger.reconcile(
            checkpoint, job: context.job, sinks: load.outputs.map(\.sink.name), steps: prefix, earlier: earlier)
    }

    /// Whether the load goes on after a checkpoint that its sink holds.
    ///
    /// Rows that were appended cannot be taken back, so that such a load cannot begin afresh after an interruption, and
    /// goes on when it is run again without being told to.
    private func isOurs(_ checkpoint: Checkpoint, _ output: Load.Output) async throws -> Bool {
        if checkpoint.run == lineage.origin { return lineage.origin != context.run }
        guard case .append = output.mode, lineage.left.contains(checkpoint.run) else { return false }
        guard lineage.isRestart else { return true }
        let accounts = try await reconcile(checkpoint, lineage.earlier(since: checkpoint.run))
        let rows = accounts.compactMap(\.written).first.map { "\($0.written)" } ?? "some"
        throw HeadraceError(
            .unsupported,
            "\(rows) rows that the interrupted run appended to \(output.sink.name) are committed and would be there twice",
            fields: [("interrupted run", lineage.earlier(since: checkpoint.run).first ?? checkpoint.run)],
            hint:
                "the same command without --restart goes on after them; to begin afresh, empty the target, or write by replace or upsert"
        )
    }

    private func drive(_ scans: [Graph.Scan], _ run: LoadRun) async throws {
        try await BlockingWork.run {
            for scan in scans {
                guard case .scan(let source) = scan.node.kind else { continue }
                try run.scan(source, scan)
            }
        }
    }

    private static func open<S: Sink>(
        _ sink: S, mode: SinkMode, _ schema: Schema, _ step: StepHandle, _ context: RunContext
    ) async throws -> any SinkEnd {
        do {
            let writer = try await sink.openWriter(for: schema, mode: mode, in: context)
            return SinkNode(sink.name, step, writer, mode: mode, clock: context.clock)
        } catch {
            throw HeadraceError.wrapping(error, "\(sink.name) cannot be written").at("step \(step.name)")
        }
    }

    /// Whether the target keeps the rows of earlier runs.
    private static func addsRows(_ mode: SinkMode) -> Bool {
        if case .replace = mode { return false }
        return true
    }

    /// Where the incremental sources of a load ended, as far as the sink holds their rows.
    private static func ends(
        in checkpoint: Checkpoint, of root: PlannedNode, _ steps: LoadSteps
    ) -> [StreamID: Position] {
        var ends: [StreamID: Position] = [:]
        for scan in root.scans {
            guard case .scan(let source) = scan.kind, source is any IncrementalSource,
                let stream = steps.stream(of: scan)
            else { continue }
            ends[stream] = checkpoint.positions[stream].flatMap { $0.isEnd ? $0.endPosition : $0 }
        }
        return ends
    }

    private static func takesEpochs(_ mode: SinkMode) -> Bool {
        switch mode {
        case .append, .upsert, .insert, .mirror, .history: true
        case .replace, .facts: false
        }
    }

    /// Plans the outputs, each against what its sink needs of the sources.
    private static func planned(
        _ load: Load, in context: RunContext
    ) async throws -> [(output: Load.Output, root: PlannedNode)] {
        let planner = Planner(context)
        var planned: [(output: Load.Output, root: PlannedNode)] = []
        for output in load.outputs {
            let root = try await planner.plan(output.relation)
            if case .mirror = output.mode { try refuseParts(root, output) }
            planned.append((output, root))
        }
        return planned
    }

    /// A mirror deletes what its load did not have: it must have everything.
    private static func refuseParts(_ root: PlannedNode, _ output: Load.Output) throws(HeadraceError) {
        for scan in root.scans {
            guard case .scan(let source) = scan.kind, source is any IncrementalSource else { continue }
            throw HeadraceError(
                .unsupported,
                "\(output.sink.name) cannot mirror \(source.name), which gives only the rows that are new",
                hint: "read the source whole, without a cursor, or write by upsert")
        }
    }

    private static func isResumable(_ node: PlannedNode) -> Bool {
        guard case .scan(let source) = node.kind else { return false }
        return source is any ResumableSource
    }
}
