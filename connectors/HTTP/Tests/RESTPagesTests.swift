import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import HeadraceLoopback
import HeadraceTesting
import Testing

/// Serves numbered JSON pages `/items?page=n` of `pages`, with an empty one after the last.
private func itemServer(pages: Int, failing: [Int: String] = [:]) throws -> LoopbackServer {
    let tally = Tally()
    return try LoopbackServer { request, connection in
        let page = Int(request.target.split(separator: "=").last ?? "") ?? 0
        if let status = failing[page], tally.next("\(page)") == 1 {
            connection.respond(status, ["Retry-After: 1"])
        } else if request.target.hasPrefix("/missing"), page > pages {
            connection.respond("404 Not Found")
        } else {
            connection.respond(
                "200 OK", ["Content-Type: application/json"],
                text: page > pages ? #"{"items":[]}"# : #"{"items":[\#(page)]}"#)
        }
    }
}

@Suite struct RESTPagesTests {
    @Test("Every page comes once and in order, whatever fails on the way, and lands as received")
    func pages() async throws {
        let server = try itemServer(pages: 5, failing: [2: "429 Too Many Requests", 4: "503 Service Unavailable"])
        let client = try testClient()
        var walk = try PageWalk(
            from: URLReference(http: server.origin + "/items"),
            .page(parameter: "page", until: .empty(recordPath: "/items")))
        let landed = Shared<[String]>([])
        var bodies: [String] = []
        while let page = try await client.next(
            &walk, in: RunContext.testing(),
            sink: { page in
                landed.change { $0.append("\(page.number) \(String(decoding: page.bytes, as: UTF8.self))") }
            })
        {
            bodies.append(String(decoding: page.bytes, as: UTF8.self))
        }
        #expect(bodies == (1...5).map { #"{"items":[\#($0)]}"# })
        #expect(landed.current == (1...5).map { #"\#($0) {"items":[\#($0)]}"# } + [#"6 {"items":[]}"#])
        #expect(server.requests.count == 8)
    }

    @Test("A page that is not there ends where that is the end, and is an error at the start")
    func missing() async throws {
        let server = try itemServer(pages: 3)
        let pagination = Pagination.page(parameter: "page", until: .missing)
        let client = try testClient()
        let walk = try PageWalk(from: URLReference(http: server.origin + "/missing"), pagination)
        #expect(try await client.forEachPage(of: walk, in: RunContext.testing()) { _ in } == 3)
        let late = try PageWalk(
            from: URLReference(http: server.origin + "/missing"), .page(parameter: "page", from: 9, until: .missing))
        let error = await failure { _ = try await client.forEachPage(of: late, in: RunContext.testing()) { _ in } }
        #expect(error?.code == .httpStatus)
    }

    @Test("A failed page leaves the walk where it was, so that it can be asked for again")
    func again() async throws {
        let server = try itemServer(pages: 2, failing: [1: "503 Service Unavailable"])
        let client = try testClient { $0.retry = .never }
        var walk = try PageWalk(
            from: URLReference(http: server.origin + "/items"),
            .page(parameter: "page", until: .empty(recordPath: "/items")))
        #expect(await failure { _ = try await client.next(&walk, in: RunContext.testing()) }?.code == .httpStatus)
        #expect(try await client.next(&walk, in: RunContext.testing())?.number == 1)
    }

    @Test("The time for all pages is kept")
    func deadline() async throws {
        let server = try itemServer(pages: 1000)
        let clock = VirtualClock()
        let client = try testClient { $0.limits = [RateLimit(1, per: .seconds(10))] }
        let walk = try PageWalk(
            from: URLReference(http: server.origin + "/items"), .page(parameter: "page", until: .missing))
        let error = await failure {
            _ = try await client.forEachPage(of: walk, within: .seconds(45), in: RunContext.testing(clock: clock)) {
                _ in
            }
        }
        #expect(error?.code == .httpFailed || error?.code == .httpStatus)
        #expect(server.requests.count <= 6)
    }

    @Test("Another host gets no credentials")
    func credentials() async throws {
        let other = try LoopbackServer { _, connection in connection.respond(text: "{}") }
        let target = other.origin
        let server = try LoopbackServer { _, connection in connection.respond(text: "{\"next\":\"\(target)/x\"}") }
        let client = try testClient {
            $0.authentication = [.header("X-API-Key", Secret("hunter2")), .query("key", Secret("hunter3"))]
            $0.headers = ["X-Team": "blue"]
        }
        let walk = try PageWalk(
            from: URLReference(http: server.origin), .bodyLink(path: "/next"), allowsOtherOrigins: true)
        #expect(try await client.forEachPage(of: walk, in: RunContext.testing()) { _ in } == 2)
        #expect(server.requests.first?.headers["X-API-Key"] == "hunter2")
        let foreign = try #require(other.requests.first)
        #expect(foreign.headers["X-API-Key"] == nil && foreign.headers["X-Team"] == nil && foreign.target == "/x")
    }

    @Test("A key in the query is in no URL that comes back, even when the server copies it into its link")
    func keyInLink() async throws {
        let server = try LoopbackServer { request, connection in
            connection.respond(text: request.target.contains("p=2") ? "{}" : "{\"next\":\"\(request.target)&p=2\"}")
        }
        let client = try testClient { $0.authentication = [.query("key", Secret("hunter3"))] }
        var walk = try PageWalk(from: URLReference(http: server.origin + "/x?a=1"), .bodyLink(path: "/next"))
        let page = try await client.next(&walk, in: RunContext.testing())
        #expect(page?.url.text == server.origin + "/x?a=1")
        #expect(walk.position?.value["url"]?.stringValue == server.origin + "/x?a=1&p=2")
        _ = try await client.next(&walk, in: RunContext.testing())
        #expect(server.requests.map(\.target) == ["/x?a=1&key=hunter3", "/x?a=1&p=2&key=hunter3"])
    }

    @Test("A page that cannot be followed is named with its URL")
    func named() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(text: "<html>") }
        let walk = try PageWalk(from: URLReference(http: server.origin + "/a?key=s"), .bodyLink(path: "/next"))
        let error = await failure {
            _ = try await testClient().forEachPage(of: walk, in: RunContext.testing()) { _ in }
        }
        #expect(error?.trail == ["page 1 of \(server.origin)/a?key=<redacted>"])
    }
}

