import Testing

@testable import HeadraceJobs

struct DemoMarketRequestParserTests {
    private func outcome(_ text: String) -> MarketRequestParser.Outcome {
        var parser = MarketRequestParser()
        parser.append(text.utf8)
        return parser.next()
    }

    @Test func `a request is read with its path, parameters and fields`() throws {
        let text = """
            GET /a%20b/c?date=2026-01-05&page=2&q=a+b%26&empty HTTP/1.1\r
            Host: x\r
            Accept-Encoding:  gzip;q=0.5 , br\r
            X-Two: a\r
            x-two: b\r
            \r

            """
        guard case .request(let request) = outcome(text) else {
            Issue.record("no request")
            return
        }
        #expect(request.method == "GET")
        #expect(request.path == "/a b/c")
        #expect(request.query == ["date": "2026-01-05", "page": "2", "q": "a b&", "empty": ""])
        #expect(request.headers["x-two"] == "a, b")
        #expect(request.accepts(coding: "gzip"))
        #expect(!request.accepts(coding: "zstd"))
        #expect(request.keepsAlive)
    }

    @Test(arguments: [
        ("gzip", true), ("deflate, gzip", true), ("gzip;q=0", false), ("gzip; q=0.000", false), ("GZIP;q=0.1", true),
        ("gzipped", false), ("", false), ("identity", false),
    ])
    func `gzip is accepted when it is listed with a weight above zero`(field: String, accepted: Bool) {
        #expect(MarketRequest("GET", "/", headers: ["accept-encoding": field]).accepts(coding: "gzip") == accepted)
    }

    @Test(arguments: [
        ("\"a\"", true), ("W/\"a\"", true), ("\"b\", \"a\"", true), ("*", true), ("\"b\"", false), ("a", false),
    ])
    func `an entity tag is found in a list by weak comparison`(field: String, known: Bool) {
        #expect(MarketRequest("GET", "/", headers: ["if-none-match": field]).knows(entityTag: "\"a\"") == known)
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false), ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true), ("HTTP/1.1", "Connection: x, Close\r\n", false),
    ])
    func `the version and the client decide whether the connection stands`(version: String, field: String, stands: Bool)
    {
        guard case .request(let request) = outcome("GET / \(version)\r\nHost: x\r\n\(field)\r\n") else {
            Issue.record("no request")
            return
        }
        #expect(request.keepsAlive == stands)
    }

    @Test(arguments: [
        ("garbage\r\n\r\n", 400), ("GET /\r\n\r\n", 400), ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400), ("G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505), ("GET / FTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400), ("GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nbad field: 1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: x\r\n: 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\n folded\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: \u{1}\r\n\r\n", 400), ("GET /ü HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        ("GET /" + String(repeating: "a", count: 9000), 414),
        ("GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: " + String(repeating: "a", count: 20_000), 431),
        ("GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "A: 1\r\n", count: 101) + "\r\n", 431),
    ])
    func `what is no request is refused with the status that says why`(text: String, status: Int) {
        #expect(outcome(text) == .refused(status))
    }

    @Test func `however the bytes are cut, the same requests come out`() {
        let text =
            "\r\nGET /one HTTP/1.1\r\nHost: x\r\n\r\nPOST /two HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /X"
            + "GET /three HTTP/1.1\nHost: x\n\n"
        let bytes = Array(text.utf8)
        for size in 1...bytes.count {
            var parser = MarketRequestParser()
            var paths: [String] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                parser.append(bytes[start..<min(start + size, bytes.count)])
                while case .request(let request) = parser.next() { paths.append(request.path) }
            }
            #expect(paths == ["/one", "/two", "/three"])
            #expect(parser.isEmpty)
        }
    }

    @Test func `random bytes never stop the parser and never let it grow without bound`() {
        let noise = MarketNoise(seed: 7)
        let alphabet = Array("GET /?%=&\r\n\r\n: HTTP/1.1aHost\u{0}\u{FF}".utf8)
        for round in 0..<300 {
            var parser = MarketRequestParser()
            var ended = false
            for piece in 0..<100 where !ended {
                parser.append((0..<200).map { alphabet[noise.number(below: alphabet.count, .time, round, piece, $0)] })
                var outcome = parser.next()
                while case .request = outcome { outcome = parser.next() }
                if case .refused = outcome { ended = true }
            }
            #expect(ended)
        }
    }
}
