import Glibc

/// `openssl s_server`, serving two files as responses over TLS on a free port, with a new certificate for `localhost`.
final class OpenSSLServer: Sendable {
    let port: Int
    let certificateFile: String
    private let folder: String
    private let process: pid_t

    init(redirectingTo target: String = "http://127.0.0.1:1") throws {
        var template = Array("/tmp/headrace-tls-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw LoopbackError(what: "no folder for a certificate") }
        let folder = String(cString: made)
        self.folder = folder
        certificateFile = "\(folder)/cert.pem"
        let script = """
            cd '\(folder)' &&
            openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost 2>/dev/null &&
            printf 'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 6\\r\\n\\r\\nsecure' > page &&
            printf 'HTTP/1.1 302 Found\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\nLocation: \(target)\\r\\n\\r\\n' > redirect &&
            exec openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -HTTP 2>/dev/null
            """
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw LoopbackError(what: "no pipe") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        for end in ends { posix_spawn_file_actions_addclose(&actions, end) }
        var process = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ["sh", "-c", script].map { (text: String) in strdup(text) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let result = posix_spawn(&process, "/bin/sh", &actions, nil, &arguments, environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard result == 0 else { throw LoopbackError(what: "openssl does not start") }
        self.process = process
        var output: [UInt8] = []
        var byte: UInt8 = 0
        while read(ends[0], &byte, 1) == 1 {
            output.append(byte)
            let text = String(decoding: output, as: UTF8.self)
            if byte == UInt8(ascii: "\n"),
                let line = text.split(separator: "\n").first(where: { $0.hasPrefix("ACCEPT") }),
                let number = line.split(separator: ":").last.flatMap({ Int($0) })
            {
                port = number
                return
            }
        }
        port = 0
        throw LoopbackError(what: "openssl names no port: \(String(decoding: output, as: UTF8.self))")
    }

    deinit {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        for name in ["cert.pem", "key.pem", "page", "redirect"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }
}
