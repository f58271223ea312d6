import Glibc
import HeadraceCore

/// Whether the process that holds a lease still runs on this machine.
enum ProcessProbe {
    /// Whether the holder is a process of this machine that has ended. False whenever that is not certain.
    static func isGone(_ holder: LeaseHolder) -> Bool {
        guard holder.process > 0, !holder.processStart.isEmpty, holder.host == host else { return false }
        if kill(holder.process, 0) != 0, errno == ESRCH { return true }
        // The number is in use: by the holder, or by a process that got it after the holder ended or the machine restarted.
        guard let start = start(of: holder.process) else { return false }
        return start != holder.processStart
    }

    /// This machine's name.
    static var host: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The boot's identity and the process's start in ticks since it, as `LeaseHolder.processStart` holds them; nil when
    /// the process cannot be seen.
    static func start(of process: Int32) -> String? {
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
