import HeadraceCodecs
import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import HeadraceLoopback
import HeadraceRuntime
import HeadraceTesting
import Testing

/// A body whose every byte tells its place.
private let payload = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251) }

/// Reads an object of a source to its end, off the shared pool as the engine does.
private func read(
    _ source: some ByteSource, at offset: Int = 0, piece: Int = 10_000, _ context: RunContext = RunContext.testing()
) async throws -> [UInt8] {
    try await BlockingWork.run {
        guard let object = try source.nextObject(after: nil, in: context) else { return [] }
        let reader = try source.open(object, at: offset, in: context)
        defer { reader.close() }
        return try reader.all(piece: piece)
    }
}

extension ByteReader {
    fileprivate func all(piece size: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: size)
        while case let got = try piece.withUnsafeMutableBytes({ try read(into: $0) }), got > 0 {
            bytes += piece[..<got]
        }
        return bytes
    }
}

/// Serves the payload; connection number n breaks off after `breaks[n]` bytes of body. Takes ranges if told to.
private func payloadServer(
    tag: String? = "\"v1\"", ranges: Bool = true, breaks: [Int] = [], later: String? = nil
) throws -> LoopbackServer {
    let tally = Tally()
    return try LoopbackServer { request, connection in
        let number = tally.next("request")
        let tag = number > 1 ? later ?? tag : tag
        var start = 0
        if ranges, let range = request.headers["Range"], request.headers["If-Range"] == tag {
            start = Int(range.dropFirst(6).dropLast()) ?? 0
        }
        if start >= payload.count, start > 0 {
            connection.respond("416 Range Not Satisfiable", ["Content-Range: bytes */\(payload.count)"])
            return
        }
        let body = Array(payload[start...])
        var head = ["Content-Length: \(body.count)", "Content-Type: text/csv"]
        if let tag { head.append("ETag: \(tag)") }
        if start > 0 { head.append("Content-Range: bytes \(start)-\(payload.count - 1)/\(payload.count)") }
        let status = start > 0 ? "206 Partial Content" : "200 OK"
        connection.send("HTTP/1.1 \(status)\r\n" + head.joined(separator: "\r\n") + "\r\n\r\n")
        if number <= breaks.count {
            connection.send(Array(body.prefix(breaks[number - 1])))
            connection.close()
        } else {
            connection.send(body)
        }
    }
}

@Suite struct HTTPBytesTests {
    @Test("A body comes as it is, in one request, with what the server tells about it", arguments: [1000, 1 << 20])
    func plain(piece: Int) async throws {
        let server = try payloadServer()
        let url = try URLReference(http: server.origin + "/x.csv?token=secret1")
        let source = HTTPBytes(url, client: try testClient())
        #expect(source.name == server.origin + "/x.csv?token=<redacted>")
        let context = RunContext.testing()
        let object = try await BlockingWork.run { try source.nextObject(after: nil, in: context) }
        #expect(object?.byteCount == payload.count && object?.contentType == "text/csv" && object?.identity == "\"v1\"")
        #expect(object?.name == source.name)
        let next = try await BlockingWork.run { try source.nextObject(after: object, in: context) }
        #expect(next == nil)
        #expect(try await read(source, piece: piece) == payload)
        #expect(server.requests.count == 1)
        #expect(try await read(source) == payload, "it can be read again")
        #expect(server.requests.count == 2)
    }

    @Test("A packed body is unpacked, and its size is not told")
    func packed() async throws {
        let gzip = try Compressor.compress(payload, .gzip)
        let server = try LoopbackServer { _, connection in
            connection.respond("200 OK", ["Content-Encoding: gzip", "ETag: \"p\""], gzip)
        }
        let source = HTTPBytes(try URLReference(http: server.origin), client: try testClient())
        #expect(try await read(source) == payload)
        let object = try await BlockingWork.run { try source.nextObject(after: nil, in: RunContext.testing()) }
        #expect(object?.byteCount == nil)
    }

