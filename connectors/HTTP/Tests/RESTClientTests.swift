import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import HeadraceLoopback
import HeadraceRuntime
import HeadraceTesting
import Testing

@Suite struct RESTClientTests {
    @Test("A 429 with Retry-After and a 500 pass on the third attempt, after the waits that were asked for")
    func retries() async throws {
        let tally = Tally()
        let server = try LoopbackServer { request, connection in
            switch tally.next(request.target) {
            case 1: connection.respond("429 Too Many Requests", ["Retry-After: 3"], text: "slow down")
            case 2: connection.respond("500 Internal Server Error", text: "oops")
            default: connection.respond(text: "fine")
            }
        }
        let clock = VirtualClock()
        let log = LogLines()
        let response = try await testClient().get(
            URLReference(http: server.origin + "/x"), in: RunContext.testing(clock: clock, log: log.log))
        #expect(String(decoding: response.bytes, as: UTF8.self) == "fine")
        #expect(response.attempts == 3 && server.requests.count == 3)
        #expect(clock.sleeps.first == .seconds(3) && clock.sleeps.count == 2)
        #expect(log.all.count == 2 && log.all[0].contains("status 429") && log.all[0].contains("3 s"))
    }

    @Test("A connection cut before or inside the body is tried again", arguments: [false, true])
    func cut(inBody: Bool) async throws {
        let tally = Tally()
        let server = try LoopbackServer { _, connection in
            if tally.next("x") == 1 {
                if inBody { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") }
                connection.close()
            } else {
                connection.respond(text: "whole")
            }
        }
        let response = try await testClient().get(URLReference(http: server.origin), in: RunContext.testing())
        #expect(String(decoding: response.bytes, as: UTF8.self) == "whole")
        #expect(response.attempts == 2)
    }

    @Test("A refusal names URL, status, attempts, the server's words and what to do, and hides every secret")
    func refusal() async throws {
        let server = try LoopbackServer { request, connection in
            let key = request.headers["X-API-Key"] ?? ""
            connection.respond(
                "401 Unauthorized", ["Content-Type: application/json"],
                text: "{\"error\":\"the key \(key) is not\nvalid, \(request.target)\"}")
        }
        let client = try testClient {
            $0.authentication = [
                .header("X-API-Key", Secret("hunter2secret")), .query("k", Secret("s3cr3t/value")),
                .basic(user: "me", password: Secret("pass-word")), .bearer(Secret("tok-en-1")),
            ]
        }
        let log = LogLines()
        let error = await failure {
            _ = try await client.get(
                URLReference(http: server.origin + "/p?token=abc-def&x=1"), in: RunContext.testing(log: log.log))
        }
        let text = "\(try #require(error))"
        #expect(error?.code == .httpStatus && error?.retry == .never)
        #expect(text.contains("/p?token=<redacted>&x=1 was answered with status 401"))
        #expect(text.contains("attempts: 1 in"))
        #expect(text.contains("the key <redacted> is not valid"))
        #expect(text.contains("try: check the key"))
        for secret in ["hunter2secret", "s3cr3t", "pass-word", "tok-en-1", "abc-def"] {
            #expect(!text.contains(secret))
        }
        let sent = try #require(server.requests.first)
        #expect(sent.headers["X-API-Key"] == "hunter2secret")
        #expect(sent.target == "/p?token=abc-def&x=1&k=s3cr3t%2Fvalue")
        #expect(sent.headers["Authorization"] == "Bearer tok-en-1")
    }

    @Test("When attempts are spent the error says so and that a later run may succeed")
    func spent() async throws {
        let server = try LoopbackServer { _, connection in connection.respond("503 Service Unavailable") }
        let error = await failure {
            _ = try await testClient().get(URLReference(http: server.origin), in: RunContext.testing())
        }
        #expect(server.requests.count == 3)
        #expect(error?.retry == .mayHelp && error?.reason == "all attempts were used")
    }

    @Test("A wait that is too long is handed on as the time after which to retry")
    func tooLongWait() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond("429 Too Many Requests", ["Retry-After: 4000"])
        }
        let error = await failure {
            _ = try await testClient().get(URLReference(http: server.origin), in: RunContext.testing())
        }
        #expect(error?.retry == .after(.seconds(4000)))
        #expect(server.requests.count == 1)
    }

    @Test("No connection is an error that says what to check")
    func refused() async throws {
        let port = try { try LoopbackServer().port }()
        let error = await failure {
            _ = try await testClient().get(URLReference(http: "http://127.0.0.1:\(port)/x"), in: RunContext.testing())
        }
        #expect(error?.code == .httpFailed && error?.retry == .mayHelp)
        #expect(error?.hint?.contains("check that the server runs") == true)
    }

    @Test("A POST is not sent twice after a 503, and is after a 429")
    func post() async throws {
        let tally = Tally()
        let server = try LoopbackServer { request, connection in
            if request.target == "/429" && tally.next("429") == 1 {
                connection.respond("429 Too Many Requests")
            } else if request.target == "/503" {
                connection.respond("503 Service Unavailable")
            } else {
                connection.respond(text: String(decoding: request.body, as: UTF8.self))
            }
        }
        let client = try testClient()
        let again = try await client.send(
            RESTRequest("POST", URLReference(http: server.origin + "/429"), body: Array("hello".utf8)),
            in: RunContext.testing())
        #expect(String(decoding: again.bytes, as: UTF8.self) == "hello" && again.attempts == 2)
        let error = await failure {
            _ = try await client.send(
                RESTRequest("POST", URLReference(http: server.origin + "/503"), body: [1]), in: RunContext.testing())
        }
        #expect(error?.reason?.contains("not sent twice") == true)
        #expect(server.requests.filter { $0.target == "/503" }.count == 1)
    }

    @Test("An ETag that still holds brings 304 and no body")
    func notModified() async throws {
        let server = try LoopbackServer { request, connection in
            if request.headers["If-None-Match"] == "\"v1\"" {
                connection.send("HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n")
            } else {
                connection.respond("200 OK", ["ETag: \"v1\""], text: "body")
            }
        }
        let client = try testClient()
        let first = try await client.get(URLReference(http: server.origin), in: RunContext.testing())
        #expect(first.etag == "\"v1\"" && !first.isNotModified)
        let second = try await client.get(
            URLReference(http: server.origin), ifNoneMatch: first.etag, in: RunContext.testing())
        #expect(second.isNotModified && second.bytes.isEmpty)
    }

    @Test("A body above the bound ends as an error and is not asked for again")
    func tooLarge() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(text: String(repeating: "x", count: 5000))
        }
        let error = await failure {
            _ = try await testClient { $0.maxBodyBytes = 1000 }
                .get(URLReference(http: server.origin), in: RunContext.testing())
        }
        #expect(error?.code == .httpFailed && error?.retry == .never)
        #expect(server.requests.count == 1)
    }

    @Test(
        "Cancelling the run ends a wait between attempts, a transfer and a wait for the host at once", arguments: 0..<3)
    func cancellation(kind: Int) async throws {
        let server = try LoopbackServer { _, connection in
            switch kind {
            case 0: connection.respond("503 Service Unavailable", ["Retry-After: 60"])
            case 1:
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                _ = connection.waitForClose(milliseconds: 20_000)
            default: connection.respond(text: "fine")
            }
        }
        let client = try testClient { if kind == 2 { $0.limits = [RateLimit(1, per: .seconds(60))] } }
        let cancellation = Cancellation()
        let context = RunContext.testing(clock: SystemClock(), cancellation: cancellation)
        if kind == 2 { _ = try await client.get(URLReference(http: server.origin), in: context) }
        let begin = ContinuousClock.now
        let canceller = Task {
            try await Task.sleep(for: .milliseconds(150))
            cancellation.cancel()
        }
        let error = await failure { _ = try await client.get(URLReference(http: server.origin), in: context) }
        try await canceller.value
        #expect(error?.code == .cancelled)
        #expect(ContinuousClock.now - begin < .seconds(5))
        let again = await failure { _ = try await client.get(URLReference(http: server.origin), in: context) }
        #expect(again?.code == .cancelled)
    }

    @Test("A host that asked for a pause gets it from every request of the client")
    func pause() async throws {
        let tally = Tally()
        let server = try LoopbackServer { request, connection in
            if request.target == "/a" && tally.next("a") == 1 {
                connection.respond("429 Too Many Requests", ["Retry-After: 30"])
            } else {
                connection.respond(text: "fine")
            }
        }
        let clock = VirtualClock()
        let client = try testClient { $0.retry.attempts = 2 }
        let context = RunContext.testing(clock: clock)
        _ = try await client.get(URLReference(http: server.origin + "/a"), in: context)
        let after = clock.monotonic()
        _ = try await client.get(URLReference(http: server.origin + "/b"), in: context)
        #expect(after - 1_000_000_000 >= 30_000_000_000)
    }

    @Test("A secret of the environment that is not set is named")
    func environment() {
        let error = #expect(throws: HeadraceError.self) { _ = try Secret(environment: "HEADRACE_NO_SUCH_KEY") }
        #expect(error?.message.contains("HEADRACE_NO_SUCH_KEY is not set") == true)
        #expect((try? Secret(environment: "PATH"))?.reveal().isEmpty == false)
    }

    @Test("Text that is no http URL is refused", arguments: ["", "x.csv", "ftp://h/x", "http:///x", "http://h:bad/"])
    func badURL(text: String) {
        let error = #expect(throws: HeadraceError.self) { _ = try URLReference(http: text) }
        #expect(error?.code == .badLocation)
    }
}
