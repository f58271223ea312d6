import Glibc
import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import HeadraceLoopback
import HeadraceTesting
import Testing

private func location(_ text: String) throws -> Location { try Location(text) { _ in false } }

private func texts(_ source: any ByteSource) async throws -> [String] {
    try await BlockingWork.run {
        let context = RunContext.testing()
        var texts: [String] = []
        var object = try source.nextObject(after: nil, in: context)
        while let current = object {
            let reader = try source.open(current, at: 0, in: context)
            var piece = [UInt8](repeating: 0, count: 100_000)
            let got = try piece.withUnsafeMutableBytes { try reader.read(into: $0) }
            texts.append(String(decoding: piece[..<got], as: UTF8.self))
            reader.close()
            object = try source.nextObject(after: current, in: context)
        }
        return texts
    }
}

@Suite(.serialized) struct HTTPConnectorTests {
    init() {
        // Loopback servers must be reached whatever proxy the machine has.
        setenv("no_proxy", "127.0.0.1", 1)
        setenv("HEADRACE_TEST_KEY", "key-from-environment", 1)
    }

    @Test("The query is the server's, the fragment is ours")
    func single() async throws {
        let server = try LoopbackServer { request, connection in connection.respond(text: request.target) }
        let source = try HTTPConnector().byteSource(
            at: location("\(server.origin)/x.csv?a=1&page=2#format=csv&attempts=1"))
        #expect(source is HTTPBytes)
        #expect(try await texts(source) == ["/x.csv?a=1&page=2"])
    }

    @Test(
        "Every way to the next page can be written in the fragment",
        arguments: [
            ("page=p&page-until=empty:/items", ["/x?p=1", "/x?p=2", "/x?p=3"]),
            ("page=p&page-from=0&page-until=count:2", ["/x?p=0", "/x?p=1"]),
            ("page=p&page-until=total:/pages", ["/x?p=1", "/x?p=2"]),
            ("page=p&page-until=flag:/more", ["/x?p=1", "/x?p=2"]),
            ("page=p&page-until=missing", ["/x?p=1", "/x?p=2", "/x?p=3", "/x?p=4"]),
            ("offset=o&limit=l&page-size=50&page-until=count:2", ["/x?o=0&l=50", "/x?o=50&l=50"]),
            ("cursor=c&cursor-path=/cursor", ["/x", "/x?c=second"]),
            ("next=/next", ["/x", "/y"]),
            ("next=link-header", ["/x", "/z"]),
        ])
    func paged(options: String, asked: [String]) async throws {
        let server = try LoopbackServer { request, connection in
            let target = request.target
            let isSecond = target.hasSuffix("2") || target.hasSuffix("second") || target == "/y"
            if target.hasSuffix("4") {
                connection.respond("404 Not Found")
                return
            }
            connection.respond(
                "200 OK", target == "/x" ? ["Link: </z>; rel=next"] : [],
                text: """
                    {"items":[\(target.hasSuffix("3") ? "" : "\"\(target)\"")],"pages":2,"more":\(!isSecond),\
                    "cursor":\(isSecond ? "null" : "\"second\""),"next":\(isSecond ? "null" : "\"/y\"")}
                    """)
        }
        let source = try HTTPConnector().byteSource(at: location("\(server.origin)/x#\(options)&rate=1000"))
        #expect(source is PagedBytes)
        _ = try await texts(source)
        #expect(server.requests.map(\.target) == asked)
    }

    @Test("Keys come from the environment, and headers from the location")
    func credentials() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(text: "") }
        let plain = [
            "api-key-env=HEADRACE_TEST_KEY&header=Accept:%20text/csv&header=X-Team:blue",
            "api-key-env=HEADRACE_TEST_KEY&api-key-header=X-Other", "api-key-env=HEADRACE_TEST_KEY&api-key-parameter=k",
            "bearer-env=HEADRACE_TEST_KEY", "user=me&password-env=HEADRACE_TEST_KEY",
            "header-env=X-Custom:%20HEADRACE_TEST_KEY",
        ]
        for options in plain {
            _ = try await texts(HTTPConnector().byteSource(at: location("\(server.origin)/x#\(options)")))
        }
        let sent = server.requests
        #expect(sent[0].headers["X-API-Key"] == "key-from-environment" && sent[0].headers["Accept"] == "text/csv")
        #expect(sent[0].headers["X-Team"] == "blue")
        #expect(sent[1].headers["X-Other"] == "key-from-environment")
        #expect(sent[2].target == "/x?k=key-from-environment")
        #expect(sent[3].headers["Authorization"] == "Bearer key-from-environment")
        #expect(sent[4].headers["Authorization"] == "Basic bWU6a2V5LWZyb20tZW52aXJvbm1lbnQ=")
        #expect(sent[5].headers["X-Custom"] == "key-from-environment")
    }

    @Test(
        "What cannot be meant is refused before anything is sent",
        arguments: [
            "header=Authorization:%20Bearer%20x", "header=X-Api-Key:x", "header=nothing",
            "api-key-env=HEADRACE_NOT_SET",
            "user=me", "page=p", "page=p&page-until=never", "page=p&page-until=count:0",
            "page=p&next=/n&page-until=missing",
            "offset=o&page-until=missing", "cursor=c", "rate=0", "rate=fast", "attempts=-1", "resume=maybe",
            "page=p&page-until=empty:items",
        ])
    func refused(options: String) throws {
        let error = #expect(throws: HeadraceError.self) {
            _ = try HTTPConnector().byteSource(at: location("http://127.0.0.1:1/x#\(options)"))
        }
        #expect(error?.code == .badOption)
        #expect(error?.description.contains("Bearer x") == false)
    }

    @Test("A check says what is there without reading it, and what is wrong")
    func check() async throws {
        let server = try LoopbackServer { request, connection in
            switch (request.method, request.target) {
            case (_, "/gone"): connection.respond("404 Not Found")
            case ("HEAD", "/nohead"): connection.send("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            case ("HEAD", _):
                connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nContent-Type: text/csv\r\nETag: \"e\"\r\n\r\n")
            default: connection.respond("200 OK", ["Content-Type: text/plain"], text: "hello")
            }
        }
        let connector = HTTPConnector()
        #expect(
            try await connector.check(location("\(server.origin)/x?token=s"), in: RunContext.testing())
                == "\(server.origin)/x?token=<redacted> answers with status 200: text/csv, 1234 bytes, ETag \"e\"")
        #expect(
            try await connector.check(location("\(server.origin)/nohead"), in: RunContext.testing())
                == "\(server.origin)/nohead answers with status 200: text/plain, 5 bytes")
        #expect(
            await failure {
                _ = try await connector.check(location("\(server.origin)/gone"), in: RunContext.testing())
            }?.code
                == .httpStatus)
    }

    @Test("Nothing can be written to a URL, and resume chooses the resumable carrier")
    func shapes() throws {
        #expect(throws: HeadraceError.self) { _ = try HTTPConnector().byteSink(at: location("http://h/x")) }
        #expect(try HTTPConnector().byteSource(at: location("http://h/x#resume=true")) is ResumableHTTPBytes)
        #expect(throws: HeadraceError.self) { _ = try HTTPConnector().byteSource(at: location("http:///x")) }
    }
}
