import Glibc
import HeadraceCore

/// Stream sockets of loopback, as a proxy needs them.
enum ProxySocket {
    /// A socket that listens on a free port of 127.0.0.1.
    static func listener() throws -> (descriptor: Int32, port: Int) {
        // A port that was asked for by its number stays the socket's own while it does not listen; one that the system
        // chose does not.
        for _ in 0..<20 {
            let port = try ServerGuard.freePort()
            let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let listener = socket(AF_INET, type, 0)
            // Or its own connections would keep it from listening again.
            var one: Int32 = 1
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
            let isReady = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(listener, 128) == 0
                }
            }
            if isReady { return (listener, port) }
            close(listener)
        }
        throw ServerGuard.failure("a proxy has no port to listen on")
    }

    /// A connection to the server behind the proxy, -1 where there is none to be had.
    static func connect(to upstream: FaultProxy.Upstream) -> Int32 {
        switch upstream {
        case .unix(let path): connect(path: path)
        case .tcp(let host, let port): connect(host: host, port: port)
        }
    }

    private static func connect(path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if status == 0 { return descriptor }
        close(descriptor)
        return -1
    }

    private static func connect(host: String, port: Int) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0 else { return -1 }
        defer { freeaddrinfo(found) }
        var next = found
        while let entry = next?.pointee {
            let descriptor = socket(
                entry.ai_family, entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), entry.ai_protocol)
            if descriptor >= 0 {
                if Glibc.connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 {
                    promptly(descriptor)
                    return descriptor
                }
                close(descriptor)
            }
            next = entry.ai_next
        }
        return -1
    }

    /// Sends small pieces at once: a proxy must not add pauses of its own.
    static func promptly(_ descriptor: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Makes the next close a reset.
    static func resetOnClose(_ descriptor: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
}

/// Wakes a thread that polls.
struct WakeSignal: Sendable {
    /// What the thread polls.
    let descriptor: Int32
    private let sender: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        descriptor = ends[0]
        sender = ends[1]
    }

    func send() {
        var byte: UInt8 = 0
        _ = write(sender, &byte, 1)
    }

    func clear() {
        var bytes: (UInt64, UInt64) = (0, 0)
        while read(descriptor, &bytes, 16) > 0 {}
    }

    func end() {
        close(descriptor)
        close(sender)
    }
}