@Suite struct RobotsGateTests {
    @Test("What robots.txt forbids is not asked for, and its crawl delay is kept")
    func obeyed() async throws {
        let server = try LoopbackServer { request, connection in
            if request.target == "/robots.txt" {
                connection.respond(text: "User-agent: *\nDisallow: /private\nCrawl-delay: 2")
            } else {
                connection.respond(text: "page")
            }
        }
        let clock = VirtualClock()
        let client = try testClient { $0.robots = .obeyed(agent: "headrace") }
        let context = RunContext.testing(clock: clock)
        for _ in 0..<3 { _ = try await client.get(URLReference(http: server.origin + "/open"), in: context) }
        #expect(clock.monotonic() - 1_000_000_000 >= 4_000_000_000)
        let error = await failure {
            _ = try await client.get(URLReference(http: server.origin + "/private/x?y"), in: context)
        }
        #expect(error?.code == .robotsDisallowed)
        #expect(server.requests.map(\.target) == ["/robots.txt", "/open", "/open", "/open"])
    }

    @Test(
        "No file allows everything, a file that cannot be had allows nothing",
        arguments: [("404 Not Found", true), ("403 Forbidden", true), ("500 Internal Server Error", false)])
    func absent(status: String, isAllowed: Bool) async throws {
        let server = try LoopbackServer { request, connection in
            if request.target == "/robots.txt" { connection.respond(status) } else { connection.respond(text: "page") }
        }
        let client = try testClient { $0.robots = .obeyed(agent: "headrace") }
        let error = await failure {
            _ = try await client.get(URLReference(http: server.origin + "/x"), in: RunContext.testing())
        }
        #expect(isAllowed ? error == nil : error?.code == .robotsDisallowed && error?.retry == .mayHelp)
    }
}