    @Test("A transfer that breaks off goes on at the same byte", arguments: [true, false])
    func takenUp(ranges: Bool) async throws {
        let server = try payloadServer(ranges: ranges, breaks: [100_000, 70_000, 0])
        let source = HTTPBytes(try URLReference(http: server.origin), client: try testClient { $0.retry.attempts = 5 })
        let log = LogLines()
        #expect(try await read(source, RunContext.testing(log: log.log)) == payload)
        #expect(server.requests.count == 4)
        #expect(server.requests.dropFirst().allSatisfy { $0.headers["If-Range"] == "\"v1\"" })
        #expect(log.all.contains { $0.contains("taken up again") && $0.contains("byte=100000") })
    }

    @Test("A packed transfer that breaks off is read again and what was had is passed over")
    func packedTakenUp() async throws {
        let random = RunRandom(seed: 1)
        let noise = (0..<200_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let gzip = try Compressor.compress(noise, .gzip)
        let tally = Tally()
        let server = try LoopbackServer { request, connection in
            #expect(request.headers["Range"] == nil)
            connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: \(gzip.count)\r\nContent-Encoding: gzip\r\nETag: \"p\"\r\n\r\n")
            connection.send(tally.next("x") == 1 ? Array(gzip.prefix(120_000)) : gzip)
            if tally.next("y") == 1 { connection.close() }
        }
        let source = HTTPBytes(try URLReference(http: server.origin), client: try testClient())
        #expect(try await read(source) == noise)
        #expect(server.requests.count == 2)
    }

    @Test("A broken transfer of another or an unknown version is an error", arguments: [nil, "W/\"v1\"", "\"v1\""])
    func changed(tag: String?) async throws {
        let server = try payloadServer(tag: tag, breaks: [100_000], later: tag == "\"v1\"" ? "\"v2\"" : nil)
        let source = HTTPBytes(try URLReference(http: server.origin), client: try testClient())
        let error = await failure { _ = try await read(source) }
        if tag == "\"v1\"" {
            #expect(error?.code == .notFound && error?.message.contains("has changed") == true)
            #expect(error?.fields.map(\.value) == ["\"v1\"", "\"v2\""])
        } else {
            #expect(error?.code == .httpFailed && error?.message.contains("broke off at byte 100000") == true)
            #expect(server.requests.count == 1)
        }
    }

    @Test("A server that breaks off without end is given up on")
    func hopeless() async throws {
        let server = try payloadServer(breaks: [1000, 0, 0, 0, 0, 0, 0, 0])
        let source = HTTPBytes(try URLReference(http: server.origin), client: try testClient())
        let error = await failure { _ = try await read(source) }
        #expect(error?.code == .httpFailed && error?.retry == .mayHelp)
        #expect(server.requests.count <= 4)
    }

    @Test("Cancelling the run ends a read at once")
    func cancelled() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            _ = connection.waitForClose(milliseconds: 20_000)
        }
        let cancellation = Cancellation()
        let source = HTTPBytes(try URLReference(http: server.origin), client: try testClient())
        let canceller = Task {
            try await Task.sleep(for: .milliseconds(150))
            cancellation.cancel()
        }
        let begin = ContinuousClock.now
        let context = RunContext.testing(clock: SystemClock(), cancellation: cancellation)
        #expect(await failure { _ = try await read(source, context) }?.code == .cancelled)
        #expect(ContinuousClock.now - begin < .seconds(5))
        try await canceller.value
    }

    @Test("A body that nobody reads gives its place at the host back")
    func dropped() async throws {
        let server = try payloadServer()
        let client = try testClient { $0.concurrency = 1 }
        for _ in 0..<3 {
            let source = HTTPBytes(try URLReference(http: server.origin), client: client)
            _ = try await BlockingWork.run { try source.nextObject(after: nil, in: RunContext.testing()) }
        }
        #expect(server.requests.count == 3)
    }
}

