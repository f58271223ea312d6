import Glibc
import Synchronization

/// Runs blocking calls away from Swift's shared pool, on threads of its own.
public enum BlockingWork {
    /// Runs `body` on a thread that may block and gives back what it returns.
    public static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            ThreadPool.shared.enqueue { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Waits on the calling thread for asynchronous work; only for engine threads, never on the shared pool.
    public static func wait<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
        let cell = WaitCell<R>()
        Task.detached {
            do { cell.fulfil(.success(try await body())) } catch { cell.fulfil(.failure(error)) }
        }
        return try cell.wait().get()
    }
}

/// Holds one result until a thread has taken it.
///
/// - Invariant (`@unchecked Sendable`): `result` is touched under `mutex` only.
private final class WaitCell<R: Sendable>: @unchecked Sendable {
    private var result: Result<R, any Error>?
    private let condition = Condition()

    func fulfil(_ value: Result<R, any Error>) {
        condition.lock()
        result = value
        condition.broadcast()
        condition.unlock()
    }

    func wait() -> Result<R, any Error> {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let result { return result }
            condition.wait()
        }
    }
}

/// A mutex and a condition variable, freed with the object.
package final class Condition: @unchecked Sendable {
    // Invariant: both are initialised once and only used through the pthread calls below.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let variable = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// An open lock with nobody waiting; waits with a bound go by the monotonic clock.
    package init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(variable, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(variable)
        pthread_mutex_destroy(mutex)
        variable.deallocate()
        mutex.deallocate()
    }

    /// Takes the lock; not recursive.
    package func lock() { pthread_mutex_lock(mutex) }
    /// Gives the lock back, on the thread that took it.
    package func unlock() { pthread_mutex_unlock(mutex) }
    /// Waits for a signal; the lock is held before and after. May return without one, so check what you wait for.
    package func wait() { pthread_cond_wait(variable, mutex) }
    /// Wakes one of the threads that wait, if any.
    package func signal() { pthread_cond_signal(variable) }
    /// Wakes all threads that wait.
    package func broadcast() { pthread_cond_broadcast(variable) }

    /// Waits for a signal at most `nanoseconds`; false when the time passed first.
    package func wait(nanoseconds: Int64) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let total = Int64(deadline.tv_nsec) + nanoseconds
        deadline.tv_sec += Int(total / 1_000_000_000)
        deadline.tv_nsec = Int(total % 1_000_000_000)
        return pthread_cond_timedwait(variable, mutex, &deadline) == 0
    }

    /// Runs `body` under the lock, which is given back when it throws too.
    package func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        lock()
        defer { unlock() }
        return try body()
    }
}
