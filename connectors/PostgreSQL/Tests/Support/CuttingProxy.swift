import Foundation
import Glibc
import HeadraceCore
import Synchronization

/// Stands between a client and the server on loopback and cuts the first connection that sends COMMIT: before the server
/// hears it, or after it has answered.
final class CuttingProxy: Sendable {
    let port: Int
    private let listener: Int32
    private let server: Int
    private let dropsCommit: Bool
    private let count = Mutex(0)
    private let onCut: @Sendable () -> Void

    var cuts: Int { count.withLock { $0 } }

    /// - Parameter onCut: runs before the client learns of the cut.
    init(to server: Int, dropsCommit: Bool, onCut: @escaping @Sendable () -> Void = {}) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.server = server
        self.dropsCommit = dropsCommit
        self.onCut = onCut
        var address = Self.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) | listen(listener, 8) | getsockname(listener, $0, &size)
            }
        }
        guard status == 0 else { throw HeadraceError(.inputOutput, "no listener") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let proxy = self else { return }
                Thread.detachNewThread { proxy.relay(client) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return address
    }

    private func relay(_ client: Int32) {
        let upstream = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer {
            close(client)
            close(upstream)
        }
        var address = Self.loopback(server)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(upstream, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { return }
        let commit = Array("COMMIT\0".utf8)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var watched = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: upstream, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&watched, 2, 30_000) > 0 else { return }
            for (index, target) in [upstream, client].enumerated() where watched[index].revents != 0 {
                let size = read(watched[index].fd, &buffer, buffer.count)
                guard size > 0 else { return }
                let cuts = index == 0 && cuts == 0 && buffer[..<size].suffix(commit.count).elementsEqual(commit)
                if cuts { count.withLock { $0 += 1 } }
                if cuts && dropsCommit { return }
                var sent = 0
                while sent < size {
                    let done = buffer[sent..<size].withUnsafeBytes { write(target, $0.baseAddress, $0.count) }
                    guard done > 0 else { return }
                    sent += done
                }
                if cuts {
                    _ = read(upstream, &buffer, buffer.count)
                    onCut()
                    return
                }
            }
        }
    }
}
