import Glibc
import Testing

@testable import HeadraceJobs

/// The server over real sockets.
struct DemoMarketTests {
    private static let day = DemoMarket.days[0]

    private func market(_ change: (inout DemoMarket.Options) -> Void = { _ in }) throws -> (DemoMarket, UInt16) {
        var options = DemoMarket.Options()
        options.hasManners = false
        change(&options)
        let market = DemoMarket(options: options)
        return (market, try market.start())
    }

    @Test func `one connection carries one request after the other`() throws {
        let (market, port) = try market()
        defer { market.stop() }
        let client = try DemoMarketClient(port: port)
        var site = MarketSite(catalog: MarketCatalog(seed: 1), hasManners: false)
        for feed in MarketFeed.allCases {
            let response = try #require(client.get(feed.target(on: Self.day)))
            let request = MarketRequest(
                "GET", feed.target(on: Self.day), headers: ["x-api-key": DemoMarket.apiKey, "host": "127.0.0.1"])
            #expect(response.status == 200)
            #expect(response.body == site.respond(to: request, second: 0).body)
            #expect(response.headers["connection"] == "keep-alive")
        }
        #expect(market.exchanges.map(\.path) == MarketFeed.allCases.map(\.path))
        #expect(market.exchanges.allSatisfy { $0.status == 200 && $0.method == "GET" })
    }

