import Glibc
import Synchronization

/// Asks a connection to stop, from any thread; outlives the connection.
///
/// The connection waits on the descriptor beside its socket, so that it wakes at once. It sends the cancel request
/// itself, because only its own thread may use it.
final class PostgreSQLInterrupter: Sendable {
    /// The end of a pipe that is readable once the connection has been asked to stop; -1 without descriptors.
    let descriptor: Int32
    private let bell: Int32
    private let interrupted = Atomic<Bool>(false)

    init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        (descriptor, bell) = (ends[0], ends[1])
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if bell >= 0 { close(bell) }
    }

    /// Whether the connection has been asked to stop; it takes no more work then, save to roll back.
    var isInterrupted: Bool { interrupted.load(ordering: .acquiring) }

    func interrupt() {
        interrupted.store(true, ordering: .releasing)
        var ring: UInt8 = 1
        _ = write(bell, &ring, 1)
    }
}
