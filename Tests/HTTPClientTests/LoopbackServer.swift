import Glibc
import HTTPClient
import Synchronization

/// A server on 127.0.0.1 that does with each request what a test's script says, on plain blocking sockets, so that a
/// test decides about every byte.
final class LoopbackServer: Sendable {
    struct Request: Sendable {
        let method: String
        let target: String
        let headers: HTTPHeaders
        let body: [UInt8]
        /// Which connection it came on, from zero.
        let connection: Int
    }

    typealias Script = @Sendable (Request, Connection) -> Void

    private struct State {
        var requests: [Request] = []
        var connections: [Connection] = []
    }

    let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let script: Script
    private let greeting: String?

    var origin: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { state.withLock { $0.requests } }
    var connectionCount: Int { state.withLock { $0.connections.count } }
    var connections: [Connection] { state.withLock { $0.connections } }

    /// With a greeting, the server sends that to whoever connects and hangs up, whatever is asked.
    init(greeting: String? = nil, _ script: @escaping Script = { _, _ in }) throws {
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

struct LoopbackError: Error {
    let what: String
}

private struct WeakServer: @unchecked Sendable {
    // Invariant: weak references are atomic, and this one is never written again.
    weak var server: LoopbackServer?
    init(_ server: LoopbackServer) { self.server = server }
}

/// One accepted connection. The thread that serves it closes it; others may shut it down.
final class Connection: Sendable {
    private struct Handle {
        var descriptor: Int32
        var isOpen = true
    }

    let number: Int
    private let handle: Mutex<Handle>
    private let descriptor: Int32
    private let peerClosed = Mutex(false)

    init(_ descriptor: Int32, number: Int) {
        self.descriptor = descriptor
        self.number = number
        handle = Mutex(Handle(descriptor: descriptor))
    }

    /// Whether the other end was seen to close.
    var sawClose: Bool { peerClosed.withLock { $0 } }

    /// Sends all bytes; `false` when the other end is gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return -1 }
                return Glibc.send(descriptor, base + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                peerClosed.withLock { $0 = true }
                return false
            }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool {
        send(Array(text.utf8))
    }

    /// A whole response with a length.
    func respond(_ status: String = "200 OK", _ headers: [String] = [], _ body: [UInt8] = []) {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.count)"] + headers
        send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
    }

    func respond(_ status: String = "200 OK", _ headers: [String] = [], text: String) {
        respond(status, headers, Array(text.utf8))
    }

    /// Ends the connection in order; the peer sees an end of data.
    func close() {
        handle.withLock { handle in
            guard handle.isOpen else { return }
            handle.isOpen = false
            Glibc.close(descriptor)
        }
    }

    /// Ends the connection with a reset.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    func shutDown() {
        handle.withLock { handle in
            if handle.isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// Waits until the other end closes; `false` when it has not within the time.
    func waitForClose(milliseconds: Int = 5000) -> Bool {
        var poller = pollfd(descriptor, Int16(POLLIN))
        guard poll(&poller, 1, Int32(milliseconds)) > 0 else { return false }
        var byte: UInt8 = 0
        let isClosed = recv(descriptor, &byte, 1, Int32(MSG_PEEK)) <= 0
        if isClosed { peerClosed.withLock { $0 = true } }
        return isClosed
    }

    fileprivate func readRequest() -> LoopbackServer.Request? {
        guard handle.withLock({ $0.isOpen }) else { return nil }
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = readByte() else { return nil }
            head.append(byte)
        }
        var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n").map(String.init)
        guard !lines.isEmpty else { return nil }
        let words = lines.removeFirst().split(separator: " ").map(String.init)
        var headers = HTTPHeaders()
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            headers.add(parts[0], parts.count == 2 ? parts[1] : "")
        }
        var body: [UInt8] = []
        let length = headers["Content-Length"].flatMap { Int($0) } ?? 0
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while body.count < length {
            let count = recv(descriptor, &buffer, min(buffer.count, length - body.count), 0)
            guard count > 0 else { return nil }
            body.append(contentsOf: buffer[..<count])
        }
        return LoopbackServer.Request(
            method: words[0], target: words.count > 1 ? words[1] : "", headers: headers, body: body, connection: number)
    }

    private func readByte() -> UInt8? {
        var byte: UInt8 = 0
        guard recv(descriptor, &byte, 1, 0) == 1 else {
            peerClosed.withLock { $0 = true }
            return nil
        }
        return byte
    }
}

extension pollfd {
    fileprivate init(_ descriptor: Int32, _ events: Int16) {
        self.init(fd: descriptor, events: events, revents: 0)
    }
}

/// Runs work on a thread of its own: scripts block, which tasks must not.
func runThread(_ work: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let work: @Sendable () -> Void
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(work))
    let result = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().work()
            return nil
        }, box.toOpaque())
    precondition(result == 0, "a test needs a thread")
    pthread_detach(thread)
}

func sleep(milliseconds: Int) {
    usleep(UInt32(milliseconds) * 1000)
}

/// A client that never goes through a proxy of the environment.
func makeClient(_ change: (inout HTTPClientConfiguration) -> Void = { _ in }) throws -> HTTPClient {
    var configuration = HTTPClientConfiguration()
    configuration.proxy = .none
    change(&configuration)
    return try HTTPClient(configuration)
}

/// The error of a call that must fail.
func failure(_ work: () async throws -> Void) async -> HTTPClientError? {
    do {
        try await work()
        return nil
    } catch {
        return error as? HTTPClientError
    }
}
