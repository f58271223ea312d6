import Glibc
import Synchronization

/// Stops what a connection waits for, from any thread; outlives the connection.
///
/// The socket is shut down, so that a call that waits for the server returns at once. The descriptor is forgotten under
/// the lock before the connection closes it.
final class MySQLInterrupter: Sendable {
    private let descriptor = Mutex<Int32>(-1)
    private let interrupted = Atomic<Bool>(false)

    /// Whether the connection has been asked to stop; it takes no more work then.
    var isInterrupted: Bool { interrupted.load(ordering: .acquiring) }

    func attach(_ socket: Int32) {
        descriptor.withLock { descriptor in
            descriptor = socket
            if isInterrupted, socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    func detach() { descriptor.withLock { $0 = -1 } }

    func interrupt() {
        interrupted.store(true, ordering: .releasing)
        descriptor.withLock { if $0 >= 0 { shutdown($0, Int32(SHUT_RDWR)) } }
    }
}
