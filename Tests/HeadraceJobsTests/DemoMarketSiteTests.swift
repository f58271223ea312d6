import Testing

@testable import HeadraceJobs

struct DemoMarketSiteTests {
    private let day = MarketCatalog.days[0]
    private let catalog = MarketCatalog(seed: 1)

    private func request(
        _ target: String, _ method: String = "GET", _ headers: [String: String] = [:]
    ) -> MarketRequest {
        let key = ["x-api-key": DemoMarket.apiKey, "host": "market.test"]
        return MarketRequest(method, target, headers: key.merging(headers) { $1 })
    }

    @Test(arguments: MarketFeed.allCases)
    func `once in a life a page comes too soon and another fails, and both pass when asked again`(feed: MarketFeed) {
        var site = MarketSite(catalog: catalog)
        for (page, status) in [(feed.manners.limitedPage, 429), (feed.manners.failingPage, 500)] {
            let target = feed.target(on: day, page: page)
            #expect(site.respond(to: request(target, "HEAD"), second: 0).status == 200)
            let refusal = site.respond(to: request(target), second: 0)
            #expect(refusal.status == status)
            #expect(refusal.header("Retry-After") == (status == 429 ? "1" : nil))
            #expect(!refusal.body.isEmpty)
            for _ in 0..<3 { #expect(site.respond(to: request(target), second: 0).status == 200) }
        }
        let other = feed.target(on: MarketCatalog.days[1], page: feed.manners.limitedPage)
        #expect(site.respond(to: request(other), second: 0).status == 200)
    }

    @Test(arguments: MarketFeed.allCases)
    func `without manners every page is there at once`(feed: MarketFeed) {
        var site = MarketSite(catalog: catalog, hasManners: false)
        for page in 1...3 {
            for _ in 0..<35 {
                let response = site.respond(to: request(feed.target(on: day, page: page)), second: 0)
                #expect(response.status == 200 && response.header("RateLimit-Limit") == nil)
            }
        }
    }

    @Test func `a hundred requests a second are allowed and counted down, feed by feed`() {
        var site = MarketSite(catalog: catalog)
        let target = MarketFeed.ebayPrices.target(on: day)
        for left in (0..<100).reversed() {
            let response = site.respond(to: request(target), second: 5)
            #expect(response.status == 200 && response.header("RateLimit-Remaining") == String(left))
        }
        let refusal = site.respond(to: request(target), second: 5)
        #expect(refusal.status == 429 && refusal.header("Retry-After") == "1")
        #expect(refusal.header("RateLimit-Remaining") == "0")
        #expect(site.respond(to: request(MarketFeed.amazonPrices.target(on: day)), second: 5).status == 200)
        #expect(site.respond(to: request(target), second: 6).status == 200)
    }

    @Test(arguments: MarketFeed.allCases)
    func `a page that the client knows is not sent again`(feed: MarketFeed) throws {
        var site = MarketSite(catalog: catalog, hasManners: false)
        let first = site.respond(to: request(feed.target(on: day)), second: 0)
        let tag = try #require(first.header("ETag"))
        let again = site.respond(to: request(feed.target(on: day), "GET", ["if-none-match": tag]), second: 0)
        #expect(again.status == 304 && again.body.isEmpty && again.header("ETag") == tag)
        let other = feed.target(on: MarketCatalog.days[1])
        let changed = site.respond(to: request(other, "GET", ["if-none-match": tag]), second: 0)
        #expect(changed.status == 200 && changed.header("ETag") != tag)
    }

    @Test(arguments: ["/amazon/api/v1/prices?date=2026-01-05", "/amazon/api/v1/changes?date=2026-01-05"])
    func `the JSON API asks for its key`(target: String) {
        var site = MarketSite(catalog: catalog)
        for key in ["", "wrong"] {
            let response = site.respond(to: request(target, "GET", ["x-api-key": key]), second: 0)
            #expect(response.status == 401 && response.header("Content-Type") == "application/json")
            #expect(String(decoding: response.body, as: UTF8.self).contains("\"code\":\"unauthorized\""))
        }
    }

    @Test(arguments: [
        ("/ebay/export.csv", 400), ("/ebay/export.csv?date=today", 400), ("/ebay/export.csv?date=2026-02-30", 400),
        ("/ebay/export.csv?date=2026-01-05&page=0", 400), ("/ebay/export.csv?date=2026-01-05&page=x", 400),
        ("/ebay/export.csv?date=2026-01-05&page=99", 404), ("/partner/feed.xml?date=2026-01-05&part=99", 404),
        ("/amazon/api/v1/prices?date=2026-01-05&page=9223372036854775807", 404),
        ("/shop/prices.html?date=1887-11-11", 200), ("/nothing", 404), ("/", 200), ("/robots.txt", 200),
        ("/amazon/api/v1/changes?date=2026-01-05&cursor=nonsense", 400),
        ("/amazon/api/v1/changes?date=2026-01-05&cursor=c99999999999999999999999", 400),
    ])
    func `a target is answered with the status it deserves`(target: String, status: Int) {
        var site = MarketSite(catalog: catalog)
        #expect(site.respond(to: request(target), second: 0).status == status)
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "get"])
    func `other methods than GET and HEAD are not allowed`(method: String) {
        var site = MarketSite(catalog: catalog)
        let response = site.respond(to: request("/robots.txt", method), second: 0)
        #expect(response.status == 405 && response.header("Allow") == "GET, HEAD")
    }

