import Glibc

/// A client of the plainest kind for tests of the demo market: a socket that sends what it is told and shows what came.
final class DemoMarketClient {
    private let descriptor: Int32
    private var received: [UInt8] = []

    /// - Parameter patience: Milliseconds that a read may wait.
    init(port: UInt16, patience: Int = 10_000) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var time = timeval(tv_sec: patience / 1000, tv_usec: patience % 1000 * 1000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw Failure(code: errno) }
    }

    deinit {
        close(descriptor)
    }

    struct Failure: Error {
        let code: Int32
    }

    struct Response {
        var status: Int
        var headers: [String: String]
        var body: [UInt8]
        /// Whether the connection was closed before the announced length had come.
        var isCut = false
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    func get(_ target: String, method: String = "GET", _ fields: String = "") -> Response? {
        write("\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: demo-key\r\n\(fields)\r\n")
        return response(hasBody: method != "HEAD")
    }

    /// The next response; nil when the connection ended or stayed silent before its head was complete.
    func response(hasBody: Bool = true) -> Response? {
        var end: Int?
        while end == nil {
            end = received.indices.first { received[$0...].starts(with: [13, 10, 13, 10]) }
            if end == nil, !readMore() { return nil }
        }
        guard let end else { return nil }
        var lines = String(decoding: received[..<end], as: UTF8.self).components(by: "\r\n")
        let status = Int(lines.removeFirst().split(separator: " ")[1]) ?? 0
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        received.removeFirst(end + 4)
        let length = hasBody && status != 304 ? Int(headers["content-length"] ?? "") ?? 0 : 0
        while received.count < length {
            if !readMore() { return Response(status: status, headers: headers, body: received, isCut: true) }
        }
        let body = Array(received[..<length])
        received.removeFirst(length)
        return Response(status: status, headers: headers, body: body)
    }

    /// Whether the other side has closed the connection, with nothing more to read.
    var isClosed: Bool { received.isEmpty && !readMore() && (errno == 0 || errno == ECONNRESET) }

    private func readMore() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        errno = 0
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        received += buffer[..<count]
        return true
    }
}

extension String {
    fileprivate func components(by separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
