import Glibc
import HeadraceHTTPClient
import HeadraceLoopback
import Testing

@Suite struct HTTPClientCancellationTests {
    @Test func `cancelling a task that waits for the head closes the connection at once`() async throws {
        let server = try LoopbackServer { _, connection in _ = connection.waitForClose(milliseconds: 20_000) }
        let client = try makeClient()
        let request = HTTPRequest("GET", try URLReference(server.origin))
        let task = Task { await failure { _ = try await client.send(request) } }
        #expect(await eventually { server.requests.count == 1 })
        let clock = ContinuousClock()
        let start = clock.now
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        #expect(await eventually { server.connections.first?.sawClose == true })
        #expect(clock.now - start < .seconds(15))
    }

    @Test func `cancelling a task that waits for the body closes the connection at once`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            _ = connection.waitForClose(milliseconds: 20_000)
        }
        let client = try makeClient()
        let response = try await client.send(HTTPRequest("GET", URLReference(server.origin)))
        #expect(try await response.body.next() == Array("abc".utf8))
        let task = Task { await failure { _ = try await response.body.next() } }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        let error = await task.value
        #expect(error?.code == .cancelled)
        #expect(error?.isRetryable == false)
        #expect(error?.receivedBytes == 3)
        #expect(await eventually { server.connections.first?.sawClose == true })
    }

    @Test func `a task that is cancelled before it begins sends nothing`() async throws {
        let server = try LoopbackServer { _, connection in connection.respond() }
        let client = try makeClient()
        let request = HTTPRequest("GET", try URLReference(server.origin))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await failure { _ = try await client.send(request) }
        }
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        try await Task.sleep(for: .milliseconds(50))
        #expect(server.requests.isEmpty)
    }

    @Test func `bytes dropped by a cancellation never look like the end of a body`() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(text: "whole body") }
        let client = try makeClient()
        let response = try await client.send(HTTPRequest("GET", URLReference(server.origin)))
        try await Task.sleep(for: .milliseconds(100))
        response.body.cancel()
        #expect(await failure { _ = try await response.body.next() }?.code == .cancelled)
    }

    @Test func `a body that nobody holds closes its connection, and one that was read or discarded keeps it`()
        async throws
    {
        let server = try LoopbackServer { request, connection in
            if request.target == "/drop" {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
                _ = connection.waitForClose(milliseconds: 20_000)
            } else {
                connection.respond("500 Oops", [], [UInt8](repeating: 0x61, count: 30_000))
            }
        }
        let client = try makeClient()
        for _ in 0..<3 {
            await (try client.send(HTTPRequest("GET", URLReference(server.origin + "/short")))).body.discard()
        }
        #expect(server.connectionCount == 1)
        _ = try await client.send(HTTPRequest("GET", URLReference(server.origin + "/drop"))).status
        #expect(await eventually { server.connections.first?.sawClose == true })
    }

    @Test func `closing the client ends what is under way and refuses what comes`() async throws {
        let server = try LoopbackServer { request, connection in
            if request.target == "/body" { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc") }
            _ = connection.waitForClose(milliseconds: 20_000)
        }
        let client = try makeClient()
        let waiting = HTTPRequest("GET", try URLReference(server.origin + "/head"))
        let head = Task { await failure { _ = try await client.send(waiting) } }
        let response = try await client.send(HTTPRequest("GET", URLReference(server.origin + "/body")))
        #expect(await eventually { server.requests.count == 2 })
        await client.close()
        #expect(await head.value?.code == .closed)
        let bodyError = await failure { while try await response.body.next() != nil {} }
        #expect(bodyError?.code == .closed)
        for connection in server.connections { #expect(await eventually { connection.sawClose }) }
        #expect(await failure { _ = try await client.send(waiting) }?.code == .closed)
        await client.close()
    }

    @Test func `a body outlives the client that fetched it`() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond("200 OK", [], [UInt8](repeating: 0x61, count: 2 << 20))
        }
        let response = try await makeClient().send(HTTPRequest("GET", URLReference(server.origin)))
        try await Task.sleep(for: .milliseconds(50))
        #expect(try await response.body.collect(upTo: 4 << 20).count == 2 << 20)
    }

    @Test func `a reader that does not read makes the server wait`() async throws {
        let sent = Counter()
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(256 << 20)\r\n\r\n")
            let piece = [UInt8](repeating: 0x61, count: 1 << 16)
            for _ in 0..<4096 where connection.send(piece) { sent.add(piece.count) }
        }
        let response = try await makeClient().send(HTTPRequest("GET", URLReference(server.origin)))
        try await Task.sleep(for: .milliseconds(300))
        let before = sent.value
        try await Task.sleep(for: .milliseconds(200))
        #expect(sent.value == before)
        // What the kernel holds for both ends is some megabytes; what we hold is bufferedBytes.
        #expect(before < 32 << 20)
        var count = 0
        while let piece = try await response.body.next() {
            #expect(piece.count <= (256 << 10) + (64 << 10))
            count += piece.count
        }
        #expect(count == 256 << 20)
    }

    @Test func `cancelling at random moments neither hangs nor leaks a descriptor`() async throws {
        let server = try LoopbackServer { request, connection in
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<50 where connection.send("5\r\nabcde\r\n") { sleep(milliseconds: 1) }
            connection.send("0\r\n\r\n")
        }
        let client = try makeClient()
        let url = try URLReference(server.origin)
        let outcomes = await withTaskGroup(of: HTTPClientError?.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let task = Task {
                        await failure {
                            let response = try await client.send(HTTPRequest("GET", url))
                            #expect(try await response.body.collect(upTo: 1000).count == 250)
                        }
                    }
                    try? await Task.sleep(for: .microseconds(number * 700))
                    task.cancel()
                    return await task.value
                }
            }
            return await group.reduce(into: [HTTPClientError?]()) { $0.append($1) }
        }
        #expect(outcomes.count == 200)
        #expect(outcomes.allSatisfy { $0 == nil || $0?.code == .cancelled })
        #expect(outcomes.contains { $0?.code == .cancelled })
        await client.close()
        for connection in server.connections { #expect(await eventually { connection.sawClose }) }
    }
}
