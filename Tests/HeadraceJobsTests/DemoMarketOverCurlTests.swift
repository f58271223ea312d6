import HeadraceHTTPClient
import Testing

@testable import HeadraceJobs

/// The market as the job's own client sees it.
struct DemoMarketOverCurlTests {
    private static let day = DemoMarket.days[2]

    private func get(_ target: String, from market: DemoMarket, with client: HTTPClient) async throws -> (
        status: Int, wait: String?, body: [UInt8]
    ) {
        let base = try #require(market.baseURL)
        var request = HTTPRequest("GET", try URLReference(base + target))
        request.headers["X-API-Key"] = DemoMarket.apiKey
        let response = try await client.send(request)
        return (response.status, response.headers["Retry-After"], try await response.body.collect(upTo: 1 << 20))
    }

    @Test(arguments: MarketFeed.allCases)
    func `every page arrives whole, after one refusal and one failure`(feed: MarketFeed) async throws {
        let market = DemoMarket()
        try market.start()
        defer { market.stop() }
        let client = try HTTPClient()
        var site = MarketSite(catalog: MarketCatalog(seed: 1), hasManners: false)
        let host = try #require(market.baseURL).dropFirst("http://".count)
        var statuses: [Int] = []
        for page in 1... {
            let target = feed.target(on: Self.day, page: page)
            var answer = try await get(target, from: market, with: client)
            while answer.status == 429 || answer.status == 500 {
                #expect(answer.wait == (answer.status == 429 ? "1" : nil))
                statuses.append(answer.status)
                answer = try await get(target, from: market, with: client)
            }
            if answer.status == 404 { break }
            let request = MarketRequest(
                "GET", target, headers: ["x-api-key": DemoMarket.apiKey, "host": String(host)])
            #expect(answer.body == site.respond(to: request, second: 0).body)
        }
        #expect(statuses.sorted() == [429, 500])
        await client.close()
    }

    @Test(arguments: [MarketOutage.closesConnection, .cutsBody])
    func `a feed that breaks off is an error that a retry can mend`(outage: MarketOutage) async throws {
        var options = DemoMarket.Options()
        options.outages = [.amazonPrices: outage]
        let market = DemoMarket(options: options)
        try market.start()
        defer { market.stop() }
        let client = try HTTPClient()
        let target = MarketFeed.amazonPrices.target(on: Self.day)
        let error = await #expect(throws: HTTPClientError.self) {
            _ = try await get(target, from: market, with: client)
        }
        #expect(error?.isRetryable == true)
        market.setOutage(nil, of: .amazonPrices)
        #expect(try await get(target, from: market, with: client).status == 200)
        await client.close()
    }
}
