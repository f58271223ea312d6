import Glibc
import HeadraceHTTPClient
import HeadraceLoopback
import Testing

@Suite struct HTTPClientTimeoutTests {
    private func request(_ url: String, _ change: (inout HTTPTimeouts) -> Void) throws -> HTTPRequest {
        var request = HTTPRequest("GET", try URLReference(url))
        change(&request.timeouts)
        return request
    }

    /// Reads a request to its end, and says how it failed and how long that took.
    private func run(_ request: HTTPRequest, delay: Duration = .zero) async throws -> (HTTPClientError?, Duration) {
        let client = try makeClient()
        let clock = ContinuousClock()
        let start = clock.now
        let error = await failure {
            let response = try await client.send(request)
            while try await response.body.next() != nil { try await Task.sleep(for: delay) }
        }
        return (error, clock.now - start)
    }

    @Test func `a host that takes no connection is given up after the connect time-out`() async throws {
        // A queue of one that is full makes the kernel drop what else knocks.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let fillers = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                #expect(bind(listener, generic, length) == 0 && listen(listener, 0) == 0)
                #expect(getsockname(listener, generic, &length) == 0)
                return (0..<4).map { _ in
                    let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0)
                    _ = connect(filler, generic, length)
                    return filler
                }
            }
        }
        defer { for filler in fillers { close(filler) } }
        let port = UInt16(bigEndian: address.sin_port)
        let (error, time) = try await run(request("http://127.0.0.1:\(port)/") { $0.connect = .milliseconds(300) })
        #expect(error?.code == .connectTimeout, "\(String(describing: error))")
        #expect(error?.isRetryable == true)
        #expect(time >= .milliseconds(250) && time < .seconds(30))
    }

    @Test func `a server that does not begin to answer is given up after the first-byte time-out`() async throws {
        let server = try LoopbackServer { _, connection in _ = connection.waitForClose() }
        let (error, time) = try await run(request(server.origin) { $0.firstByte = .milliseconds(200) })
        #expect(error?.code == .firstByteTimeout)
        #expect(error?.message.contains("200 ms") == true)
        #expect(time >= .milliseconds(190) && time < .seconds(30))
        #expect(await eventually { server.connections.first?.sawClose == true })
    }

    @Test func `the first byte has time from the end of the request, however long that took`() async throws {
        let server = try LoopbackServer { _, connection in
            sleep(milliseconds: 100)
            connection.respond(text: "ok")
        }
        var request = try request(server.origin) { $0.firstByte = .seconds(3) }
        request.method = "POST"
        request.body = [UInt8](repeating: 1, count: 20 << 20)
        #expect(try await makeClient().send(request).body.collect(upTo: 10) == Array("ok".utf8))
    }

    @Test func `a server that falls silent in its head or its body is given up after the silence time-out`()
        async throws
    {
        for start in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"] {
            let server = try LoopbackServer { _, connection in
                connection.send(start)
                _ = connection.waitForClose()
            }
            let (error, time) = try await run(request(server.origin) { $0.silence = .milliseconds(200) })
            #expect(error?.code == .silenceTimeout)
            #expect(error?.receivedBytes == (start.hasSuffix("abc") ? 3 : 0))
            #expect(time >= .milliseconds(190) && time < .seconds(30))
        }
    }

    @Test func `an endless drip is given up when it is slower than allowed`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            while connection.send("a") { sleep(milliseconds: 30) }
        }
        let slow = try request(server.origin) {
            $0.silence = .milliseconds(400)
            $0.minimumBytesPerSecond = 1000
        }
        let (error, time) = try await run(slow)
        #expect(error?.code == .silenceTimeout)
        #expect(time >= .milliseconds(390) && time < .seconds(30))
        #expect(await eventually { server.connections.first?.sawClose == true })
    }

    @Test func `an endless drip is given up after the total time-out`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            while connection.send("a") { sleep(milliseconds: 20) }
        }
        let (error, time) = try await run(request(server.origin) { $0.total = .milliseconds(500) })
        #expect(error?.code == .totalTimeout)
        #expect((error?.receivedBytes ?? 0) > 3)
        #expect(time >= .milliseconds(490) && time < .seconds(30))
    }

    @Test func `the total time-out spans redirects`() async throws {
        let server = try LoopbackServer { _, connection in
            sleep(milliseconds: 150)
            connection.respond("302 Found", ["Location: /again"])
        }
        let (error, time) = try await run(request(server.origin) { $0.total = .milliseconds(500) })
        #expect(error?.code == .totalTimeout)
        #expect(time >= .milliseconds(490) && time < .seconds(30))
        #expect(server.requests.count < 6)
    }

    @Test func `a reader that takes its time is not taken for a silent server`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond("200 OK", [], [UInt8](repeating: 0x62, count: 3 << 20))
        }
        let (error, _) = try await run(
            request(server.origin) { $0.silence = .milliseconds(100) }, delay: .milliseconds(150))
        #expect(error == nil, "\(String(describing: error))")
    }
}