    @Test func `requests sent together are answered in their order`() throws {
        let (market, port) = try market()
        defer { market.stop() }
        let client = try DemoMarketClient(port: port)
        client.write((1...20).map { "GET /missing/\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
        for number in 1...20 {
            let response = try #require(client.response())
            #expect(response.status == 404)
            #expect(String(decoding: response.body, as: UTF8.self) == "There is nothing at /missing/\(number).\n")
        }
    }

    @Test func `HEAD tells the length of the body without the body`() throws {
        let (market, port) = try market()
        defer { market.stop() }
        let client = try DemoMarketClient(port: port)
        let target = MarketFeed.retailerFeed.target(on: Self.day)
        let head = try #require(client.get(target, method: "HEAD"))
        let full = try #require(client.get(target))
        #expect(head.status == 200 && head.headers == full.headers)
        #expect(full.headers["content-length"] == String(full.body.count))
        let known = try #require(client.get(target, "If-None-Match: \(full.headers["etag"] ?? "")\r\n"))
        #expect(known.status == 304 && known.body.isEmpty)
        #expect(try #require(client.get("/robots.txt")).status == 200)
    }

    @Test(arguments: [("garbage\r\n\r\n", 400), ("GET /" + String(repeating: "a", count: 100_000), 414)])
    func `after something that is no request comes an answer and the end`(text: String, status: Int) throws {
        let (market, port) = try market()
        defer { market.stop() }
        let client = try DemoMarketClient(port: port)
        client.write(text)
        #expect(client.response()?.status == status)
        #expect(client.isClosed)
    }

    @Test func `a client that wants to close is closed after its answer`() throws {
        let (market, port) = try market()
        defer { market.stop() }
        let client = try DemoMarketClient(port: port)
        #expect(client.get("/market/days", "Connection: close\r\n")?.headers["connection"] == "close")
        #expect(client.isClosed)
    }

    @Test func `the manners show over the wire once for each feed`() throws {
        let (market, port) = try market { $0.hasManners = true }
        defer { market.stop() }
        let client = try DemoMarketClient(port: port)
        for feed in MarketFeed.allCases {
            let statuses = try (1...3).flatMap { page in
                try (1...2).map { _ in try #require(client.get(feed.target(on: Self.day, page: page))).status }
            }
            #expect(statuses.sorted() == [200, 200, 200, 200, 429, 500])
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: MarketFeed.allCases)
    func `a feed that is down is down in the way asked for until it is mended, and the others are not`(feed: MarketFeed)
        throws
    {
        let (market, port) = try market { $0.outages = [feed: .unavailable] }
        defer { market.stop() }
        let other = try #require(MarketFeed.allCases.first { $0 != feed })
        let target = feed.target(on: Self.day)
        let client = try DemoMarketClient(port: port)
        for _ in 0..<5 { #expect(client.get(target)?.status == 503) }
        #expect(client.get(other.target(on: Self.day))?.status == 200)

        market.setOutage(.closesConnection, of: feed)
        #expect(client.get(target) == nil)
        #expect(client.isClosed)

        market.setOutage(.cutsBody, of: feed)
        let cut = try #require(try DemoMarketClient(port: port).get(target))
        #expect(cut.status == 200 && cut.isCut && !cut.body.isEmpty)

        market.setOutage(.stalls, of: feed)
        let patient = try DemoMarketClient(port: port, patience: 150)
        #expect(patient.get(target) == nil)
        #expect(!patient.isClosed)

        market.setOutage(nil, of: feed)
        #expect(try DemoMarketClient(port: port).get(target)?.status == 200)
        #expect(market.exchanges.filter { $0.status == 503 }.count == 5)
    }

    @Test func `an answer is held back as long as asked for`() throws {
        let (market, port) = try market { $0.latency = .milliseconds(200) }
        defer { market.stop() }
        let client = try DemoMarketClient(port: port)
        let clock = ContinuousClock()
        let time = clock.measure { #expect(client.get("/market/days")?.status == 200) }
        #expect(time >= .milliseconds(200))
    }

    @Test func `many clients at once all get their own answers`() async throws {
        let (market, port) = try market()
        defer { market.stop() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<24 {
                group.addTask {
                    let client = try DemoMarketClient(port: port, patience: 60_000)
                    for round in 0..<10 {
                        let body = client.get("/client/\(number)/\(round)")?.body ?? []
                        let text = String(decoding: body, as: UTF8.self)
                        #expect(text == "There is nothing at /client/\(number)/\(round).\n")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(market.exchanges.count == 240)
    }

    @Test func `after a stop nobody listens, connections have ended and no socket is left`() throws {
        let (market, port) = try market()
        let idle = try DemoMarketClient(port: port)
        #expect(idle.get("/market/days")?.status == 200)
        let waiting = try DemoMarketClient(port: port)
        waiting.write("GET / HT")
        market.stop()
        market.stop()
        #expect(market.baseURL == nil)
        #expect(idle.isClosed && waiting.isClosed)
        #expect(throws: DemoMarketClient.Failure.self) { try DemoMarketClient(port: port) }
        #expect(sockets(of: port).isEmpty)
    }

    @Test func `a market that is let go closes`() throws {
        let port = try DemoMarket().start()
        #expect(throws: DemoMarketClient.Failure.self) { try DemoMarketClient(port: port) }
        #expect(sockets(of: port).isEmpty)
    }

    @Test func `a market starts once, and after a stop begins its life anew`() throws {
        let (market, port) = try market { $0.hasManners = true }
        defer { market.stop() }
        #expect(try market.start() == port)
        #expect(market.baseURL == "http://127.0.0.1:\(port)")
        for _ in 0..<2 {
            let client = try DemoMarketClient(port: try market.start())
            #expect(client.get(MarketFeed.retailerFeed.target(on: Self.day))?.status == 500)
            #expect(client.get(MarketFeed.retailerFeed.target(on: Self.day))?.status == 200)
            market.stop()
        }
    }

    @Test func `a hundred markets come and go`() throws {
        for _ in 0..<100 {
            let market = DemoMarket()
            let client = try DemoMarketClient(port: try market.start())
            #expect(client.get("/market/days")?.status == 200)
            market.stop()
        }
    }

    /// The states of this machine's sockets whose local port is the one given and that a process still owns.
    private func sockets(of port: UInt16) -> [String] {
        guard let file = fopen("/proc/net/tcp", "r") else { return ["unreadable"] }
        defer { fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { text += buffer[..<count] }
        let hex = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - hex.count) + hex
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let columns = line.split(separator: " ")
            guard columns.count > 9, columns[1].hasSuffix(suffix), columns[9] != "0" else { return nil }
            return String(columns[3])
        }
    }
}
