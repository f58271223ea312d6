import HeadraceColumnar
public import HeadraceCore
public import HeadraceRuntime

/// What a run of the daily prices left behind, for people.
public struct DailyPricesSummary: Sendable {
    /// The report that the figures were taken from, with the account of every step.
    public let report: RunReport
    /// The day whose prices were collected, `YYYY-MM-DD`.
    public let date: String
    /// Records landed, refused on the way to staging and staged, by feed.
    public let feeds: [(name: String, read: Int, rejected: Int, staged: Int)]
    /// Refused rows, counted by step, rule and code.
    public let rejects: [(step: String, rule: String, code: String, count: Int)]
    /// Facts that this run loaded; 0 when it did not load.
    public let facts: Int
    /// Facts of any day marked as current after the run; 0 when there is no fact table yet.
    public let currentPrices: Int
    /// Members of the product dimension after the run.
    public let products: Int
    /// What became of the items of the key-value store; items retired count as updated, all is 0 when nothing was
    /// synced.
    public let synced: WriteCounts

    /// Collects the figures of a run from its account and from the warehouse.
    public init(
        _ report: RunReport, _ configuration: DailyPricesConfiguration, ledger: any LedgerStore, in context: RunContext
    ) async throws {
        self.report = report
        date = configuration.day
        feeds = configuration.feeds.map { feed in
            let steps = report.accounts.filter { $0.step.hasPrefix("stage/\(feed.name)/") }
            return (
                feed.name, steps.first?.input ?? 0, steps.reduce(0) { $0 + $1.rejected }, steps.last?.output ?? 0
            )
        }
        rejects = try await ledger.rejectSummary(of: report.run)
        facts = report.accounts.last { $0.step == "facts/facts/load" }?.output ?? 0
        synced = report.accounts.last { $0.step == "sync" }?.written ?? WriteCounts()
        currentPrices = try await Self.count("fact_prices WHERE is_current = TRUE", configuration, context)
        products = try await Self.count("dim_products", configuration, context)
    }

    private static func count(_ what: String, _ configuration: DailyPricesConfiguration, _ context: RunContext)
        async throws -> Int
    {
        guard try await configuration.warehouse.sink("fact_prices").targetSchema(in: context) != nil else { return 0 }
        return try await first(of: configuration.warehouse.query("SELECT COUNT(*) AS n FROM \(what)"), context)
    }

    private static func first<S: Source>(of source: S, _ context: RunContext) async throws -> Int {
        let reader = try await source.openReader(for: try await source.schema(in: context), from: nil, in: context)
        do {
            var result = 0
            if case .chunk(let chunk, _) = try await reader.next() {
                let batch = try reader.decode(chunk, sequence: 0)
                if batch.count > 0 { result = Int(batch.records.columns[0].scalar(at: 0).description) ?? 0 }
            }
            await reader.close()
            return result
        } catch {
            await reader.close()
            throw error
        }
    }

    /// The summary as text, one fact a line.
    public var text: String {
        var lines = ["daily prices of \(date): \(report.state.rawValue) (run \(report.run))"]
        for feed in feeds {
            lines.append("  \(feed.name): \(feed.read) records read, \(feed.rejected) rejected, \(feed.staged) staged")
        }
        if !rejects.isEmpty {
            lines.append("  rejects:")
            lines += rejects.map { "    \($0.count) \($0.step): \($0.rule) [\($0.code)]" }
        }
        lines.append("  facts loaded: \(facts), current prices: \(currentPrices), products: \(products)")
        lines.append(
            "  items synced: \(synced.inserted) inserted, \(synced.updated) updated, \(synced.unchanged) unchanged")
        for failure in report.failures { lines.append("  failed: \(failure.step): \(failure.error.message)") }
        return lines.joined(separator: "\n") + "\n"
    }
}
