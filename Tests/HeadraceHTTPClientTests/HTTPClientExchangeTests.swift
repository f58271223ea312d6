import HeadraceCodecs
import HeadraceHTTPClient
import HeadraceLoopback
import Testing

@Suite struct HTTPClientExchangeTests {
    @Test func `a response has its status, fields in order, version, URL, times and body`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(
                "200 Fine Day", ["X-One: 1", "Set-Cookie: a=1", "x-two:  2 ", "Set-Cookie: b=2"], text: "hello")
        }
        let client = try makeClient()
        let response = try await client.send(HTTPRequest("GET", URLReference("\(server.origin)/a/../b%2Fc?q=[1]#part")))
        #expect(response.status == 200 && response.isSuccess)
        #expect(response.reason == "Fine Day")
        #expect(response.version == "HTTP/1.1")
        #expect(response.headers["x-ONE"] == "1")
        #expect(response.headers["X-Two"] == "2")
        #expect(response.headers.values("set-cookie") == ["a=1", "b=2"])
        #expect(
            response.headers.fields.map(\.name) == ["Content-Length", "X-One", "Set-Cookie", "x-two", "Set-Cookie"])
        #expect(response.url.text == "\(server.origin)/a/../b%2Fc?q=[1]#part")
        #expect(response.redirects.isEmpty)
        #expect(response.timing.firstByte >= response.timing.connected)
        #expect(response.timing.connected > .zero)
        #expect(try await response.body.collect(upTo: 100) == Array("hello".utf8))
        #expect(response.body.receivedBytes == 5)
        #expect(try await response.body.next() == nil)
        let request = try #require(server.requests.first)
        #expect(request.target == "/a/../b%2Fc?q=[1]")
        #expect(request.headers["Host"] == "127.0.0.1:\(server.port)")
        #expect(request.headers["User-Agent"] == HTTPClient.defaultUserAgent)
        #expect(request.headers["Accept-Encoding"] == "gzip")
    }

    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
    func `a method goes out as it is, with its body and no more than the fields asked for`(method: String) async throws
    {
        let server = try LoopbackServer { request, connection in connection.respond(text: "\(request.body.count)") }
        let client = try makeClient { $0.userAgent = "test/1" }
        let body = [UInt8](repeating: 0x41, count: 300_000)
        let url = try URLReference("\(server.origin)/items")
        let sent = HTTPRequest(method, url, headers: ["Content-Type": "text/csv", "X-Empty": ""], body: body)
        let response = try await client.send(sent)
        #expect(try await response.body.collect(upTo: 100) == Array("300000".utf8))
        let bare = try await client.send(HTTPRequest(method, url))
        #expect(try await bare.body.collect(upTo: 100) == Array("0".utf8))
        let requests = server.requests
        #expect(requests.map(\.method) == [method, method])
        #expect(requests[0].body == body)
        #expect(requests[0].headers["Content-Type"] == "text/csv")
        #expect(requests[0].headers["X-Empty"] == "")
        #expect(requests[0].headers["User-Agent"] == "test/1")
        #expect(requests[0].headers["Expect"] == nil)
        #expect(requests[1].headers["Content-Type"] == nil)
        let mustHaveLength = ["POST", "PUT", "PATCH"].contains(method)
        #expect(requests[1].headers["Content-Length"] == (mustHaveLength ? "0" : nil))
    }

    @Test func `answers that have no body have none, whatever their fields promise`() async throws {
        let server = try LoopbackServer { request, connection in
            switch request.target {
            case "/head":
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nContent-Encoding: gzip\r\n\r\n")
            case "/204": connection.send("HTTP/1.1 204 No Content\r\n\r\n")
            default: connection.send("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Encoding: gzip\r\n\r\n")
            }
        }
        let client = try makeClient()
        for (method, path, status) in [("HEAD", "/head", 200), ("GET", "/204", 204), ("GET", "/304", 304)] {
            var request = HTTPRequest(method, try URLReference(server.origin + path))
            request.maxBodyBytes = 10
            let response = try await client.send(request)
            #expect(response.status == status)
            #expect(try await response.body.next() == nil, "\(path)")
        }
        #expect(server.connectionCount == 1)
    }

    @Test(arguments: ["404 Not Found", "429 Too Many Requests", "500 Oops"])
    func `an error status is a response`(status: String) async throws {
        let server = try LoopbackServer { _, connection in connection.respond(status, ["Retry-After: 3"], text: "sorry")
        }
        let response = try await makeClient().send(HTTPRequest("GET", URLReference(server.origin)))
        #expect(response.status == Int(status.prefix(3)))
        #expect(response.headers["retry-after"] == "3")
        #expect(try await response.body.collect(upTo: 10) == Array("sorry".utf8))
    }

    @Test func `a provisional answer, chunks, a folded field, a Latin-1 field and trailers are read`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send(
                "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\nX-Name: ")
            connection.send([0x63, 0x61, 0x66, 0xE9] + Array("\r\nTransfer-Encoding: chunked\r\n\r\n".utf8))
            for piece in ["ab", "cde", "f"] { connection.send("\(piece.utf8.count);x=y\r\n\(piece)\r\n") }
            connection.send("0\r\nX-Trailer: t\r\n\r\n")
        }
        let client = try makeClient()
        for _ in 0..<2 {
            let response = try await client.send(HTTPRequest("GET", URLReference(server.origin)))
            #expect(response.status == 200)
            #expect(response.headers["Link"] == nil)
            #expect(response.headers["X-Long"] == "one two")
            #expect(response.headers["X-Name"] == "café")
            #expect(try await response.body.collect(upTo: 100) == Array("abcdef".utf8))
        }
        #expect(server.connectionCount == 1)
    }

    @Test func `a body that ends with the connection is read to its end`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.0 200 OK\r\n\r\nold style")
            connection.close()
        }
        let response = try await makeClient().send(HTTPRequest("GET", URLReference(server.origin)))
        #expect(response.version == "HTTP/1.0")
        #expect(try await response.body.collect(upTo: 100) == Array("old style".utf8))
    }

    @Test(arguments: [("gzip", CompressionFormat.gzip), ("X-GZIP", .gzip), ("deflate", .zlib), ("deflate", .deflate)])
    func `a packed body is unpacked, or handed on as it came`(coding: String, format: CompressionFormat) async throws {
        let bytes = Array((0..<200_000).map { "row \($0 % 1000)\n" }.joined().utf8)
        let packed = try Compressor.compress(bytes, format)
        let server = try LoopbackServer { request, connection in
            connection.respond("200 OK", ["Content-Encoding: \(coding)"], packed)
        }
        let client = try makeClient()
        var request = HTTPRequest("GET", try URLReference(server.origin))
        let response = try await client.send(request)
        var unpacked: [UInt8] = []
        while let piece = try await response.body.next() {
            #expect(!piece.isEmpty && piece.count <= 128 << 10)
            unpacked += piece
        }
        #expect(unpacked == bytes)
        #expect(response.body.receivedBytes == packed.count)
        request.decoding = .none
        #expect(try await client.send(request).body.collect(upTo: packed.count) == packed)
        #expect(server.requests.last?.headers["Accept-Encoding"] == nil)
    }

    @Test func `ranges and requests that name their encodings are not asked to be packed`() async throws {
        let server = try LoopbackServer { _, connection in connection.respond() }
        let client = try makeClient()
        let url = try URLReference(server.origin)
        for headers in [["Range": "bytes=5-"], ["Accept-Encoding": "br"]] as [HTTPHeaders] {
            _ = try await client.send(HTTPRequest("GET", url, headers: headers)).body.collect(upTo: 0)
        }
        #expect(server.requests.map { $0.headers.values("Accept-Encoding") } == [[], ["br"]])
    }

    @Test func `a user name in the URL becomes a header and is in no description`() async throws {
        let server = try LoopbackServer { _, connection in connection.respond() }
        let url = try URLReference("http://us%40er:p%3Ass@127.0.0.1:\(server.port)/x?api_key=k1&page=2")
        let request = HTTPRequest("GET", url, headers: ["X-Api-Key": "k2"])
        let response = try await makeClient().send(request)
        #expect(server.requests.first?.headers["Authorization"] == "Basic " + Base64.encode("us@er:p:ss".utf8))
        #expect(response.url.userinfo == nil)
        for text in [
            "\(request)", "\(url)", String(reflecting: url), "\(request.headers)", String(reflecting: request.headers),
        ] {
            #expect(!text.contains("p%3Ass") && !text.contains("k1") && !text.contains("k2"), "\(text)")
        }
        #expect("\(url)".hasSuffix("/x?api_key=<redacted>&page=2"))
    }

    @Test func `many requests at once each get their own answer`() async throws {
        let server = try LoopbackServer { request, connection in
            let number = Int(request.target.dropFirst()) ?? 0
            if number.isMultiple(of: 7) { sleep(milliseconds: 20) }
            connection.respond(text: String(repeating: "\(number),", count: number * 10 + 1))
        }
        let client = try makeClient()
        try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for number in 0..<300 {
                let request = HTTPRequest("POST", try URLReference("\(server.origin)/\(number)"), body: [1, 2, 3])
                group.addTask {
                    (number, try await client.send(request).body.collect(upTo: 1 << 20))
                }
            }
            for try await (number, bytes) in group {
                #expect(bytes == Array(String(repeating: "\(number),", count: number * 10 + 1).utf8))
            }
        }
        #expect(server.requests.count == 300)
    }

    @Test func `a kept connection that the server closed in the meantime is no failure`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(text: "ok")
            connection.close()
        }
        let client = try makeClient()
        for number in 0..<5 {
            var request = HTTPRequest("PUT", try URLReference(server.origin))
            request.body = [UInt8](repeating: UInt8(number), count: 1000)
            #expect(try await client.send(request).body.collect(upTo: 10) == Array("ok".utf8))
            #expect(server.requests.last?.body == request.body)
        }
    }

    @Test(arguments: [
        ("GE T", "X", "1"), ("GET", "X Y", "1"), ("GET", "X", "1\r\nEvil: 2"), ("GET", "Content-Length", "5"),
        ("GET", "", "1"), ("", "X", "1"), ("CONNECT", "X", "1"), ("GET", "X", "a\u{0}b"),
    ])
    func `a request that cannot be sent as it is is refused before any connection`(
        method: String, name: String, value: String
    ) async throws {
        let server = try LoopbackServer { _, connection in connection.respond() }
        let client = try makeClient()
        let request = HTTPRequest(method, try URLReference(server.origin), headers: [name: value])
        let error = await failure { _ = try await client.send(request) }
        #expect(error?.code == .badRequest)
        #expect(error?.isRetryable == false)
        #expect(server.connectionCount == 0)
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://h/x", "/relative", "http:///x", "http://a%20b/", "http://h:0/"])
    func `a URL that is not http or https with a host is refused`(url: String) async throws {
        let client = try makeClient()
        let error = await failure { _ = try await client.send(HTTPRequest("GET", URLReference(url))) }
        #expect(error?.code == .badURL)
    }
}
