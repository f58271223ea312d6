import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Testing

@testable import HeadraceHTTP

@Suite struct RateLimitTests {
    @Test("Evenly paced requests never exceed the limit in any span", arguments: [1, 3, 10, 100])
    func paced(requests: Int) {
        var pacer = RequestPacer([RateLimit(requests, per: .seconds(1))])
        var grants: [Int64] = []
        var now: Int64 = 5_000
        let random = RunRandom(seed: UInt64(requests))
        for _ in 0..<500 {
            let grant = pacer.reserve(at: now)
            grants.append(grant)
            // Some callers wait for their grant, some come after a rest.
            now = grant + Int64(random.below(4) == 0 ? random.below(2_000_000_000) : 0)
        }
        #expect(grants == grants.sorted())
        for (index, grant) in grants.enumerated() where index >= requests {
            #expect(grant - grants[index - requests] >= 1_000_000_000)
        }
    }

    @Test("A burst goes through after a rest and not before")
    func burst() {
        var pacer = RequestPacer([RateLimit(2, per: .seconds(1), burst: 3)])
        let first = (0..<4).map { _ in pacer.reserve(at: 0) }
        #expect(first == [0, 0, 0, 500_000_000])
        let rested = (0..<4).map { _ in pacer.reserve(at: 60_000_000_000) }
        #expect(rested == [60_000_000_000, 60_000_000_000, 60_000_000_000, 60_500_000_000])
    }

    @Test("Of several limits the stricter one holds at each moment")
    func several() {
        var pacer = RequestPacer([RateLimit(10, per: .seconds(1)), RateLimit(20, per: .seconds(60), burst: 20)])
        let grants = (0..<22).map { _ in pacer.reserve(at: 0) }
        #expect(grants[1] == 100_000_000)
        #expect(grants[19] == 1_900_000_000)
        #expect(grants[21] == 6_000_000_000)
    }

    @Test("A pause holds every request back")
    func pause() {
        var pacer = RequestPacer([RateLimit(10, per: .seconds(1))])
        _ = pacer.reserve(at: 0)
        pacer.pause(until: 5_000_000_000)
        #expect(pacer.reserve(at: 10) == 5_000_000_000)
        #expect(pacer.reserve(at: 10) == 5_100_000_000)
    }

    @Test("On a virtual clock twenty tasks share one host's rate")
    func shared() async throws {
        let clock = VirtualClock()
        let limiter = HostLimiter([RateLimit(5, per: .seconds(1))], concurrency: 4)
        let times = Shared<[Int64]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let permit = try await limiter.acquire(clock: clock)
                    let now = clock.monotonic()
                    times.change { $0.append(now) }
                    permit.release()
                }
            }
            try await group.waitForAll()
        }
        let sorted = times.current.sorted()
        #expect(sorted.count == 20)
        for (index, time) in sorted.enumerated() { #expect(time >= 1_000_000_000 + Int64(index) * 200_000_000) }
    }

    @Test("No more requests are under way than allowed, and each waiter gets its turn")
    func concurrency() async throws {
        let limiter = HostLimiter([], concurrency: 3)
        let counts = Shared((now: 0, peak: 0, done: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    let permit = try await limiter.acquire(clock: SystemClock())
                    counts.change {
                        $0.now += 1
                        $0.peak = max($0.peak, $0.now)
                    }
                    try await Task.sleep(for: .milliseconds(1))
                    counts.change {
                        $0.now -= 1
                        $0.done += 1
                    }
                    permit.release()
                }
            }
            try await group.waitForAll()
        }
        #expect(counts.current.done == 50)
        #expect(counts.current.peak == 3)
    }

    @Test("A waiter that is cancelled leaves its turn to the next")
    func cancelled() async throws {
        let limiter = HostLimiter([], concurrency: 1)
        let held = try await limiter.acquire(clock: SystemClock())
        let waiting = Task { try await limiter.acquire(clock: SystemClock()) }
        try await Task.sleep(for: .milliseconds(20))
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        held.release()
        held.release()
        let next = try await limiter.acquire(clock: SystemClock())
        next.release()
    }

    @Test("A permit that is dropped gives its place back")
    func dropped() async throws {
        let limiter = HostLimiter([], concurrency: 1)
        _ = try await limiter.acquire(clock: SystemClock())
        _ = try await limiter.acquire(clock: SystemClock())
    }
}
