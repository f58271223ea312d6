public import HeadraceCore
import Synchronization

/// A clock that only moves when someone sleeps, to the end of the sleep and at once, or when the test moves it.
public final class VirtualClock: RunClock {
    private struct State {
        var elapsed: Duration = .seconds(1)
        var sleeps: [Duration] = []
    }

    private let start: Int64
    private let state = Mutex(State())

    /// A clock that stands at a time, in microseconds since 1970; 2026-01-05T00:00:00Z unless told.
    public init(at start: Int64 = VirtualClock.start) { self.start = start }

    /// 2026-01-05T00:00:00Z in microseconds since 1970.
    public static let start: Int64 = 1_767_571_200_000_000

    /// Every sleep that was asked for, in order.
    public var sleeps: [Duration] { state.withLock { $0.sleeps } }

    public func now() -> Int64 { start + (monotonic() - 1_000_000_000) / 1000 }

    public func monotonic() -> Int64 {
        let (seconds, attoseconds) = state.withLock { $0.elapsed }.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// Moves the clock to the end of the sleep and lets other tasks run. Throws when the task is cancelled.
    public func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        state.withLock {
            $0.sleeps.append(duration)
            $0.elapsed += max(duration, .zero)
        }
        await Task.yield()
    }

    /// Moves the clock without a sleep.
    public func advance(by duration: Duration) { state.withLock { $0.elapsed += duration } }
}
