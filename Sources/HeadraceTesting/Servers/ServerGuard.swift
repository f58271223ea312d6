import Glibc
import HeadraceCore

/// A shell that runs a server until the end of a pipe whose other end this process holds: the server stops and its
/// folder goes however this process ends.
struct ServerGuard {
    private let process: Int32
    private let pipe: Int32

    /// Starts `command`, its output in the file `log`.
    /// - Parameters:
    ///   - signal: the name of the signal that stops the server: `TERM`, `QUIT`.
    ///   - folder: removed when the server has stopped.
    init(running command: [String], log: String, stoppingWith signal: String, removing folder: String) throws {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw Self.failure("no pipe for a server") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let nothing = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer {
            close(ends[0])
            close(nothing)
        }
        let script = """
            log=$1 signal=$2 folder=$3; shift 3
            "$@" </dev/null >>"$log" 2>&1 & server=$!
            trap '' INT HUP
            cat >/dev/null
            kill -"$signal" $server 2>/dev/null; wait $server
            rm -rf "$folder"
            """
        process = try ChildProcess.start(
            ["/bin/sh", "-c", script, "guard", log, signal, folder] + command, descriptors: [ends[0], nothing, nothing])
        pipe = ends[1]
    }

    /// Stops the server and waits until its folder is gone.
    func stop() {
        close(pipe)
        _ = ChildProcess.wait(for: process)
    }

    /// Ends the guard alone, after the server was killed; the folder stays.
    func abandon() {
        kill(process, SIGKILL)
        close(pipe)
        _ = ChildProcess.wait(for: process)
    }

    static func failure(_ sentence: String) -> HeadraceError {
        HeadraceError(.inputOutput, sentence, because: String(cString: strerror(errno)))
    }

    /// A port of 127.0.0.1 that nobody listens on now.
    static func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0
            }
        }
        guard isBound else { throw failure("no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
