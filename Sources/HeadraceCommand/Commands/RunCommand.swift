import ArgumentParser
import Files
import HeadraceColumnar
import HeadraceCore
import HeadraceCurrency
import HeadraceJobs
import HeadraceKeyValue
import HeadraceRuntime
import HeadraceSQLite

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

    @Option(help: "The warehouse ($HEADRACE_WAREHOUSE; default: sqlite:STATE/warehouse.db).")
    var warehouse: String?

    @Option(help: "The key-value store ($HEADRACE_KV; default: kv:STATE/prices.kv).")
    var kv: String?

    @Option(help: "The folder of landed files ($HEADRACE_LANDING; default: STATE/landing).")
    var landing: String?

    @Option(
        help: ArgumentHelp(
            "A rate table: date,currency,rate in USD, or the European Central Bank's eurofxref-hist.csv ($HEADRACE_RATES; default: EUR 1.10, GBP 1.28, JPY 0.0067).",
            valueName: "file"))
    var rates: String?

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
        var configuration = try DailyPricesConfiguration(
            date: date, market: market, landing: try landingStore(state), warehouse: try priceWarehouse(state),
            keyValue: try keyValueStore(state), rates: try rateTable())
        if demo { configuration.keys["AMAZON_API_KEY"] = Secret(DemoMarket.apiKey) }
        if let attempts = attempts ?? Self.number("HEADRACE_ATTEMPTS") { configuration.attempts = attempts }
        if let seconds = sourceSeconds ?? Self.number("HEADRACE_SOURCE_SECONDS") {
            configuration.sourceLimit = .seconds(seconds)
        }
        configuration.archiveDays = archiveDays ?? Self.number("HEADRACE_ARCHIVE_DAYS")
        return configuration
    }

    private static func number(_ variable: String) -> Int? { CommonOptions.variable(variable).flatMap { Int($0) } }

    func marketAddress() throws -> String {
        guard let market = market ?? CommonOptions.variable("HEADRACE_MARKET") else {
            throw HeadraceError(
                .badOption, "the job does not know where the feeds are served",
                hint: "say --market https://host, or --demo for the bundled market")
        }
        return market.hasSuffix("/") ? String(market.dropLast()) : market
    }

    private func priceWarehouse(_ state: String) throws -> PriceWarehouse {
        let text = warehouse ?? CommonOptions.variable("HEADRACE_WAREHOUSE") ?? "sqlite:\(state)/warehouse.db"
        let location = try Location(text) { _ in false }
        guard location.scheme == "sqlite" else {
            throw HeadraceError(
                .badLocation, "no warehouse connector serves \(location)", fields: [("schemes", "sqlite")])
        }
        let path = location.address
        return PriceWarehouse(
            name: location.description, facts: SQLiteSink(path: path), sink: { SQLiteSink(path: path, table: $0) },
            table: { SQLiteTableSource(path: path, table: $0) }, query: { SQLiteQuerySource(path: path, query: $0) })
    }

    private func keyValueStore(_ state: String) throws -> any KeyValueStore {
        let text = kv ?? CommonOptions.variable("HEADRACE_KV") ?? "kv:\(state)/prices.kv"
        let location = try Location(text) { _ in false }
        guard location.scheme == "kv" else {
            throw HeadraceError(.badLocation, "no key-value connector serves \(location)", fields: [("schemes", "kv")])
        }
        return EmbeddedKeyValueStore(at: location.address, clock: SystemClock())
    }

    private func landingStore(_ state: String) throws -> any ObjectStore {
        let text = landing ?? CommonOptions.variable("HEADRACE_LANDING") ?? "\(state)/landing"
        let location = try Location(text) { _ in true }
        guard location.scheme.isEmpty else {
            throw HeadraceError(.badLocation, "no landing zone serves \(location)", hint: "name a folder")
        }
        return LocalObjectStore(at: location.address)
    }

    private func rateTable() throws -> RateTable? {
        guard let path = rates ?? CommonOptions.variable("HEADRACE_RATES") else { return nil }
        let text = String(decoding: try FileContents.read(path), as: UTF8.self)
        return text.hasPrefix("Date,")
            ? try RateTable(europeanCentralBank: text) : try RateTable(csv: text, base: "USD")
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
                do {
                    let report = try await DailyPrices(configuration).run(
                        ledger: ledger, options: options, parts: parts)
                    progress?.finish()
                    let summary = try await DailyPricesSummary(
                        report, configuration, ledger: ledger, in: .looking(options))
                    if !common.quiet { StandardStreams.error(summary.text) }
                    isClean = isClean && report.state == .complete
                    await configuration.keyValue.close()
                } catch {
                    await configuration.keyValue.close()
                    throw error
                }
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
