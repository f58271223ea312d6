import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import HeadraceLanding
import HeadraceRuntime

/// Fetches every page of every feed and keeps it as received.
struct ScrapeStep: Sendable {
    let configuration: DailyPricesConfiguration

    /// Scrapes all feeds side by side; a feed that fails is recorded and does not stop the others.
    func perform(_ run: JobRun) async throws {
        let zone = LandingZone(store: configuration.landing, prefix: configuration.landingPrefix)
        let scrape = try await zone.scrape(on: configuration.date, in: run.context)
        let feeds = configuration.feeds
        var landings: [LandingFeed] = []
        for feed in feeds { landings.append(try await scrape.source(feed.name, fileExtension: feed.kind.rawValue)) }
        let context = run.context
        let outcomes = await SideBySide.map(Array(zip(feeds, landings))) { feed, landing in
            do { try await fetch(feed, into: landing, context) } catch {
                await landing.fail(error)
                throw error
            }
        }
        let failures = zip(feeds, outcomes).compactMap { feed, outcome -> (feed: PriceFeed, error: any Error)? in
            if case .failure(let error) = outcome { (feed, error) } else { nil }
        }
        try run.context.cancellation.check()
        try run.context.faults.reach("scrape.fetched")
        let manifest = try await scrape.finish()
        try run.context.faults.reach("scrape.landed")
        for feed in feeds {
            let files = manifest.files(of: feed.name)
            for file in files {
                try await run.ledger.record(
                    InputRecord(step: "scrape", name: file.name, bytes: file.bytes, sha256: file.sha256, rows: 0),
                    of: run.context.run)
            }
        }
        for (feed, error) in failures.sorted(by: { $0.feed.name < $1.feed.name }) {
            run.fail("scrape \(feed.name)", error)
        }
        if let days = configuration.archiveDays {
            _ = try await zone.archive(olderThan: days, today: configuration.date, in: run.context)
        }
    }

    private func fetch(_ feed: PriceFeed, into landing: LandingFeed, _ context: RunContext) async throws {
        var settings = RESTConfiguration()
        settings.retry.attempts = configuration.attempts
        settings.retry.budget = configuration.sourceLimit
        if feed.obeysRobots { settings.robots = .obeyed(agent: "headrace") }
        if let key = feed.key {
            let secret = try configuration.keys[key.variable] ?? Secret(environment: key.variable)
            settings.authentication = [.header(key.header, secret)]
        }
        let client = try RESTClient(settings)
        do {
            let path = feed.path.split(separator: "{date}", omittingEmptySubsequences: false).joined(
                separator: configuration.day)
            let walk = try PageWalk(from: URLReference(configuration.market + path), feed.pagination)
            let pages = try await client.forEachPage(of: walk, within: configuration.sourceLimit, in: context) { page in
                try await landing.land(page.bytes, contentType: page.headers["Content-Type"], url: page.url.description)
                context.progress.report(
                    .read(step: "scrape \(feed.name)", rows: page.number, bytes: 0, totalBytes: nil))
            }
            try await landing.finish()
            context.log.info("landed", [("feed", feed.name), ("pages", "\(pages)")])
            await client.close()
        } catch {
            await client.close()
            throw error
        }
    }
}
