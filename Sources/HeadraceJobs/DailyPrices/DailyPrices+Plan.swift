public import HeadraceCore
import HeadraceFactTable

extension DailyPrices {
    /// What a run of these parts would do, a line each: requests, files, tables, SQL, items. Asks and changes nothing.
    public func plan(_ parts: Set<Part> = Set(Part.allCases), in context: RunContext) async throws -> [String] {
        var lines = ["daily prices of \(configuration.day)"]
        if parts.contains(.scrape) { lines += planScrape() }
        if parts.contains(.load) { lines += try await planLoad(context) }
        if parts.contains(.sync) {
            lines.append("sync: \(configuration.keyValue.name), table \(configuration.table), batches of 25")
        }
        return lines
    }

    private func planScrape() -> [String] {
        var lines: [String] = []
        for feed in configuration.feeds {
            let path = feed.path.split(separator: "{date}", omittingEmptySubsequences: false).joined(
                separator: configuration.day)
            lines.append("scrape: GET \(configuration.market)\(path) and the pages that follow")
            lines.append(
                "land: \(configuration.landing.name)/\(configuration.landingPrefix)/\(configuration.day)/\(feed.name)_HHMMSS.\(feed.kind.rawValue)"
            )
        }
        return lines
    }

    private func planLoad(_ context: RunContext) async throws -> [String] {
        var lines: [String] = []
        for feed in configuration.feeds {
            let sink = configuration.warehouse.sink(PriceTables.stagingTable(feed))
            lines += try await sink.plan(for: PriceTables.staging, mode: .replace, in: context).map { "stage: \($0)" }
        }
        let load = PriceTables.load(processed: context.clock.now())
        let facts = try await configuration.warehouse.facts.plan(
            for: Enrichment.output, mode: .facts(load), in: context)
        return lines + facts.map { "load: \($0)" }
    }
}
