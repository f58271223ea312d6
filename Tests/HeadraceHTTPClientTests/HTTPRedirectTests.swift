import HeadraceHTTPClient
import HeadraceLoopback
import Testing

@Suite struct HTTPRedirectTests {
    private func send(_ request: HTTPRequest) async throws -> (HTTPResponse, [UInt8]) {
        let response = try await makeClient().send(request)
        return (response, try await response.body.collect(upTo: 1 << 20))
    }

    @Test func `redirects are followed over one connection to the URL that answers`() async throws {
        let server = try LoopbackServer { request, connection in
            switch request.target {
            case "/a/start?x=1": connection.respond("301 Moved", ["Location: ../b/middle"], text: "moved")
            case "/b/middle": connection.respond("307 Moved", ["Location: ?y=2"])
            default: connection.respond(text: request.target)
            }
        }
        let start = try URLReference("\(server.origin)/a/start?x=1#here")
        let (response, body) = try await send(
            HTTPRequest("GET", start, headers: ["Authorization": "s1", "X-Token": "s2"]))
        #expect(body == Array("/b/middle?y=2".utf8))
        #expect(response.url.text == "\(server.origin)/b/middle?y=2#here")
        #expect(response.redirects.map(\.text) == [start.text, "\(server.origin)/b/middle#here"])
        #expect(server.connectionCount == 1)
        #expect(server.requests.allSatisfy { $0.headers["Authorization"] == "s1" && $0.headers["X-Token"] == "s2" })
    }

    @Test func `no secret goes to another host, and none comes back to the first`() async throws {
        let other = try LoopbackServer { request, connection in
            let first = request.headers["Referer-Port"] ?? request.target.dropFirst().description
            connection.respond("302 Found", ["Location: http://127.0.0.1:\(first)/back"])
        }
        let server = try LoopbackServer { request, connection in
            if request.target == "/back" {
                connection.respond(text: "back")
            } else {
                connection.respond("302 Found", ["Location: http://u:p@localhost:\(request.target.dropFirst())"])
            }
        }
        let secrets: HTTPHeaders = [
            "Authorization": "Bearer s1", "Cookie": "id=s2", "X-API-Key": "s3", "x-company": "s4", "Host": "s5",
            "Proxy-Authorization": "s6", "Accept": "text/csv", "If-None-Match": "\"e\"",
        ]
        var request = HTTPRequest("GET", try URLReference("http://us:s7@127.0.0.1:\(server.port)/x"), headers: secrets)
        request.url = try URLReference("http://us:s7@127.0.0.1:\(server.port)/\(other.port)/\(server.port)")
        let (response, body) = try await send(request)
        #expect(body == Array("back".utf8))
        #expect(response.redirects.count == 2)
        let sent = try #require(server.requests.first).headers
        #expect(sent["Authorization"] == "Bearer s1" && sent["Cookie"] == "id=s2" && sent["X-API-Key"] == "s3")
        for (where_, headers) in [("other", other.requests[0].headers), ("back", server.requests[1].headers)] {
            let fields = headers.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            for secret in 1...7 { #expect(!fields.contains("s\(secret)"), "\(where_): \(fields)") }
            #expect(headers["Accept"] == "text/csv")
            #expect(headers["If-None-Match"] == "\"e\"")
            #expect(headers["User-Agent"] == HTTPClient.defaultUserAgent)
        }
        #expect(other.requests[0].headers["Host"] == "localhost:\(other.port)")
    }

    @Test(arguments: [
        (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"), (301, "PUT", "PUT"),
        (307, "POST", "POST"), (308, "PUT", "PUT"), (302, "DELETE", "DELETE"),
    ])
    func `the method and the body after a redirect are those of the standard`(
        status: Int, method: String, after: String
    ) async throws {
        let server = try LoopbackServer { request, connection in
            if request.target == "/to" {
                connection.respond(text: "done")
            } else {
                connection.respond("\(status) There", ["Location: /to"])
            }
        }
        let body = Array("a=1".utf8)
        let headers: HTTPHeaders = ["Content-Type": "text/plain", "X-A": "1"]
        _ = try await send(HTTPRequest(method, URLReference(server.origin), headers: headers, body: body))
        let last = try #require(server.requests.last)
        #expect(last.method == after)
        #expect(last.body == (after == "GET" ? [] : body))
        #expect(last.headers["Content-Type"] == (after == "GET" ? nil : "text/plain"))
        #expect(last.headers["X-A"] == "1")
    }

    @Test func `a circle and a chain that is too long end as errors`() async throws {
        let server = try LoopbackServer { request, connection in
            connection.respond("302 Found", ["Location: /\((Int(request.target.dropFirst()) ?? 0) + 1)"])
        }
        var request = HTTPRequest("GET", try URLReference(server.origin))
        request.redirects.limit = 4
        let limited = request
        let error = await failure { _ = try await send(limited) }
        #expect(error?.code == .tooManyRedirects)
        #expect(error?.isRetryable == false)
        #expect(error?.url == "\(server.origin)/4")
        #expect(server.requests.count == 5)
        request.redirects = .none
        let (response, _) = try await send(request)
        #expect(response.status == 302)
        #expect(response.headers["Location"] == "/1")
    }

    @Test(arguments: [
        ["Location: file:///etc/passwd"], ["Location: ftp://127.0.0.1/x"], ["Location: http://a@b@c/"],
        ["Location: http://h:99999/"], ["Location: http:///x"], ["Location: /a", "Location: /b"],
    ])
    func `a redirect that must not be followed is an error`(headers: [String]) async throws {
        let server = try LoopbackServer { _, connection in connection.respond("302 Found", headers) }
        let request = HTTPRequest("GET", try URLReference(server.origin))
        let error = await failure { _ = try await send(request) }
        #expect(error?.code == .badRedirect, "\(String(describing: error))")
        #expect(error?.isRetryable == false)
        #expect(server.requests.count == 1)
    }

    @Test func `a body does not go to another origin unless that is allowed`() async throws {
        let other = try LoopbackServer { request, connection in connection.respond(text: "\(request.body.count)") }
        let server = try LoopbackServer { _, connection in
            connection.respond("307 There", ["Location: \(other.origin)/in"])
        }
        var request = HTTPRequest("POST", try URLReference(server.origin), body: Array("client_secret=s".utf8))
        let refused = request
        #expect(await failure { _ = try await send(refused) }?.code == .badRedirect)
        #expect(other.requests.isEmpty)
        request.redirects.allowsBodyToOtherOrigin = true
        #expect(try await send(request).1 == Array("15".utf8))
    }

    @Test func `a redirect without a location, or with a status that is none, is the answer`() async throws {
        let server = try LoopbackServer { request, connection in
            request.target == "/300"
                ? connection.respond("300 Choices", ["Location: /x"]) : connection.respond("302 Found", text: "body")
        }
        #expect(try await send(HTTPRequest("GET", URLReference(server.origin + "/300"))).0.status == 300)
        let (response, body) = try await send(HTTPRequest("GET", URLReference(server.origin)))
        #expect(response.status == 302 && body == Array("body".utf8))
    }
}
