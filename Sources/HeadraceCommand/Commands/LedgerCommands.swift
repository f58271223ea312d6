import ArgumentParser
import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime

extension CommonOptions {
    /// Works with the ledger and closes it on every path.
    func withLedger<R>(_ body: (any LedgerStore) async throws -> R) async throws -> R {
        let ledger = try await openLedger()
        do {
            let result = try await body(ledger)
            await ledger.close()
            return result
        } catch {
            await ledger.close()
            throw error
        }
    }

    /// The run of that identifier; `last` is the newest.
    func find(_ name: String, in ledger: any LedgerStore) async throws -> RunRecord {
        let found = name == "last" ? try await ledger.runs(job: nil, limit: 1).first : try await ledger.run(name)
        guard let found else {
            throw HeadraceError(.notFound, "the ledger knows no run \"\(name)\"", hint: "list them by `headrace runs`")
        }
        return found
    }
}

/// Lists runs.
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "runs", abstract: "List runs, newest first.")
    @Option(help: "At most this many.") var limit = 20
    @OptionGroup var common: CommonOptions

    func validate() throws { if limit < 1 { throw ValidationError("--limit takes a number from 1") } }

    func run() async throws {
        let runs = try await common.withLedger { try await $0.runs(job: nil, limit: limit) }
        let rows = runs.map { run in
            [
                run.identifier, run.state.rawValue, Temporal.formatTimestamp(run.started, hasZone: true),
                run.ended.map { ProgressLine.duration(microseconds: $0 - run.started) } ?? "", run.job,
            ]
        }
        StandardStreams.output(TableText.render(header: ["run", "state", "started", "took", "job"], rows: rows))
    }
}

/// Shows one run.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the account of a run: per step in, added, out, rejected, filtered, merged."
    )
    @Argument(help: "The run, or last.") var runID: String
    @Flag(help: "One JSON object.") var json = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withLedger { ledger in
            let run = try await common.find(runID, in: ledger)
            let accounts = try await ledger.accounts(of: run.identifier)
            let inputs = try await ledger.inputs(of: run.identifier)
            if json {
                StandardStreams.output(RunSummary.json(run, accounts, inputs).prettyText + "\n")
                return
            }
            var text = "run \(run.identifier) of job \(run.job): \(run.state.rawValue)\n"
            text += RunSummary.table(accounts)
            for input in inputs { text += "input \(input.name): \(input.bytes) bytes, sha256 \(input.sha256)\n" }
            text += try await RunSummary.reasons(of: run.identifier, ledger)
            if let error = run.error { text += error + "\n" }
            StandardStreams.output(text)
        }
    }
}

/// Shows the rows that a run refused.
struct RejectsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rejects", abstract: "Show the rows that a run refused, with place, rule and reason.")
    @Argument(help: "The run, or last.") var runID: String
    @Flag(help: "All of them as CSV.") var csv = false
    @Flag(help: "Show the values of the rows.") var showValues = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withLedger { ledger in
            let run = try await common.find(runID, in: ledger).identifier
            if csv { return try await RejectFile.write(run, to: "-", ledger: ledger) }
            var after: Int64 = 0
            while case let page = try await ledger.rejects(of: run, after: after, limit: 1000), let last = page.last {
                after = last.number
                for record in page { StandardStreams.output(line(record)) }
            }
        }
    }

    private func line(_ record: RejectRecord) -> String {
        let reject = record.reject
        let field = reject.field.map { " \($0)" } ?? ""
        let message = showValues ? reject.messageWithValue : reject.message
        let state =
            switch record.state {
            case .open: ""
            case .replayed(let run): " (replayed in \(run))"
            case .discarded: " (discarded)"
            }
        return "\(reject.place): \(reject.step)\(field): \(message) [\(reject.code)]\(state)\n"
    }
}
