import Glibc

extension LeaseHolder {
    /// This process, as the holder of a lease for `run`.
    package static func thisProcess(run: String) -> LeaseHolder {
        LeaseHolder(run: run, host: thisHost, process: getpid(), processStart: processStart(of: getpid()) ?? "")
    }

    /// Whether the holder was a process of this machine that has ended; for a `LeaseStore`, which may give its lease away.
    ///
    /// False whenever that is not certain: on another machine, where `processStart` is empty, where the process cannot be
    /// looked at.
    public var isGone: Bool {
        guard process > 0, !processStart.isEmpty, host == Self.thisHost else { return false }
        if kill(process, 0) != 0, errno == ESRCH { return true }
        // The number is in use: by the holder, or by a process that got it after the holder ended or the machine restarted.
        guard let start = Self.processStart(of: process) else { return false }
        return start != processStart
    }

    /// This machine's name.
    package static var thisHost: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The boot's identity and the process's start in ticks since it, as `processStart` holds them; nil when the process
    /// cannot be seen.
    package static func processStart(of process: Int32) -> String? {
        guard let stat = read("/proc/\(process)/stat"), let close = stat.lastIndex(of: ")"),
            let boot = read("/proc/sys/kernel/random/boot_id")?.split(separator: "\n").first
        else { return nil }
        // Field 22 of the line; the name in parentheses is field 2 and may hold anything.
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        return fields.count > 19 ? "\(boot):\(fields[19])" : nil
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
