import Glibc
import HeadraceHTTPClient
import Synchronization

/// One accepted connection. The thread that serves it closes it; others may shut it down.
package final class Connection: Sendable {
    private struct Handle {
        var descriptor: Int32
        var isOpen = true
    }

    package let number: Int
    private let handle: Mutex<Handle>
    private let descriptor: Int32
    private let peerClosed = Mutex(false)

    init(_ descriptor: Int32, number: Int) {
        self.descriptor = descriptor
        self.number = number
        handle = Mutex(Handle(descriptor: descriptor))
    }

    /// Whether the other end was seen to close.
    package var sawClose: Bool { peerClosed.withLock { $0 } }

    /// Sends all bytes; `false` when the other end is gone.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
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
    package func send(_ text: String) -> Bool {
        send(Array(text.utf8))
    }

    /// A whole response with a length.
    package func respond(_ status: String = "200 OK", _ headers: [String] = [], _ body: [UInt8] = []) {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.count)"] + headers
        send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
    }

    package func respond(_ status: String = "200 OK", _ headers: [String] = [], text: String) {
        respond(status, headers, Array(text.utf8))
    }

    /// Ends the connection in order; the peer sees an end of data.
    package func close() {
        handle.withLock { handle in
            guard handle.isOpen else { return }
            handle.isOpen = false
            Glibc.close(descriptor)
        }
    }

    /// Ends the connection with a reset.
    package func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    package func shutDown() {
        handle.withLock { handle in
            if handle.isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// Waits until the other end closes; `false` when it has not within the time.
    package func waitForClose(milliseconds: Int = 5000) -> Bool {
        var poller = pollfd(descriptor, Int16(POLLIN))
        guard poll(&poller, 1, Int32(milliseconds)) > 0 else { return false }
        var byte: UInt8 = 0
        let isClosed = recv(descriptor, &byte, 1, Int32(MSG_PEEK)) <= 0
        if isClosed { peerClosed.withLock { $0 = true } }
        return isClosed
    }

    func readRequest() -> LoopbackServer.Request? {
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
