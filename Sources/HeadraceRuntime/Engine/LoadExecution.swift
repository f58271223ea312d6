import HeadraceColumnar
import HeadraceCore

/// Runs a load from planning to its last commit.
struct LoadExecution {
    let load: Load
    let context: RunContext
    let ledger: any LedgerStore
    let settings: LoadSettings
    /// Put before step names in the ledger.
    let prefix: String
    /// The run that began the work which this run resumes; this run itself otherwise.
    let origin: String

    /// Everything the plan says before anything is written.
    static func plan(_ load: Load, in context: RunContext) async throws -> [String] {
        let planner = Planner(context)
        var lines: [String] = []
        for output in load.outputs {
            let root = try await planner.plan(output.relation)
            lines += Self.describe(root)
            lines += try await output.sink.plan(for: root.schema, mode: output.mode, in: context).map {
                "\(output.mode.name): \($0)"
            }
        }
        return lines
    }

    private static func describe(_ node: PlannedNode) -> [String] {
        node.inputs.flatMap(describe) + ["\(node.step): \(node.summary) -> \(node.schema)"]
    }

    func run() async throws -> LoadReport {
        guard !load.outputs.isEmpty else { return LoadReport(accounts: [], epochs: 0, wasComplete: true) }
        let planner = Planner(context)
        var planned: [(output: Load.Output, root: PlannedNode)] = []
        for output in load.outputs { planned.append((output, try await planner.plan(output.relation))) }
        var resumed: Checkpoint?
        if settings.resumes {
            var open: [(output: Load.Output, root: PlannedNode)] = []
            for (output, root) in planned {
                let checkpoint = try await output.sink.committed(in: context)
                if let checkpoint, checkpoint.run == origin, origin != context.run {
                    // The sink has the whole load: an earlier run ended between its commit and the ledger's.
                    if checkpoint.isFinal { continue }
                    resumed = checkpoint
                }
                open.append((output, root))
            }
            guard !open.isEmpty else { return LoadReport(accounts: [], epochs: 0, wasComplete: true) }
            planned = open
        }
        let mayCommitOften =
            planned.count == 1 && planned.allSatisfy { $0.root.isStateless && Self.takesEpochs($0.output.mode) }
            && planned[0].root.scans.allSatisfy { Self.isResumable($0) } && settings.commit != .run
        let run = LoadRun(
            context: context, settings: settings, ledger: ledger, prefix: prefix, origin: origin, resuming: resumed)
        let graph = Graph(planned.map { ($0.root, "") }, run: run)
        var ends: [(root: PlannedNode, sink: any SinkEnd)] = []
        do {
            for (output, root) in planned {
                let step = run.book.enter(planned.count == 1 ? "load" : "load \(output.sink.name)")
                ends.append((root, try await Self.open(output.sink, mode: output.mode, root.schema, step, context)))
            }
            run.attach(ends.map(\.sink), commitsOften: mayCommitOften)
            let scans = try graph.scans(ends.map { ($0.root, $0.sink) })
            try await drive(scans, run)
            try await run.commit(isFinal: true)
            graph.discard()
        } catch {
            for scan in ends { await scan.sink.abort() }
            graph.discard()
            throw error
        }
        return LoadReport(accounts: run.book.accounts, epochs: run.committedEpochs, wasComplete: false)
    }

    private func drive(_ scans: [Graph.Scan], _ run: LoadRun) async throws {
        try await BlockingWork.run {
            for scan in scans {
                guard case .scan(let source) = scan.node.kind else { continue }
                try Self.scan(source, scan, run)
            }
        }
    }

    private static func scan<S: Source>(_ source: S, _ scan: Graph.Scan, _ run: LoadRun) throws {
        try run.scan(source, schema: scan.node.schema, index: scan.index, step: scan.step, into: scan.into)
    }

    private static func open<S: Sink>(
        _ sink: S, mode: SinkMode, _ schema: Schema, _ step: StepHandle, _ context: RunContext
    ) async throws -> any SinkEnd {
        do {
            let writer = try await sink.openWriter(for: schema, mode: mode, in: context)
            return SinkNode(sink.name, step, writer, clock: context.clock)
        } catch {
            throw HeadraceError.wrapping(error, "\(sink.name) cannot be written").at("step \(step.name)")
        }
    }

    private static func takesEpochs(_ mode: SinkMode) -> Bool {
        switch mode {
        case .append, .upsert: true
        case .replace, .facts: false
        }
    }

    private static func isResumable(_ node: PlannedNode) -> Bool {
        guard case .scan(let source) = node.kind else { return false }
        return source is any ResumableSource
    }
}
