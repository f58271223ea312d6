import Headrace
import HeadraceFiles
import HeadraceJobs
import HeadraceKeyValue
import HeadraceSQLite

// The daily prices from Swift: a program of one's own decides where things are and what the rules are.
let state = CommandLine.arguments.dropFirst().first ?? "."
let market = DemoMarket()
_ = try market.start()
defer { market.stop() }

guard let date = CivilDate(year: 2026, month: 1, day: 5) else { fatalError("the calendar has no such day") }
var configuration = try DailyPricesConfiguration(
    date: date, market: market.baseURL ?? "",
    landing: LocalObjectStore(at: "\(state)/landing"), warehouse: .sqlite(at: "\(state)/warehouse.db"),
    keyValue: EmbeddedKeyValueStore(at: "\(state)/prices.kv", clock: SystemClock()))
configuration.keys["AMAZON_API_KEY"] = Secret(DemoMarket.apiKey)
configuration.anomalyThreshold = 1_000

let ledger = try await SQLiteLedger.open(at: "\(state)/ledger.db")
let report = try await DailyPrices(configuration).run(
    ledger: ledger, options: RunOptions(allowedRejects: .share(0.1)))
print(try await DailyPricesSummary(report, configuration, ledger: ledger, in: .looking()).text, terminator: "")
await ledger.close()