@Suite struct ResumableHTTPBytesTests {
    @Test("A later run reads on at any byte of the same version", arguments: [0, 1, 123_456, 299_999, 300_000])
    func resumes(offset: Int) async throws {
        for ranges in [true, false] {
            if !ranges && offset == payload.count { continue }
            let server = try payloadServer(ranges: ranges)
            let source = ResumableHTTPBytes(try URLReference(http: server.origin), client: try testClient())
            #expect(try await read(source, at: offset) == Array(payload[offset...]))
            #expect(server.requests.allSatisfy { $0.headers["Accept-Encoding"] == "identity" })
        }
    }

    @Test("A version that is gone is an error that says so")
    func changed() async throws {
        let server = try payloadServer(later: "\"v2\"")
        let source = ResumableHTTPBytes(try URLReference(http: server.origin), client: try testClient())
        let error = await failure { _ = try await read(source, at: 5) }
        #expect(error?.code == .notFound && error?.message.contains("has changed") == true)
    }

    @Test("A server that does not name versions is refused at once", arguments: [nil, "W/\"weak\""])
    func unnamed(tag: String?) async throws {
        let server = try payloadServer(tag: tag)
        let source = ResumableHTTPBytes(try URLReference(http: server.origin), client: try testClient())
        #expect(await failure { _ = try await read(source) }?.code == .unsupported)
    }
}

@Suite struct PagedBytesTests {
    private func server(pages: Int) throws -> LoopbackServer {
        try LoopbackServer { request, connection in
            let page = Int(request.target.split(separator: "=").last ?? "") ?? 0
            connection.respond(
                "200 OK", ["Content-Type: application/json"], text: page > pages ? "[]" : "[\"page \(page)\"]")
        }
    }

    @Test("Pages are objects in order, each fetched once, and every one lands as received")
    func pages() async throws {
        let server = try server(pages: 3)
        let landed = Shared<[Int]>([])
        let source = try PagedBytes(
            URLReference(http: server.origin + "/x"), .page(parameter: "p", until: .empty(recordPath: "")),
            client: testClient(), sink: { page in landed.change { $0.append(page.number) } })
        let context = RunContext.testing()
        let texts = try await BlockingWork.run {
            var texts: [String] = []
            // What a format source does: it looks at the first page before it reads, and asks for the start again.
            let first = try source.nextObject(after: nil, in: context)
            var object = try source.nextObject(after: nil, in: context)
            #expect(first == object)
            while let current = object {
                for _ in 0..<2 {
                    let reader = try source.open(current, at: 0, in: context)
                    texts.append(
                        "\(current.name.split(separator: " ").last ?? "") \(String(decoding: try reader.all(piece: 3), as: UTF8.self))"
                    )
                }
                object = try source.nextObject(after: current, in: context)
            }
            return texts
        }
        #expect(
            texts == [
                "1) [\"page 1\"]", "1) [\"page 1\"]", "2) [\"page 2\"]", "2) [\"page 2\"]", "3) [\"page 3\"]",
                "3) [\"page 3\"]",
            ])
        #expect(server.requests.count == 4 && landed.current == [1, 2, 3, 4])
    }

    @Test("The first page can be gone back to, others cannot")
    func back() async throws {
        let server = try server(pages: 3)
        let source = try PagedBytes(
            URLReference(http: server.origin + "/x"), .page(parameter: "p", until: .count(3)), client: testClient())
        let context = RunContext.testing()
        try await BlockingWork.run {
            let first = try #require(try source.nextObject(after: nil, in: context))
            let second = try #require(try source.nextObject(after: first, in: context))
            let third = try #require(try source.nextObject(after: second, in: context))
            #expect(try source.nextObject(after: third, in: context) == nil)
            #expect(throws: HeadraceError.self) { _ = try source.open(second, at: 0, in: context) }
            #expect(try source.nextObject(after: nil, in: context) == first)
            #expect(try source.open(first, at: 0, in: context).all(piece: 100) == Array("[\"page 1\"]".utf8))
        }
    }
}
