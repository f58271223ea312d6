import ArgumentParser
import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime

/// Puts a run's rejects, or the whole run, through today's rules.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run a run again, or only the rows it refused.",
        discussion: """
            With --errors-only the refused rows of a copy enter at the step that refused them, pass by today's rules and are
            marked as replayed; a row is never loaded twice. Without it the run is done again whole. Options of the copy's ends
            can be given anew by --from-NAME and --to-NAME. Runs of daily-prices are done again for their date, from the landed
            files: that repeats facts and staging and doubles nothing.
            """)

    @Argument(help: "The run, or last.") var runID: String
    @Flag(help: "Only the rows that the run refused.") var errorsOnly = false
    @OptionGroup var running: RunningOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withLedger { ledger in
            let record = try await common.find(runID, in: ledger)
            if record.job.hasPrefix("copy ") {
                try await replayCopy(record, ledger)
            } else {
                throw HeadraceError(
                    .unsupported, "run \(record.identifier) belongs to job \(record.job), which is repeated as a whole",
                    hint: Self.again(record))
            }
        }
    }

    /// The command that repeats a run of the daily prices from its landed files.
    private static func again(_ record: RunRecord) -> String {
        let date = record.parameters["job"]?["date"]?.stringValue ?? "YYYY-MM-DD"
        return "headrace run daily-prices --date \(date) --only load,sync"
    }

    private func replayCopy(_ record: RunRecord, _ ledger: any LedgerStore) async throws {
        let (options, progress) = running.options(common, allowed: .rows(0))
        defer { progress?.finish() }
        let request = try CopyRequest(repeating: record.parameters["job"] ?? .null)
        let copy = try await request.resolve(in: .looking(options))
        let report: RunReport
        if errorsOnly {
            report = try await Replay(of: record, through: copy.load, ledger: ledger).perform(with: options)
        } else {
            var again = options
            again.restarts = true
            report = try await JobRunner(ledger: ledger, options: again).run(
                Job(copy.job, parameters: copy.parameters, copy.load))
        }
        progress?.finish()
        if !common.quiet { try await RunSummary.print(report, ledger: ledger) }
        if report.state == .completeWithErrors { throw ExitCode(3) }
    }
}
