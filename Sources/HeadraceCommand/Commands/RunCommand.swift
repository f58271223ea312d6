import ArgumentParser
import HeadraceColumnar
import HeadraceCore
import HeadraceJobs
import HeadraceRuntime

/// Runs a built-in job.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a built-in job.", subcommands: [RunDailyPrices.self])
}

/// Where the daily prices come from and go to.
struct DailyPricesOptions: ParsableArguments {
    @Flag(
        help: "Run against the bundled market, a small HTTP server on loopback; without --date its three days in order."
    )
    var demo = false

    @Option(help: ArgumentHelp("The day whose prices are collected, in UTC (default: today).", valueName: "YYYY-MM-DD"))
    var date: String?

    @Option(help: "Where the feeds are served ($HEADRACE_MARKET).")
    var market: String?

    @OptionGroup var places: DailyPricesPlaces

    @Option(help: ArgumentHelp("Only these parts, by commas: scrape, load, sync.", valueName: "parts"))
    var only: String?

    @Option(help: ArgumentHelp("Attempts for each request ($HEADRACE_ATTEMPTS).", valueName: "n"))
    var attempts: Int?

    @Option(help: ArgumentHelp("Seconds for one source ($HEADRACE_SOURCE_SECONDS).", valueName: "s"))
    var sourceSeconds: Int?

    @Option(
        help: ArgumentHelp(
            "Move landed days older than this to the archive ($HEADRACE_ARCHIVE_DAYS).", valueName: "days"))
    var archiveDays: Int?

    func validate() throws {
        if let attempts, attempts < 1 { throw ValidationError("--attempts takes a number from 1") }
        if let sourceSeconds, sourceSeconds < 1 { throw ValidationError("--source-seconds takes a number from 1") }
        if let archiveDays, archiveDays < 0 { throw ValidationError("--archive-days takes a number from 0") }
        if let date, Self.day(date) == nil { throw ValidationError("--date takes a day as YYYY-MM-DD") }
        if let only, Self.parts(only) == nil { throw ValidationError("--only takes scrape, load and sync, by commas") }
    }

    static func day(_ text: String) -> CivilDate? {
        guard let column = ColumnVector.of(.utf8, [.utf8(text)]), let cast = try? Kernels.cast(column, to: .date32),
            case .date(let days) = cast.column.scalar(at: 0)
        else { return nil }
        return CivilDate(daysSinceEpoch: days)
    }

    static func parts(_ text: String) -> Set<DailyPrices.Part>? {
        let parts = text.split(separator: ",").map { DailyPrices.Part(rawValue: String($0)) }
        return parts.isEmpty || parts.contains(nil) ? nil : Set(parts.compactMap { $0 })
    }

    /// The days to run, in order.
    func days(_ clock: any RunClock) -> [CivilDate] {
        if let date = date.flatMap(Self.day) { return [date] }
        if demo { return DemoMarket.days.compactMap { Self.day($0.description) } }
        return [CivilDate(daysSinceEpoch: Temporal.day(ofTimestamp: clock.now()))]
    }

    /// The job's configuration for a day.
    func configuration(on date: CivilDate, market: String, state: String) throws -> DailyPricesConfiguration {
        var configuration = try places.configuration(on: date, market: market, state: state)
        if demo { configuration.keys["AMAZON_API_KEY"] = Secret(DemoMarket.apiKey) }
        if let attempts = try attempts ?? Self.number("HEADRACE_ATTEMPTS", from: 1) {
            configuration.attempts = attempts
        }
        if let seconds = try sourceSeconds ?? Self.number("HEADRACE_SOURCE_SECONDS", from: 1) {
            configuration.sourceLimit = .seconds(seconds)
        }
        configuration.archiveDays = try archiveDays ?? Self.number("HEADRACE_ARCHIVE_DAYS", from: 0)
        return configuration
    }

    /// A number from the environment.
    /// - Throws: `badOption` for what is none or too small.
    private static func number(_ variable: String, from least: Int) throws -> Int? {
        guard let text = CommonOptions.variable(variable) else { return nil }
        guard let number = Int(text), number >= least else {
            throw HeadraceError(.badOption, "$\(variable) is \"\(text)\"", hint: "give it a number from \(least)")
        }
        return number
    }

    func marketAddress() throws -> String {
        guard let market = market ?? CommonOptions.variable("HEADRACE_MARKET") else {
            throw HeadraceError(
                .badOption, "the job does not know where the feeds are served",
                hint: "say --market https://host, or --demo for the bundled market")
        }
        return market.hasSuffix("/") ? String(market.dropLast()) : market
    }
}

struct RunDailyPrices: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daily-prices", abstract: "Scrape prices, land, stage, clean, load facts, sync current prices.",
        discussion: """
            Every setting is a flag or an environment variable. API keys come from the environment: AMAZON_API_KEY.
            One feed that fails does not stop the others: the run ends with status 3, and the same command picks it up.
            """)

    @OptionGroup var job: DailyPricesOptions
    @OptionGroup var running: RunningOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let state = try common.stateFolder()
        let (options, progress) = running.options(common, allowed: .share(0.05))
        let market = job.demo ? DemoMarket() : nil
        defer { market?.stop() }
        var address = ""
        if let market {
            _ = try market.start()
            address = market.baseURL ?? ""
        } else {
            address = try job.marketAddress()
        }
        let ledger = try await CommandEnvironment.current.tool.openLedger(state)
        var isClean = true
        do {
            for day in job.days(options.clock) {
                let configuration = try job.configuration(on: day, market: address, state: state)
                let parts = job.only.flatMap(DailyPricesOptions.parts) ?? Set(DailyPrices.Part.allCases)
                let report = try await DailyPrices(configuration).run(parts, ledger, options, progress, common)
                isClean = isClean && report.state == .complete
            }
            await ledger.close()
        } catch {
            progress?.finish()
            await ledger.close()
            throw error
        }
        if !isClean { throw ExitCode(3) }
    }
}

extension DailyPrices {
    /// Runs parts of the job for its day, prints the summary and closes the key-value store.
    func run(
        _ parts: Set<Part>, _ ledger: any LedgerStore, _ options: RunOptions, _ progress: ProgressLine?,
        _ common: CommonOptions
    ) async throws -> RunReport {
        do {
            let report = try await run(ledger: ledger, options: options, parts: parts)
            progress?.finish()
            if common.jsonLog {
                try await RunSummary.print(report, ledger: ledger, as: common)
            } else if !common.quiet {
                let summary = try await DailyPricesSummary(
                    report, configuration, ledger: ledger, in: .looking(options))
                StandardStreams.error(summary.text)
            }
            await configuration.keyValue.close()
            return report
        } catch {
            await configuration.keyValue.close()
            throw error
        }
    }
}
