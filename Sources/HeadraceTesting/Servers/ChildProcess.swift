import Glibc
import HeadraceCore

/// Programs that tests run beside them: servers and the clients that judge what we wrote.
public enum ChildProcess {
    /// What a program said and how it ended.
    public struct Outcome: Sendable {
        /// The exit status, or 128 and the signal that ended it.
        public let status: Int32
        /// What it wrote to standard output.
        public let output: String
        /// What it wrote to standard error.
        public let errors: String
    }

    /// Runs a program to its end.
    /// - Parameters:
    ///   - arguments: the program, found on the path or named in full, and its arguments.
    ///   - input: what it reads from standard input.
    ///   - environment: variables added to ours; nil takes one out.
    /// - Throws: `inputOutput` when the program cannot be started.
    public static func run(
        _ arguments: [String], input: String = "", environment: [String: String?] = [:]
    ) throws -> Outcome {
        let files = try (0..<3).map { _ in try TemporaryFile() }
        var text = input
        text.withUTF8 { bytes in
            var sent = 0
            while sent < bytes.count, let base = bytes.baseAddress {
                let count = write(files[0].descriptor, base + sent, bytes.count - sent)
                if count <= 0 { break }
                sent += count
            }
        }
        lseek(files[0].descriptor, 0, SEEK_SET)
        let process = try start(arguments, descriptors: files.map(\.descriptor), environment: environment)
        let status = wait(for: process)
        return Outcome(status: status, output: files[1].contents, errors: files[2].contents)
    }

    /// The path of a program of the package under test, which `swift test` builds beside the tests.
    /// - Throws: `notFound` when it is not there.
    public static func product(_ name: String) throws -> String {
        guard let tests = realpath("/proc/self/exe", nil) else {
            throw HeadraceError(.inputOutput, "it is not known where the tests are")
        }
        defer { free(tests) }
        let path = String(cString: tests).split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/\(name)"
        guard access(path, X_OK) == 0 else {
            throw HeadraceError(.notFound, "there is no program \(path)", hint: "swift build --product \(name)")
        }
        return path
    }

    /// Starts a program with these descriptors as standard input, output and error; the caller waits for it.
    public static func start(
        _ arguments: [String], descriptors: [Int32], environment: [String: String?] = [:]
    ) throws -> Int32 {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee.map({ String(cString: $0) }) {
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        for (name, value) in environment { variables[name] = value }
        let words = arguments.map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in words + settings { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (index, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(index))
        }
        // A connection that another test closes must not live on in this child: its peer would wait for ever. Closing what
        // is not open does no harm; `addclosefrom_np` is not visible from Swift.
        for number in Int32(descriptors.count)..<4096 { posix_spawn_file_actions_addclose(&actions, number) }
        var process: Int32 = 0
        let status = posix_spawnp(&process, words[0] ?? strdup(""), &actions, nil, words, settings)
        guard status == 0 else {
            throw HeadraceError(
                .inputOutput, "\(arguments.first ?? "") cannot be started", because: String(cString: strerror(status)),
                hint: "run Tests/Support/install-dependencies --tests")
        }
        return process
    }

    /// Waits for a child to end.
    public static func wait(for process: Int32) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f)
    }

    /// A file without a name, gone with the object.
    private final class TemporaryFile {
        let descriptor: Int32

        init() throws {
            var path = Array("/tmp/headrace-child-XXXXXX".utf8CString)
            descriptor = mkstemp(&path)
            guard descriptor >= 0 else {
                throw HeadraceError(.inputOutput, "no temporary file", because: String(cString: strerror(errno)))
            }
            unlink(&path)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }

        deinit { close(descriptor) }

        var contents: String {
            lseek(descriptor, 0, SEEK_SET)
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(descriptor, &piece, piece.count)
                if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
                bytes += piece[..<count]
            }
        }
    }
}
