import Glibc
import HeadraceCodecs
import HeadraceHTTPClient
import HeadraceLoopback
import Testing

@Suite struct HTTPClientFailureTests {
    struct Break: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: HTTPClientError.Code
        let isRetryable: Bool
        /// Bytes of body that can be read before the failure.
        let good: String
        let script: LoopbackServer.Script

        init(
            _ name: String, _ code: HTTPClientError.Code, retry: Bool, good: String = "",
            _ script: @escaping @Sendable (Connection) -> Void
        ) {
            testDescription = name
            self.code = code
            isRetryable = retry
            self.good = good
            self.script = { _, connection in
                script(connection)
                connection.close()
            }
        }
    }

    static let breaks: [Break] = [
        Break("nothing at all", .cut, retry: true) { _ in },
        Break("a reset at once", .cut, retry: true) { $0.reset() },
        Break("half a head", .cut, retry: true) { $0.send("HTTP/1.1 200 OK\r\nContent-Le") },
        Break("less than the length", .cut, retry: true, good: "half") {
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        },
        Break("a reset in the body", .cut, retry: true) {
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
            sleep(milliseconds: 50)
            $0.reset()
        },
        Break("chunks without an end", .cut, retry: true, good: "abc") {
            $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        },
        Break("half a chunk", .cut, retry: true, good: "ab") {
            $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab")
        },
        Break("a chunk of a length that is none", .malformedResponse, retry: false) {
            $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n")
        },
        Break("something else than HTTP", .malformedResponse, retry: false) { $0.send("SSH-2.0-OpenSSH_9.2\r\n\r\n") },
        Break("a length that is none", .malformedResponse, retry: false) {
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nab")
        },
        Break("a status that is none", .malformedResponse, retry: false) { $0.send("HTTP/1.1 20 OK\r\n\r\n") },
        Break("a field without a colon", .malformedResponse, retry: false) { $0.send("HTTP/1.1 200 OK\r\nX\r\n\r\n") },
        Break("one endless field", .malformedResponse, retry: false) {
            $0.send("HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 200_000) + "\r\n\r\n")
        },
        Break("endless fields", .malformedResponse, retry: false) {
            $0.send("HTTP/1.1 200 OK\r\n")
            while $0.send("X: " + String(repeating: "a", count: 1000) + "\r\n") {}
        },
        Break("gzip that is none", .badEncoding, retry: true) {
            $0.respond("200 OK", ["Content-Encoding: gzip"], text: "<html>")
        },
        Break("gzip that is cut, in a whole body", .badEncoding, retry: true) {
            let packed = (try? Compressor.compress(Array(repeating: 7, count: 1000), .gzip)) ?? []
            $0.respond("200 OK", ["Content-Encoding: gzip"], Array(packed.prefix(5)))
        },
        Break("an encoding that is not known", .badEncoding, retry: false) {
            $0.respond("200 OK", ["Content-Encoding: snappy"], text: "abc")
        },
        Break("two encodings", .badEncoding, retry: false) {
            $0.respond("200 OK", ["Content-Encoding: gzip, deflate"], text: "abc")
        },
    ]

    @Test(arguments: breaks)
    func `a broken answer is an error of its own kind, after the bytes that were good`(broken: Break) async throws {
        let server = try LoopbackServer(broken.script)
        let client = try makeClient()
        var good: [UInt8] = []
        let error = await failure {
            let response = try await client.send(HTTPRequest("GET", URLReference("\(server.origin)/x?token=t1")))
            while let piece = try await response.body.next() { good += piece }
        }
        #expect(error?.code == broken.code, "\(error.map(String.init(describing:)) ?? "none")")
        #expect(error?.isRetryable == broken.isRetryable)
        #expect(error?.host == "127.0.0.1")
        #expect(error?.port == server.port)
        #expect(error?.url == "\(server.origin)/x")
        #expect(error?.receivedBytes == good.count || broken.code == .badEncoding)
        #expect(String(decoding: good, as: UTF8.self) == broken.good)
    }

    @Test func `the error of a body stays the error of the body`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
            connection.close()
        }
        let response = try await makeClient().send(HTTPRequest("GET", URLReference(server.origin)))
        var codes: [HTTPClientError.Code?] = []
        for _ in 0..<2 {
            codes.append(await failure { _ = try await response.body.collect(upTo: 100) }?.code)
        }
        #expect(codes == [.cut, .cut])
    }

    @Test func `a port where nobody listens refuses the connection`() async throws {
        let port = try LoopbackServer { _, _ in }.port
        let client = try makeClient()
        let error = await failure {
            _ = try await client.send(HTTPRequest("GET", URLReference("http://127.0.0.1:\(port)")))
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.isRetryable == true)
        #expect(error?.description.contains("127.0.0.1:\(port)") == true)
    }

    @Test func `a name without an address is told apart from a host that does not answer`() async throws {
        let client = try makeClient()
        var request = HTTPRequest("GET", try URLReference("http://no-such-host.invalid/"))
        request.timeouts.connect = .seconds(20)
        let error = await failure { _ = try await client.send(request) }
        #expect(error?.code == .resolveFailed)
        #expect(error?.isRetryable == true)
    }

    @Test func `a proxy that is not there is a failed connection`() async throws {
        let port = try LoopbackServer { _, _ in }.port
        let client = try makeClient { $0.proxy = .url("http://user:pass@127.0.0.1:\(port)") }
        let error = await failure {
            _ = try await client.send(HTTPRequest("GET", URLReference("http://example.invalid/")))
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.description.contains("pass") == false)
    }

    @Test func `a proxy gets the request and none of the fields meant for the server when it tunnels`() async throws {
        let proxy = try LoopbackServer { request, connection in
            if request.method == "CONNECT" {
                connection.respond("403 Forbidden", text: "no")
            } else {
                connection.respond(text: "through " + request.target)
            }
        }
        let client = try makeClient { $0.proxy = .url(proxy.origin) }
        let plain = try await client.send(HTTPRequest("GET", URLReference("http://far.invalid/a")))
        #expect(try await plain.body.collect(upTo: 100) == Array("through http://far.invalid/a".utf8))
        let error = await failure {
            let request = HTTPRequest(
                "GET", try URLReference("https://far.invalid/a"), headers: ["Authorization": "s1"])
            _ = try await client.send(request)
        }
        #expect(error?.code == .connectFailed || error?.code == .cut, "\(String(describing: error))")
        #expect(proxy.requests.last?.method == "CONNECT")
        #expect(proxy.requests.last?.headers["Authorization"] == nil)
    }

    // Size.

    @Test func `a length beyond the limit is refused before the body is read`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            _ = connection.waitForClose()
        }
        var request = HTTPRequest("GET", try URLReference(server.origin))
        request.maxBodyBytes = 999_999
        let client = try makeClient()
        let error = await failure { _ = try await client.send(request) }
        #expect(error?.code == .tooLarge)
        #expect(error?.isRetryable == false)
        #expect(try #require(server.connections.first).waitForClose())
    }

    @Test func `a body without a length ends as an error at the limit, and the server is hung up on`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            while connection.send([UInt8](repeating: 0x61, count: 10_000)) {}
        }
        var request = HTTPRequest("GET", try URLReference(server.origin))
        request.maxBodyBytes = 1 << 20
        let response = try await makeClient().send(request)
        var count = 0
        let error = await failure { while let piece = try await response.body.next() { count += piece.count } }
        #expect(error?.code == .tooLarge)
        #expect(count <= 1 << 20)
        let collected = try await makeClient().send(HTTPRequest("GET", URLReference(server.origin)))
        #expect(await failure { _ = try await collected.body.collect(upTo: 5000) }?.code == .tooLarge)
        for connection in server.connections { #expect(await eventually { connection.sawClose }) }
    }

    @Test func `a packed bomb ends as an error within the bounds`() async throws {
        let packed = try Compressor.compress([UInt8](repeating: 0, count: 64 << 20), .gzip)
        let server = try LoopbackServer { _, connection in
            connection.respond("200 OK", ["Content-Encoding: gzip"], packed)
        }
        let client = try makeClient()
        var byBytes = HTTPRequest("GET", try URLReference(server.origin))
        byBytes.maxBodyBytes = 1 << 20
        var byRatio = byBytes
        byRatio.maxBodyBytes = nil
        byRatio.expansion = ExpansionLimit(ratio: 100, ratioAppliesAfter: 1 << 20)
        for request in [byBytes, byRatio] {
            let response = try await client.send(request)
            var count = 0
            let error = await failure { while let piece = try await response.body.next() { count += piece.count } }
            #expect(error?.code == .tooLarge)
            #expect(count <= 2 << 20)
        }
    }
}

/// Waits for something that another thread does soon.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<500 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return condition()
}
