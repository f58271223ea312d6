import HeadraceCore
import Synchronization

/// Keeps all requests of a client to one host within its rate and concurrency, first come first served.
final class HostLimiter: Sendable {
    private struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<Void, any Error>
    }
    private struct State {
        var pacer: RequestPacer
        var running = 0
        var waiting: [Waiter] = []
        var numbers = 0
        var cancelled: Set<Int> = []
    }

    private let concurrency: Int
    private let state: Mutex<State>

    init(_ limits: [RateLimit], concurrency: Int) {
        self.concurrency = max(1, concurrency)
        state = Mutex(State(pacer: RequestPacer(limits)))
    }

    /// Waits for a free place and then for the host's time; the place is free again when the permit is released.
    ///
    /// - Throws: what the clock throws on cancellation; nothing is held then.
    func acquire(clock: any RunClock) async throws -> HostPermit {
        try await takePlace()
        let permit = HostPermit(self)
        do {
            var grant = state.withLock { $0.pacer.reserve(at: clock.monotonic()) }
            while true {
                let now = clock.monotonic()
                if grant > now {
                    try await clock.sleep(for: .nanoseconds(grant - now))
                    continue
                }
                // A pause that came while this request slept holds for it too.
                guard state.withLock({ $0.pacer.pausedUntil }) > now else { return permit }
                grant = state.withLock { $0.pacer.reserve(at: now) }
            }
        } catch {
            permit.release()
            throw error
        }
    }

    /// Lets no request through for a time, as the host asked.
    func pause(for wait: Duration, clock: any RunClock) {
        let until = clock.monotonic().addingReportingOverflow(wait.nanoseconds)
        state.withLock { $0.pacer.pause(until: until.overflow ? .max : until.partialValue) }
    }

    /// Adds a limit that the host has made known.
    func add(_ limit: RateLimit, clock: any RunClock) {
        state.withLock { $0.pacer.add(limit, at: clock.monotonic()) }
    }

    private func takePlace() async throws {
        try Task.checkCancellation()
        let number: Int? = state.withLock { state in
            if state.running < concurrency {
                state.running += 1
                return nil
            }
            state.numbers += 1
            return state.numbers
        }
        guard let number else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    if state.running < concurrency {
                        state.running += 1
                        return .success(())
                    }
                    state.waiting.append(Waiter(number: number, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
                    state.cancelled.insert(number)
                    return nil
                }
                return state.waiting.remove(at: index)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
        state.withLock { _ = $0.cancelled.remove(number) }
    }

    fileprivate func release() {
        let next = state.withLock { state -> Waiter? in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.continuation.resume()
    }
}

/// A place among the requests under way to a host.
final class HostPermit: Sendable {
    private let limiter: HostLimiter
    private let isHeld = Atomic(true)

    fileprivate init(_ limiter: HostLimiter) { self.limiter = limiter }

    /// Gives the place to whoever waits; may be called twice.
    func release() {
        if isHeld.exchange(false, ordering: .acquiringAndReleasing) { limiter.release() }
    }

    deinit { release() }
}

/// The limiters of a client, one a host.
final class HostLimiters: Sendable {
    private let limits: [RateLimit]
    private let concurrency: Int
    private let hosts = Mutex<[String: HostLimiter]>([:])

    init(_ limits: [RateLimit], concurrency: Int) {
        self.limits = limits
        self.concurrency = concurrency
    }

    subscript(host: String) -> HostLimiter {
        hosts.withLock { hosts in
            if let known = hosts[host] { return known }
            let limiter = HostLimiter(limits, concurrency: concurrency)
            hosts[host] = limiter
            return limiter
        }
    }
}
