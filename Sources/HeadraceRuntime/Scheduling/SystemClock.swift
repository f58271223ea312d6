import Glibc
public import HeadraceCore

/// The machine's clocks.
public struct SystemClock: RunClock {
    /// The clocks hold no state: every value tells the same time.
    public init() {}

    public func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    public func monotonic() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    public func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}

/// Facts about this process and machine that scheduling and seeds need.
public enum SystemFacts {
    /// The processors that this process may use.
    public static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// 64 bits from the kernel's generator, for seeds only; a run draws from `RunRandom`.
    public static func entropy() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
