import Glibc
import HeadraceHTTPClient
import HeadraceLoopback
import Testing

/// Against the openssl command as a server, with a certificate for `localhost` that the test makes.
@Suite struct HTTPClientTLSTests {
    @Test func `a certificate is trusted by its authority and for its name only`() async throws {
        let (server, port) = try ChildServer.openSSL()
        let request = HTTPRequest("GET", try URLReference("https://localhost:\(port)/page"))
        let stranger = await failure { _ = try await makeClient().send(request) }
        #expect(stranger?.code == .tlsFailed)
        #expect(stranger?.isRetryable == false)
        let client = try makeClient {
            $0.version = .http2
            $0.tls.authorityFile = server.certificateFile
        }
        let response = try await client.send(request)
        #expect(try await response.body.collect(upTo: 100) == Array("secure".utf8))
        #expect(response.timing.secured > .zero)
        #expect(response.version == "HTTP/1.1")
        let byAddress = HTTPRequest("GET", try URLReference("https://127.0.0.1:\(port)/page"))
        #expect(await failure { _ = try await client.send(byAddress) }?.code == .tlsFailed)
        let blind = try makeClient { $0.tls.verifies = false }
        #expect(try await blind.send(byAddress).body.collect(upTo: 100) == Array("secure".utf8))
    }

    @Test func `a redirect from https to http is refused`() async throws {
        let plain = try LoopbackServer { _, connection in connection.respond(text: "plain") }
        let (server, port) = try ChildServer.openSSL(redirectingTo: plain.origin)
        let client = try makeClient { $0.tls.authorityFile = server.certificateFile }
        var request = HTTPRequest("GET", try URLReference("https://localhost:\(port)/redirect"))
        let refused = request
        let error = await failure { _ = try await client.send(refused) }
        #expect(error?.code == .badRedirect)
        #expect(plain.requests.isEmpty)
        request.redirects.allowsDowngrade = true
        #expect(try await client.send(request).body.collect(upTo: 100) == Array("plain".utf8))
    }

    @Test func `a server that speaks no TLS is a failure of TLS that may pass`() async throws {
        let server = try LoopbackServer(greeting: "220 mail.example.com ESMTP\r\n")
        let request = HTTPRequest("GET", try URLReference("https://127.0.0.1:\(server.port)/"))
        let error = await failure { _ = try await makeClient().send(request) }
        #expect(error?.code == .tlsFailed, "\(String(describing: error))")
        #expect(error?.isRetryable == true)
    }

    @Test func `an authority file that is not there is an error that names it`() async throws {
        let client = try makeClient { $0.tls.authorityFile = "/nowhere/ca.pem" }
        let error = await failure {
            _ = try await client.send(HTTPRequest("GET", URLReference("https://127.0.0.1:1/")))
        }
        #expect(error?.code == .tlsFailed || error?.code == .connectFailed)
    }
}
