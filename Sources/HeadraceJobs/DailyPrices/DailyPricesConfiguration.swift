public import HeadraceColumnar
public import HeadraceCore
public import HeadraceCurrency

/// What the daily prices job works with: feeds, stores, day and rules.
public struct DailyPricesConfiguration: Sendable {
    /// The day whose prices are collected.
    public var date: CivilDate
    /// Where the feeds are served: scheme, host and port.
    public var market: String
    /// Scraped side by side, staged one after the other in this order; names must differ.
    public var feeds: [PriceFeed]
    /// Where pages are kept as received, one folder a day under `landingPrefix`.
    public var landing: any ObjectStore
    /// The folder of landed files inside the landing zone.
    public var landingPrefix: String
    /// Where staging tables, star schema and run log live.
    public var warehouse: PriceWarehouse
    /// Where current prices are synced to.
    public var keyValue: any KeyValueStore
    /// The table of current prices in the key-value store.
    public var table: String
    /// API keys by environment variable; a key that is not here is read from the environment.
    public var keys: [String: Secret]
    /// What amounts are converted to USD by, at the rates of `date`.
    public var rates: RateTable
    /// Where `rates` were read, as a run records it, so that a replay takes the same; nil for the built-in ones.
    public var ratesName: String?
    /// Prices above this, in USD, are flagged as anomalies.
    public var anomalyThreshold: DecimalValue
    /// The longest time for one source.
    public var sourceLimit: Duration
    /// Attempts for each request.
    public var attempts: Int
    /// Landed days older than this are moved to the archive; nil keeps them.
    public var archiveDays: Int?
    /// Runs longer than this raise an alert, in seconds.
    public var longestRun: Int

    /// The job's defaults around what has none: the feeds `PriceFeed.all`, the table `Prices`, three attempts a
    /// request, five minutes a source, anomalies above 50,000 USD, an alert after half an hour.
    ///
    /// - Parameters:
    ///   - market: scheme, host and port without a slash at the end.
    ///   - rates: against USD; by default EUR 1.10, GBP 1.28 and JPY 0.0067 on every day.
    ///   - keys: API keys by environment variable; what is not here is read from the environment when a feed needs it.
    /// - Throws: nothing that a caller could cause; only the built-in rates are checked here.
    public init(
        date: CivilDate, market: String, landing: any ObjectStore, warehouse: PriceWarehouse,
        keyValue: any KeyValueStore,
        rates: RateTable? = nil, keys: [String: Secret] = [:]
    ) throws {
        self.date = date
        self.market = market
        feeds = PriceFeed.all
        self.landing = landing
        landingPrefix = "raw"
        self.warehouse = warehouse
        self.keyValue = keyValue
        table = "Prices"
        self.keys = keys
        self.rates = try rates ?? RateTable.fixed(base: "USD", ["EUR": 1.10, "GBP": 1.28, "JPY": 0.0067])
        anomalyThreshold = 50_000
        sourceLimit = .seconds(300)
        attempts = 3
        archiveDays = nil
        longestRun = 30 * 60
    }

    /// `YYYY-MM-DD`
    var day: String { Temporal.formatDate(date.daysSinceEpoch) }
}
