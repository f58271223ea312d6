import HeadraceCSQLite
import Synchronization

/// Stops what a connection does, from any thread; outlives the connection.
///
/// - Invariant (`@unchecked Sendable`): the handle is used under the lock only, and taken out before it is closed.
final class SQLiteInterrupter: @unchecked Sendable {
    private struct Handle: @unchecked Sendable { var pointer: OpaquePointer? }
    private let handle = Mutex(Handle(pointer: nil))
    private let interrupted = Atomic<Bool>(false)

    /// Whether the connection has been asked to stop; it takes no more work then, save to roll back.
    var isInterrupted: Bool { interrupted.load(ordering: .acquiring) }

    func attach(_ pointer: OpaquePointer) { handle.withLock { $0.pointer = pointer } }
    func detach() { handle.withLock { $0.pointer = nil } }

    func interrupt() {
        interrupted.store(true, ordering: .releasing)
        handle.withLock { if let pointer = $0.pointer { sqlite3_interrupt(pointer) } }
    }
}
