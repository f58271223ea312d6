import Glibc
package import HeadraceHTTPClient
import Synchronization

/// A server on 127.0.0.1 that does with each request what a test's script says, on plain blocking sockets, so that a
/// test decides about every byte.
package final class LoopbackServer: Sendable {
    package struct Request: Sendable {
        package let method: String
        package let target: String
        package let headers: HTTPHeaders
        package let body: [UInt8]
        /// Which connection it came on, from zero.
        package let connection: Int
    }

    package typealias Script = @Sendable (Request, Connection) -> Void

    private struct State {
        var requests: [Request] = []
        var connections: [Connection] = []
    }

    package let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let script: Script
    private let greeting: String?

    package var origin: String { "http://127.0.0.1:\(port)" }
    package var requests: [Request] { state.withLock { $0.requests } }
    package var connectionCount: Int { state.withLock { $0.connections.count } }
    package var connections: [Connection] { state.withLock { $0.connections } }

    /// With a greeting, the server sends that to whoever connects and hangs up, whatever is asked.
    package init(greeting: String? = nil, _ script: @escaping Script = { _, _ in }) throws {
        self.script = script
        self.greeting = greeting
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && listen(descriptor, 512) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isReady else { throw LoopbackError(what: "no socket to listen on: \(errno)") }
        port = Int(UInt16(bigEndian: address.sin_port))
        let (descriptorToAccept, weakSelf) = (listener, WeakServer(self))
        runThread {
            while case let accepted = accept(descriptorToAccept, nil, nil), accepted >= 0 {
                guard let server = weakSelf.server else {
                    close(accepted)
                    break
                }
                server.serve(accepted)
            }
            close(descriptorToAccept)
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in state.withLock({ $0.connections }) { connection.shutDown() }
    }

    private func serve(_ descriptor: Int32) {
        let connection = state.withLock { state in
            let connection = Connection(descriptor, number: state.connections.count)
            state.connections.append(connection)
            return connection
        }
        let weakSelf = WeakServer(self)
        let (script, greeting) = (script, greeting)
        runThread {
            if let greeting {
                connection.send(greeting)
                shutdown(descriptor, Int32(SHUT_WR))
                _ = connection.waitForClose(milliseconds: 1000)
                connection.close()
                return
            }
            while let request = connection.readRequest() {
                weakSelf.server?.state.withLock { $0.requests.append(request) }
                script(request, connection)
            }
            connection.close()
        }
    }
}

/// Why a test's server could not be set up.
package struct LoopbackError: Error {
    package let what: String
    package init(what: String) { self.what = what }
}

private struct WeakServer: @unchecked Sendable {
    // Invariant: weak references are atomic, and this one is never written again.
    weak var server: LoopbackServer?
    init(_ server: LoopbackServer) { self.server = server }
}