    @Test func `the CSV export is walked by its links to the last page`() throws {
        var site = MarketSite(catalog: catalog, hasManners: false)
        var target: String? = MarketFeed.ebayPrices.target(on: day)
        var pages = 0
        while let current = target {
            let response = site.respond(to: request(current), second: 0)
            #expect(response.status == 200)
            pages += 1
            let next = try #require(response.header("Link")).split(separator: ", ").first {
                $0.hasSuffix("rel=\"next\"")
            }
            target = next.map { String($0.drop { $0 != "/" }.dropFirst("//market.test".count).prefix { $0 != ">" }) }
        }
        let rows = catalog.observations(of: .ebayPrices, on: day).count
        #expect(pages == (rows + 99) / 100)
    }

    @Test func `the changes are walked by cursors, each product once`() throws {
        var site = MarketSite(catalog: MarketCatalog(seed: 1, productCount: 400), hasManners: false)
        var titles: [String] = []
        var cursor: String? = ""
        var pages = 0
        while let current = cursor {
            let target = "/amazon/api/v1/changes?date=2026-01-06&cursor=\(current)"
            let response = site.respond(to: request(target), second: 0)
            #expect(response.status == 200)
            let text = String(decoding: response.body, as: UTF8.self)
            titles += text.matches(of: /"title":"((?:[^"\\]|\\.)*)"/).map { String($0.1) }
            cursor = text.firstMatch(of: /"next_cursor":"(\w+)"/).map { String($0.1) }
            #expect(text.contains("\"has_more\":\(cursor != nil)"))
            pages += 1
        }
        #expect(pages > 2)
        #expect(Set(titles).count == titles.count && titles.count > 100)
    }

    @Test func `the days of the demo are told, and what crawlers may do`() {
        var site = MarketSite(catalog: catalog)
        let days = site.respond(to: request("/market/days"), second: 0)
        #expect(
            String(decoding: days.body, as: UTF8.self) == "{\"days\":[\"2026-01-05\",\"2026-01-06\",\"2026-01-07\"]}\n")
        let robots = String(decoding: site.respond(to: request("/robots.txt"), second: 0).body, as: UTF8.self)
        #expect(robots.contains("User-agent: *\nCrawl-delay: 0.1\n"))
    }

    @Test(arguments: [1, 7, 1000])
    func `pages may have another size`(size: Int) {
        var site = MarketSite(catalog: catalog, pageSize: size, hasManners: false)
        let rows = catalog.observations(of: .ebayPrices, on: day).count
        let last = (rows + size - 1) / size
        #expect(site.respond(to: request(MarketFeed.ebayPrices.target(on: day, page: last)), second: 0).status == 200)
        let beyond = MarketFeed.ebayPrices.target(on: day, page: last + 1)
        #expect(site.respond(to: request(beyond), second: 0).status == 404)
    }

    @Test(arguments: MarketFeed.allCases)
    func `a day without rows has one empty page`(feed: MarketFeed) {
        var site = MarketSite(catalog: MarketCatalog(seed: 1, productCount: 0), hasManners: false)
        #expect(site.respond(to: request(feed.target(on: day)), second: 0).status == 200)
        #expect(site.respond(to: request(feed.target(on: day, page: 2)), second: 0).status == 404)
    }
}
