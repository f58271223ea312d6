import Glibc
import HeadraceCore
import HeadraceTesting
import Testing

/// Sockets that block, for at most ten seconds.
private final class Peer {
    let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Connects to a port of loopback; nil when refused.
    static func connected(to port: Int) -> Peer? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status == 0 { return Peer(descriptor) }
        close(descriptor)
        return nil
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// All that comes until the end, and the error that ended it, 0 for an orderly end.
    func rest() -> (text: String, error: Int32) {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { return (String(decoding: all, as: UTF8.self), count == 0 ? 0 : errno) }
            all += buffer[..<count]
        }
    }

    /// What comes next, up to so many bytes.
    func receive(_ count: Int = 1 << 16) -> String {
        var buffer = [UInt8](repeating: 0, count: count)
        let received = recv(descriptor, &buffer, count, 0)
        return String(decoding: buffer.prefix(max(0, received)), as: UTF8.self)
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }
}

/// A server that sends back what it hears, and notes how each connection ended.
private final class Echo: Sendable {
    let listener: Int32
    let upstream: FaultProxy.Upstream
    private let path: String?

    init(isUnix: Bool = false) throws {
        if isUnix {
            let path = "/tmp/headrace-echo-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
            listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let descriptor = listener
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(status == 0)
            upstream = .unix(path: path)
            self.path = path
        } else {
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let descriptor = listener
            let status = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) | getsockname(descriptor, $0, &size)
                }
            }
            try #require(status == 0)
            upstream = .tcp(host: "localhost", port: Int(UInt16(bigEndian: address.sin_port)))
            path = nil
        }
        listen(listener, 16)
        let listener = self.listener
        EngineThread.start {
            while case let accepted = accept(listener, nil, nil), accepted >= 0 {
                EngineThread.start {
                    let peer = Peer(accepted)
                    while case let text = peer.receive(), !text.isEmpty { peer.send(text) }
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        if let path { unlink(path) }
    }
}

struct FaultProxyTests {
    @Test("Without a script everything passes and is counted, to a port or a Unix socket", arguments: [false, true])
    func passes(isUnix: Bool) throws {
        let echo = try Echo(isUnix: isUnix)
        let proxy = try FaultProxy(to: echo.upstream)
        let text = String(repeating: "many bytes ", count: 30_000)
        for _ in 0..<3 {
            let peer = try #require(Peer.connected(to: proxy.port))
            let descriptor = peer.descriptor
            EngineThread.start {
                let bytes = Array(text.utf8)
                var sent = 0
                while sent < bytes.count {
                    let count = bytes[sent...].withUnsafeBytes {
                        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    if count <= 0 { break }
                    sent += count
                }
                shutdown(descriptor, Int32(SHUT_WR))
            }
            let (found, error) = peer.rest()
            #expect(found == text)
            #expect(error == 0)
        }
        #expect(proxy.wait { $0.open == 0 })
        let counts = proxy.counts
        #expect(counts.connections == 3)
        #expect(counts.toServer == 3 * text.utf8.count)
        #expect(counts.toClient == 3 * text.utf8.count)
        #expect(counts.fired == 0)
    }

    @Test("A cut comes at its byte, by reset or by end, and later connections pass", arguments: ["reset", "end"])
    func cuts(action: String) throws {
        let echo = try Echo()
        let proxy = try FaultProxy(to: echo.upstream, script: try FaultScript("\(action)@toClient:7"))
        let peer = try #require(Peer.connected(to: proxy.port))
        peer.send("0123456789")
        let (found, error) = peer.rest()
        #expect(found == "0123456")
        #expect(error == (action == "reset" ? ECONNRESET : 0))
        #expect(proxy.counts.toClient == 7)
        #expect(proxy.counts.fired == 1)
        let other = try #require(Peer.connected(to: proxy.port))
        other.send("0123456789")
        #expect(other.receive() == "0123456789")
    }

    @Test("Bytes to the server are cut there, so that it hears no more")
    func cutsToServer() throws {
        let echo = try Echo()
        let proxy = try FaultProxy(to: echo.upstream, script: try FaultScript("end@toServer:before=COMMIT"))
        let peer = try #require(Peer.connected(to: proxy.port))
        peer.send("work ")
        #expect(peer.receive() == "work ")
        peer.send("COMMIT")
        _ = peer.rest()
        #expect(proxy.counts.toServer == "work COMMI".count)
    }

    @Test("Held answers come when they are released, and that the server has answered is known before")
    func holds() throws {
        let echo = try Echo()
        let proxy = try FaultProxy(to: echo.upstream, script: try FaultScript("hold@toServer:after=COMMIT"))
        let peer = try #require(Peer.connected(to: proxy.port))
        peer.send("COMMIT")
        #expect(proxy.wait { $0.waiting == 1 })
        #expect(proxy.counts.toClient == 0)
        peer.send(" more")
        #expect(proxy.wait { $0.toServer == 11 })
        #expect(proxy.counts.toClient == 0)
        proxy.release()
        var found = ""
        while found.count < 11 { found += peer.receive() }
        #expect(found == "COMMIT more")
        #expect(proxy.counts.waiting == 0)
    }

    @Test("A stalled connection passes nothing until it is released, or ends when it is cut")
    func stalls() throws {
        let echo = try Echo()
        let proxy = try FaultProxy(to: echo.upstream, script: try FaultScript("stall@toServer:3"))
        let peer = try #require(Peer.connected(to: proxy.port))
        peer.send("abc")
        #expect(proxy.wait { $0.fired == 1 })
        peer.send("def")
        #expect(!proxy.wait(milliseconds: 50) { $0.toServer > 3 || $0.toClient > 0 })
        proxy.release()
        var found = ""
        while found.count < 6 { found += peer.receive() }
        #expect(found == "abcdef")
        proxy.cut()
        #expect(peer.rest().error == ECONNRESET)
        #expect(proxy.wait { $0.open == 0 })
    }

    @Test("Connections are refused while the script says so, and taken again on the same port")
    func refuses() throws {
        let echo = try Echo()
        let proxy = try FaultProxy(to: echo.upstream)
        for _ in 0..<3 {
            proxy.play(FaultScript(refuses: true))
            #expect(Peer.connected(to: proxy.port) == nil)
            proxy.play(FaultScript())
            let peer = try #require(Peer.connected(to: proxy.port))
            peer.send("there")
            #expect(peer.receive() == "there")
        }
    }

    @Test("Another script ends what the last has left open, and counts anew")
    func replays() throws {
        let echo = try Echo()
        let proxy = try FaultProxy(to: echo.upstream, script: try FaultScript("hold@toServer:1"))
        let peer = try #require(Peer.connected(to: proxy.port))
        peer.send("a")
        #expect(proxy.wait { $0.waiting == 1 })
        proxy.play(FaultScript())
        #expect(peer.rest().error == ECONNRESET)
        let counts = proxy.counts
        #expect([counts.connections, counts.open, counts.toServer, counts.fired, counts.waiting] == [0, 0, 0, 0, 0])
    }

    @Test("A slow proxy takes the time that it was told")
    func slows() throws {
        let echo = try Echo()
        let clock = ContinuousClock()
        // There and back: twice the delay, or 300 bytes at 1000 a second, one way after the other at the least.
        for (script, least) in [("delay=100", 200), ("rate=1000", 300)] {
            let proxy = try FaultProxy(to: echo.upstream, script: try FaultScript(script))
            let peer = try #require(Peer.connected(to: proxy.port))
            let text = script.hasPrefix("rate") ? String(repeating: "x", count: 300) : "x"
            let took = clock.measure {
                peer.send(text)
                peer.finishSending()
                #expect(peer.rest().text == text)
            }
            #expect(took >= .milliseconds(least))
        }
    }

    @Test("A server that is not there shows as a reset, and a proxy that has stopped as refused")
    func absences() throws {
        let proxy = try FaultProxy(to: .unix(path: "/nowhere/at/all"))
        let peer = try #require(Peer.connected(to: proxy.port))
        #expect(peer.rest().error == ECONNRESET)
        proxy.stop()
        proxy.stop()
        #expect(proxy.wait { _ in Peer.connected(to: proxy.port) == nil })
    }
}
