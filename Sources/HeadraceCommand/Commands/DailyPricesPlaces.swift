import ArgumentParser
import HeadraceColumnar
import HeadraceCore
import HeadraceCurrency
import HeadraceFiles
import HeadraceJobs
import HeadraceKeyValue
import HeadraceMySQL
import HeadracePostgreSQL
import HeadraceRuntime

/// The stores of the daily prices and the rates they are converted by: as given, else as a run recorded them, else from the
/// environment, else in the state folder.
struct DailyPricesPlaces: ParsableArguments {
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

    /// Takes what a run recorded wherever nothing is given.
    mutating func fill(from recorded: JSONValue?) {
        warehouse = warehouse ?? recorded?["warehouse"]?.stringValue
        kv = kv ?? recorded?["kv"]?.stringValue
        landing = landing ?? recorded?["landing"]?.stringValue
        rates = rates ?? recorded?["rates"]?.stringValue
    }

    /// The job's configuration for a day.
    func configuration(on date: CivilDate, market: String, state: String) throws -> DailyPricesConfiguration {
        let rates = rates ?? CommonOptions.variable("HEADRACE_RATES")
        var configuration = try DailyPricesConfiguration(
            date: date, market: market, landing: try landingStore(state), warehouse: try priceWarehouse(state),
            keyValue: try keyValueStore(state), rates: try rates.map(Self.rateTable))
        configuration.ratesName = rates
        return configuration
    }

    /// The databases that can hold the warehouse, by the schemes of their locations.
    private static let warehouses: [(schemes: [String], make: @Sendable (Location) throws -> PriceWarehouse)] = [
        (["sqlite"], { .sqlite(at: $0.address) }),
        (["postgresql", "postgres"], { .postgresql(try PostgreSQLConnector().configuration(of: $0)) }),
        (["mysql", "mariadb"], { .mySQL(try MySQLConnector().configuration(of: $0)) }),
    ]

    private func priceWarehouse(_ state: String) throws -> PriceWarehouse {
        let text = warehouse ?? CommonOptions.variable("HEADRACE_WAREHOUSE") ?? "sqlite:\(state)/warehouse.db"
        let location = try Location(text) { _ in false }
        guard let entry = Self.warehouses.first(where: { $0.schemes.contains(location.scheme) }) else {
            throw HeadraceError(
                .badLocation, "no warehouse connector serves \(location)",
                fields: [("schemes", Self.warehouses.flatMap(\.schemes).joined(separator: ", "))])
        }
        return try entry.make(location)
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

    private static func rateTable(_ path: String) throws -> RateTable {
        let text = String(decoding: try FileContents.read(path), as: UTF8.self)
        return text.hasPrefix("Date,")
            ? try RateTable(europeanCentralBank: text) : try RateTable(csv: text, base: "USD")
    }
}
