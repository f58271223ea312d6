public import HeadraceCore
import HeadraceFactTable

extension DailyPrices {
    /// What a run would do, a line each: requests, files, tables, SQL, items. Asks and changes nothing.
    public func plan(in context: RunContext) async throws -> [String] {
        var lines = ["daily prices of \(configuration.day)"]
        for feed in configuration.feeds {
            let path = feed.path.split(separator: "{date}", omittingEmptySubsequences: false).joined(
                separator: configuration.day)
            lines.append("scrape: GET \(configuration.market)\(path) and the pages that follow")
            lines.append(
                "land: \(configuration.landing.name)/\(configuration.landingPrefix)/\(configuration.day)/\(feed.name)_HHMMSS.\(feed.kind.rawValue)"
            )
        }
        for feed in configuration.feeds {
            let sink = configuration.warehouse.sink(PriceTables.stagingTable(feed))
            lines += try await sink.plan(for: PriceTables.staging, mode: .replace, in: context).map { "stage: \($0)" }
        }
        let load = PriceTables.load(processed: context.clock.now())
        lines += try await configuration.warehouse.facts.plan(for: Enrichment.output, mode: .facts(load), in: context)
            .map { "load: \($0)" }
        lines += load.summary.map { "load: \($0)" }
        lines.append("sync: \(configuration.keyValue.name), table \(configuration.table), batches of 25")
        return lines
    }
}
