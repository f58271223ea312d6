import HeadraceColumnar
public import HeadraceCore
public import HeadraceRuntime
import HeadraceValidation

/// The prebuilt daily job: scrapes prices, lands them raw, stages, validates, deduplicates, normalizes, enriches and loads
/// them into a star schema, and syncs current prices to a key-value store.
///
/// The same date run twice gives the same tables; a run killed anywhere and run again does too.
public struct DailyPrices: Sendable {
    /// The job's name: its lease and its runs are kept under it.
    public static let jobName = "daily-prices"

    /// The parts of the job, which may be run on their own.
    public enum Part: String, Sendable, Hashable, CaseIterable {
        /// Fetch the feeds and land them.
        case scrape
        /// Stage the landed files and load the star schema.
        case load
        /// Bring the key-value store up to date.
        case sync
    }

    /// What this job works with; runs do not change it.
    public let configuration: DailyPricesConfiguration

    /// A job over `configuration`. Connects to nothing: that is for `run` and `plan`.
    public init(_ configuration: DailyPricesConfiguration) { self.configuration = configuration }

    /// Runs the job, or some parts of it.
    /// - Throws: what ended a run that failed; "failed" is in the run log then.
    public func run(ledger: any LedgerStore, options: RunOptions, parts: Set<Part> = Set(Part.allCases)) async throws
        -> RunReport
    {
        let started = options.clock.now()
        alertIfLate(started, options.log)
        let load = LoadStep(configuration: configuration)
        do {
            let report = try await JobRunner(ledger: ledger, options: options).run(job(parts, started, load))
            alert(report, took: options.clock.now() - started, options.log)
            return report
        } catch {
            let log = RunLog(warehouse: configuration.warehouse, date: configuration.date, context: .looking(options))
            let text = HeadraceError.wrapping(error, "the run failed").description
            try? await log.write(.failed, .error, processed: 0, rejected: 0, started: started, error: text)
            throw error
        }
    }

    /// The steps, as the runner takes them.
    func job(_ parts: Set<Part>, _ started: Int64, _ load: LoadStep) -> Job {
        let configuration = self.configuration
        var job = Job(
            Self.jobName,
            parameters: .object([
                ("date", .string(configuration.day)), ("warehouse", .string(configuration.warehouse.name)),
                ("kv", .string(configuration.keyValue.name)), ("landing", .string(configuration.landing.name)),
                ("rates", configuration.ratesName.map { .string($0) } ?? .null),
                ("parts", .array(Part.allCases.filter { parts.contains($0) }.map { .string($0.rawValue) })),
            ]))
        job = job.step("start") { run in
            try await log(run).write(.start, .running, processed: 0, rejected: 0, started: started)
        }
        var before = "start"
        if parts.contains(.scrape) {
            job = job.step("scrape", after: [before]) { run in
                try await ScrapeStep(configuration: configuration).perform(run)
            }
            before = "scrape"
        }
        if parts.contains(.load) {
            job = job.step("stage", after: [before]) { run in
                try await StageStep(configuration: configuration).perform(run)
            }
            .step("facts", after: ["stage"]) { run in
                try await load.perform(run, processed: started)
                for (rule, count) in load.counts.byRule.sorted(by: { $0.key < $1.key }) {
                    run.context.log.info("rule broken", [("rule", rule), ("rows", "\(count)")])
                }
                let (processed, rejected) = try await totals(run)
                try await log(run).write(
                    .validation, .success, processed: processed, rejected: rejected, started: started)
            }
            before = "facts"
        }
        if parts.contains(.sync) {
            job = job.step("sync", after: [before]) { run in
                try await SyncStep(configuration: configuration).perform(run)
            }
            before = "sync"
        }
        return job.step("complete", after: [before]) { run in
            let (processed, rejected) = try await totals(run)
            try await log(run).write(
                .complete, run.failures.isEmpty ? .success : .error, processed: processed, rejected: rejected,
                started: started,
                error: Self.causes(run.failures))
        }
    }

    /// What failed and why, a line each; nil when nothing did.
    static func causes(_ failures: [(step: String, error: HeadraceError)]) -> String? {
        failures.isEmpty ? nil : failures.map { "\($0.step): \($0.error.description)" }.joined(separator: "\n")
    }

    private func log(_ run: JobRun) -> RunLog {
        RunLog(warehouse: configuration.warehouse, date: configuration.date, context: run.context)
    }

    /// Records read from the landed files, and rows refused by any step.
    private func totals(_ run: JobRun) async throws -> (processed: Int, rejected: Int) {
        let accounts = try await run.ledger.accounts(of: run.context.run)
        let read = accounts.filter { $0.step.hasPrefix("stage/") && $0.step.hasSuffix("/read") }.reduce(0) {
            $0 + $1.input
        }
        return (read, accounts.reduce(0) { $0 + $1.rejected })
    }

    /// The job is to begin at 02:00 UTC; not begun by 04:00 of its day is an alert.
    private func alertIfLate(_ started: Int64, _ log: EventLog) {
        let day = Temporal.day(ofTimestamp: started)
        let minute = Temporal.timeOfDay(ofTimestamp: started) / 60_000_000
        if day == configuration.date.daysSinceEpoch && minute >= 4 * 60 {
            log.warning("alert: the run began after 04:00 UTC", [("date", configuration.day)])
        }
    }

    private func alert(_ report: RunReport, took: Int64, _ log: EventLog) {
        for failure in report.failures {
            log.error("alert: \(failure.step) failed", [("error", failure.error.message)])
        }
        if took / 1_000_000 > configuration.longestRun {
            log.error(
                "alert: the run took longer than \(configuration.longestRun) s", [("seconds", "\(took / 1_000_000)")])
        }
    }
}
