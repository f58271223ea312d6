import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import HeadraceLanding
import HeadraceRuntime
import HeadraceTesting
import Testing

@testable import HeadraceFiles
@testable import HeadraceJobs

/// The market as the REST client walks it and the landing zone keeps it.
struct DemoMarketScrapeTests {
    private static let day = DemoMarket.days[1]

    private var context: RunContext { .testing(job: "scrape", clock: SystemClock(), seed: 3) }

    private func pagination(of feed: MarketFeed) -> Pagination {
        switch feed {
        case .ebayPrices: .linkHeader
        case .amazonPrices: .page(parameter: "page", until: .total(path: "/pagination/pages"))
        case .retailerFeed: .elementLink("next")
        case .pricePage: .htmlLink
        }
    }

    @Test("Four feeds land side by side, every page once and as the market made it, in spite of its manners")
    func scrape() async throws {
        let market = DemoMarket()
        try market.start()
        defer { market.stop() }
        let base = try #require(market.baseURL)
        let folder = "/tmp/headrace-scrape-\(getpid())"
        defer { removeFolder(folder) }
        let zone = LandingZone(store: LocalObjectStore(at: folder))
        var configuration = RESTConfiguration()
        configuration.http.proxy = .none
        configuration.authentication = [.header("X-API-Key", Secret(DemoMarket.apiKey))]
        configuration.limits = [RateLimit(100, per: .seconds(1))]
        let client = try RESTClient(configuration)
        let date = CivilDate(daysSinceEpoch: Int32(Self.day.ordinal))
        let context = context
        let scrape = try await zone.scrape(on: date, in: context)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for feed in MarketFeed.allCases {
                let walk = try PageWalk(
                    from: URLReference(http: base + feed.target(on: Self.day)), pagination(of: feed))
                let landing = try await scrape.source(feed.rawValue, fileExtension: "raw")
                group.addTask {
                    _ = try await client.forEachPage(of: walk, in: context) { page in
                        try await landing.land(
                            page.bytes, contentType: page.headers["Content-Type"], url: page.url.redacted,
                            requests: page.response.attempts)
                    }
                    try await landing.finish()
                }
            }
            try await group.waitForAll()
        }
        try await scrape.finish()

        let landed = try await zone.read(date, in: context)
        #expect(landed.sources == MarketFeed.allCases.map(\.rawValue).sorted())
        var site = MarketSite(catalog: MarketCatalog(seed: 1), hasManners: false)
        let host = String(base.dropFirst("http://".count))
        for feed in MarketFeed.allCases {
            let files = landed.manifest.files(of: feed.rawValue)
            #expect(files.count > 1)
            for file in files {
                let request = MarketRequest(
                    "GET", feed.target(on: Self.day, page: file.page),
                    headers: ["x-api-key": DemoMarket.apiKey, "host": host])
                let body = site.respond(to: request, second: 0).body
                let contents = try FileContents.read("\(folder)/raw/\(date)/\(file.name)")
                #expect(contents == body, "\(file.name)")
            }
            let missing = site.respond(
                to: MarketRequest(
                    "GET", feed.target(on: Self.day, page: files.count + 1),
                    headers: ["x-api-key": DemoMarket.apiKey, "host": host]), second: 0)
            #expect(missing.status == 404, "the last page was reached")
        }
        let statistics = try await zone.statistics(on: date)
        #expect(statistics.allSatisfy { $0.error == nil && $0.requests == $0.files + 2 }, "one 429 and one 500 a feed")
    }

    private func removeFolder(_ path: String) {
        for name in Folder.names(in: path) ?? [] {
            let entry = "\(path)/\(name)"
            if FileStatus(at: entry)?.kind == .folder { removeFolder(entry) } else { unlink(entry) }
        }
        rmdir(path)
    }
}
