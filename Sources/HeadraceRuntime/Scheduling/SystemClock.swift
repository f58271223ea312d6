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

/// Facts about this process and machine that leases and seeds need.
public enum SystemFacts {
    /// The processors that this process may use.
    public static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// 64 bits from the kernel's generator, for seeds only; a run draws from `RunRandom`.
    public static func entropy() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    /// This process as the holder of a lease.
    public static func holder(run: String) -> LeaseHolder {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, 255)
        let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return LeaseHolder(run: run, host: host, process: getpid(), processStart: processStart(getpid()) ?? "")
    }

    /// When a process of this machine started (ticks since boot) and which boot it was; nil when it is gone.
    public static func processStart(_ process: Int32) -> String? {
        guard let stat = readSmallFile("/proc/\(process)/stat"), let close = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        guard fields.count > 19 else { return nil }
        let boot = readSmallFile("/proc/sys/kernel/random/boot_id")?.split(separator: "\n").first.map(String.init) ?? ""
        return "\(boot):\(fields[19])"
    }

    private static func readSmallFile(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let got = read(descriptor, &bytes, bytes.count)
        return got > 0 ? String(decoding: bytes[..<got], as: UTF8.self) : nil
    }
}
