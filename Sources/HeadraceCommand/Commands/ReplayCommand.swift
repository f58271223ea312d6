import ArgumentParser
import HeadraceColumnar
import HeadraceCore
import HeadraceJobs
import HeadraceRuntime

/// Puts a run's rejects, or the whole run, through today's rules.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run a run again, or only the rows it refused.",
        discussion: """
            With --errors-only the refused rows of a copy enter at the step that refused them, pass by today's rules and are
            marked as replayed; a row is never loaded twice. Without it the run is done again whole. Locations and options are
            those of the copy; options can be given anew by --from-NAME and --to-NAME, whole locations by the environment
            ($HEADRACE_REPLAY_FROM, $HEADRACE_REPLAY_TO): the ledger keeps no secrets, so a location that held one must be. A run of daily-prices is done again for its date from the landed
            files: staging, facts and items come to what today's rules make of them, nothing is doubled, and the rows
            that the run had refused are marked as replayed.
            """)

    @Argument(help: "The run, or last.") var runID: String
    @Flag(help: "Only the rows that the run refused.") var errorsOnly = false
    @OptionGroup var places: DailyPricesPlaces
    @OptionGroup var running: RunningOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withLedger { ledger in
            let record = try await common.find(runID, in: ledger)
            if record.job.hasPrefix("copy ") {
                try await replayCopy(record, ledger)
            } else if record.job == DailyPrices.jobName {
                try await replayDailyPrices(record, ledger)
            } else {
                throw HeadraceError(
                    .unsupported,
                    "run \(record.identifier) belongs to job \(record.job), whose program alone knows its steps",
                    hint: "run that program again")
            }
        }
    }

    private func replayDailyPrices(_ record: RunRecord, _ ledger: any LedgerStore) async throws {
        let parameters = record.parameters["job"]
        guard let date = parameters?["date"]?.stringValue.flatMap(DailyPricesOptions.day) else {
            throw HeadraceError(.unsupported, "run \(record.identifier) has not recorded its date")
        }
        if errorsOnly {
            throw HeadraceError(
                .unsupported, "the facts of a day are loaded whole, not row by row",
                hint: "leave out --errors-only: the day is loaded again from its landed files, and nothing is doubled")
        }
        let (options, progress) = running.options(common, allowed: .share(0.05))
        defer { progress?.finish() }
        var places = places
        places.fill(from: parameters)
        let refused = try await ledger.openRejects(of: record.identifier)
        let configuration = try places.configuration(on: date, market: "", state: try common.stateFolder())
        let report = try await DailyPrices(configuration).run([.load, .sync], ledger, options, progress, common)
        _ = try await ledger.markReplayed(refused, by: report.run)
        if report.state != .complete { throw ExitCode(3) }
    }

    private func replayCopy(_ record: RunRecord, _ ledger: any LedgerStore) async throws {
        let (options, progress) = running.options(common, allowed: .rows(0))
        defer { progress?.finish() }
        let request = try CopyRequest(repeating: record)
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
        try await RunSummary.print(report, ledger: ledger, as: common)
        if report.state == .completeWithErrors { throw ExitCode(3) }
    }
}
