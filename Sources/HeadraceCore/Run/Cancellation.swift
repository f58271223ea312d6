import Synchronization

/// Asks a run to stop. Checked between batches, by every retry and before every commit.
public final class Cancellation: Sendable {
    private struct State {
        var isCancelled = false
        var handlers: [Int: @Sendable () -> Void] = [:]
        var next = 0
    }
    private let state = Mutex(State())

    /// A run that nobody has asked to stop.
    public init() {}

    /// Whether `cancel()` was called; once true it stays true.
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Throws `cancelled` once the run has been asked to stop.
    public func check() throws(HeadraceError) {
        if isCancelled { throw .cancelled }
    }

    /// Asks the run to stop; the handlers run once, on the calling thread.
    public func cancel() {
        let handlers = state.withLock { state -> [@Sendable () -> Void] in
            if state.isCancelled { return [] }
            state.isCancelled = true
            defer { state.handlers = [:] }
            return Array(state.handlers.values)
        }
        for handler in handlers { handler() }
    }

    /// Runs `handler` when the run is asked to stop, at once when it was; returns a key for `remove`.
    public func onCancel(_ handler: @escaping @Sendable () -> Void) -> Int {
        let key: Int? = state.withLock { state in
            if state.isCancelled { return nil }
            state.next += 1
            state.handlers[state.next] = handler
            return state.next
        }
        guard let key else {
            handler()
            return 0
        }
        return key
    }

    /// Drops the handler of a key, as soon as what it would interrupt is over; an unknown key does nothing.
    public func remove(_ key: Int) { state.withLock { _ = $0.handlers.removeValue(forKey: key) } }
}
