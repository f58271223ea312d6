import HeadraceHTTPClient
import Testing

/// Against nghttpd of Debian's package nghttp2-server.
@Suite(.enabled(if: ChildServer.hasNghttpd, "nghttpd is not installed"))
struct HTTPClientHTTP2Tests {
    @Test func `many streams over few connections are read at their own pace`() async throws {
        let (server, port) = try ChildServer.nghttpd()
        let client = try makeClient {
            $0.version = .http2
            $0.tls.authorityFile = server.certificateFile
        }
        let origin = "https://localhost:\(port)"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                let isLarge = number.isMultiple(of: 10)
                let request = HTTPRequest("GET", try URLReference(origin + (isLarge ? "/large" : "/small")))
                group.addTask {
                    let response = try await client.send(request)
                    #expect(response.version == "HTTP/2" && response.status == 200)
                    var count = 0
                    while let piece = try await response.body.next() {
                        count += piece.count
                        if isLarge { try await Task.sleep(for: .milliseconds(1)) }
                    }
                    #expect(count == (isLarge ? 40_000_000 : 30_000))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a stream that nobody reads, or that is given up, does not hold up the others`() async throws {
        let (server, port) = try ChildServer.nghttpd()
        let client = try makeClient {
            $0.version = .http2
            $0.tls.authorityFile = server.certificateFile
        }
        let large = HTTPRequest("GET", try URLReference("https://localhost:\(port)/large"))
        let small = HTTPRequest("POST", try URLReference("https://localhost:\(port)/small"), body: [1, 2, 3])
        let waiting = try await client.send(large)
        let dropped = try await client.send(large)
        try await Task.sleep(for: .milliseconds(200))
        dropped.body.cancel()
        for _ in 0..<20 { #expect(try await client.send(small).body.collect(upTo: 1 << 20).count == 30_000) }
        #expect(try await waiting.body.collect(upTo: 1 << 30).count == 40_000_000)
    }
}
