import Glibc
import HeadraceLoopback

/// A server of another make in a process of its own, in a new folder with a certificate for `localhost`.
final class ChildServer: Sendable {
    let certificateFile: String
    let folder: String
    /// What the process wrote up to the first line that the caller waited for.
    let firstLine: String
    private let process: pid_t

    /// Runs a script of the shell whose last command is the server; `cert.pem` and `key.pem` are in its folder.
    init(script: String, waitingFor prefix: String) throws {
        var template = Array("/tmp/headrace-http-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw LoopbackError(what: "no folder for a server") }
        folder = String(cString: made)
        certificateFile = "\(folder)/cert.pem"
        let whole = """
            cd '\(folder)' &&
            openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost 2>/dev/null || exit 1
            \(script)
            """
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw LoopbackError(what: "no pipe") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        // A connection that another test closes must not live on in this child: its peer would wait for ever.
        for number in Int32(3)..<4096 { posix_spawn_file_actions_addclose(&actions, number) }
        var process = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ["sh", "-c", whole].map { (text: String) in strdup(text) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let result = posix_spawn(&process, "/bin/sh", &actions, nil, &arguments, environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard result == 0 else { throw LoopbackError(what: "the shell does not start") }
        self.process = process
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(ends[0], &byte, 1) == 1 {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if line.starts(with: prefix.utf8) { break }
            line = []
        }
        firstLine = String(decoding: line, as: UTF8.self)
        guard firstLine.hasPrefix(prefix) else { throw LoopbackError(what: "the server ended: \(firstLine)") }
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        system("rm -rf '\(folder)'")
    }
}

extension ChildServer {
    /// `openssl s_server`, which sends the files `page` and `redirect` as whole responses over TLS on a free port.
    static func openSSL(redirectingTo target: String = "http://127.0.0.1:1") throws -> (server: ChildServer, port: Int)
    {
        let server = try ChildServer(
            script: """
                printf 'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 6\\r\\n\\r\\nsecure' > page
                printf 'HTTP/1.1 302 Found\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\nLocation: \(target)\\r\\n\\r\\n' > redirect
                exec openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -HTTP 2>/dev/null
                """, waitingFor: "ACCEPT")
        guard let port = server.firstLine.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw LoopbackError(what: "openssl names no port: \(server.firstLine)")
        }
        return (server, port)
    }

    /// Whether `nghttpd`, a server that speaks HTTP/2, is installed.
    static var hasNghttpd: Bool { system("command -v nghttpd > /dev/null") == 0 }

    /// `nghttpd`, which serves the files `small` (30,000 bytes) and `large` (40 MB) over HTTP/2 and TLS.
    static func nghttpd() throws -> (server: ChildServer, port: Int) {
        // It takes no port zero, so a port is taken that was free a moment ago.
        let port = try LoopbackServer().port
        let server = try ChildServer(
            script: """
                head -c 30000 /dev/urandom > small
                head -c 40000000 /dev/urandom > large
                exec nghttpd -a 127.0.0.1 -v -d . \(port) key.pem cert.pem 2>/dev/null
                """, waitingFor: "IPv4: listen")
        return (server, port)
    }
}
