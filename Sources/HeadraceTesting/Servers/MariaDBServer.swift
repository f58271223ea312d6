import Glibc
import HeadraceCore
import Synchronization

/// A MariaDB server of the test run's own: in a folder of its own, on a port of its own, on loopback and a socket.
///
/// It never touches a server of the machine, and stops with this process however that ends. Run as root it drops to the
/// user `mysql`.
public final class MariaDBServer: Sendable {
    /// The folder of the server's data, socket and log.
    public let folder: String
    /// Where it listens on 127.0.0.1.
    public let port: Int
    /// The user with all rights, whom the socket lets in without a password.
    public let user = "root"
    /// A user with all rights who needs `password`, over TCP or the socket.
    public let guest = "tést"
    /// The password of `guest`.
    public let password = "pw:@/'é"
    private let settings: [String]
    private let isDurable: Bool
    private let state: Mutex<State>

    private struct State {
        var guardian: ServerGuard?
        var databases = 0
    }

    private static let started = Mutex<Result<MariaDBServer, HeadraceError>?>(nil)

    /// The one server that the tests of this process share, started by the first who asks.
    public static func shared() throws -> MariaDBServer {
        try started.withLock { started in
            if let result = started { return try result.get() }
            let result = Result { () throws(HeadraceError) in
                do { return try MariaDBServer() } catch {
                    throw HeadraceError.wrapping(error, "no MariaDB server for the tests")
                }
            }
            started = result
            return try result.get()
        }
    }

    /// Makes a data folder and starts a server on it.
    /// - Parameters:
    ///   - settings: further arguments of `mariadbd`, such as `--local-infile=0`; the last of a name counts.
    ///   - durable: whether commits reach the disk; only tests that kill the server need that.
    ///   - parent: the folder that the server's folder is made in; every user must be able to enter it.
    /// - Throws: `inputOutput` where MariaDB is not installed or does not start.
    public init(settings: [String] = [], durable: Bool = false, parent: String = "/tmp") throws {
        self.settings = settings
        isDurable = durable
        port = try ServerGuard.freePort()
        var template = Array("\(parent)/hr-my-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ServerGuard.failure("no folder for the server in \(parent)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        state = Mutex(State())
        do {
            try prepare()
            try start()
            try mariadb(
                """
                CREATE USER '\(guest)'@'%' IDENTIFIED BY 'pw:@/''é';
                GRANT ALL ON *.* TO '\(guest)'@'%';
                """)
        } catch {
            stop()
            throw error
        }
    }

    deinit { stop() }

    private func asServerUser(_ words: [String]) -> [String] {
        guard geteuid() == 0 else { return words }
        return ["setpriv", "--reuid=mysql", "--regid=mysql", "--init-groups", "env", "HOME=\(folder)"] + words
    }

    private var durability: [String] {
        isDurable ? [] : ["--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0"]
    }

    private func prepare() throws {
        chmod(folder, 0o755)
        // Temporary tables of its own: a server that starts takes away those of others that it finds.
        for name in ["d", "s", "t"] {
            mkdir("\(folder)/\(name)", name == "d" ? 0o700 : 0o755)
            if geteuid() == 0, let owner = getpwnam("mysql") {
                chown("\(folder)/\(name)", owner.pointee.pw_uid, owner.pointee.pw_gid)
            }
        }
        let made = try ChildProcess.run(
            asServerUser(
                [
                    "mariadb-install-db", "--no-defaults", "--datadir=\(folder)/d", "--tmpdir=\(folder)/t",
                    "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=96M",
                ] + durability))
        guard made.status == 0 else {
            throw HeadraceError(.inputOutput, "mariadb-install-db failed", because: made.errors + made.output)
        }
    }

    /// Starts the server on its data, also after `kill`; does nothing while it runs.
    public func start() throws {
        guard state.withLock({ $0.guardian == nil }) else { return }
        let words =
            [
                "mariadbd", "--no-defaults", "--datadir=\(folder)/d", "--socket=\(folder)/s/s",
                "--pid-file=\(folder)/d/pid", "--tmpdir=\(folder)/t", "--bind-address=127.0.0.1", "--port=\(port)",
                "--innodb-buffer-pool-size=128M", "--innodb-log-file-size=96M", "--skip-log-bin", "--skip-name-resolve",
                "--local-infile=1", "--character-set-server=latin1", "--collation-server=latin1_swedish_ci",
                "--default-time-zone=+05:30", "--sql-mode=", "--max-connections=400",
            ] + durability + settings
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        // Debian keeps servers where ordinary users do not look.
        let guardian = try ServerGuard(
            running: asServerUser(["env", "PATH=\(path):/usr/sbin:/usr/local/sbin"] + words), log: "\(folder)/log",
            stoppingWith: "TERM", removing: folder)
        state.withLock { $0.guardian = guardian }
        for _ in 0..<600 {
            let ping = try ChildProcess.run(client("mariadb-admin") + ["ping"], environment: ["MYSQL_PWD": nil])
            if ping.status == 0 { return }
            usleep(50_000)
        }
        let log = try ChildProcess.run(["tail", "-5", "\(folder)/log"]).output
        throw HeadraceError(.inputOutput, "the MariaDB server does not start", because: log)
    }

    /// The server's process, nil when it does not run.
    public var process: Int32? {
        guard let file = fopen("\(folder)/d/pid", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 32)
        guard fgets(&line, 32, file) != nil else { return nil }
        return Int32(atoi(line))
    }

    /// Ends the server at once, as a crash does; `start` lets it recover.
    public func kill() {
        guard let process else { return }
        Glibc.kill(process, SIGKILL)
        let guardian = state.withLock { state in
            defer { state.guardian = nil }
            return state.guardian
        }
        guardian?.abandon()
        unlink("\(folder)/d/pid")
    }

    /// Stops the server and removes its folder. May be called twice.
    public func stop() {
        let guardian = state.withLock { state in
            defer { state.guardian = nil }
            return state.guardian
        }
        guardian?.stop()
        _ = try? ChildProcess.run(["rm", "-rf", folder])
    }

    // MARK: - Using

    /// A database of its own for one test.
    /// - Returns: its name.
    public func makeDatabase() throws -> String {
        let number = state.withLock { state in
            state.databases += 1
            return state.databases
        }
        try mariadb("CREATE DATABASE test_\(number)")
        return "test_\(number)"
    }

    /// The address over the socket, which asks for no password.
    public func url(database: String) -> String { "mysql://\(user)@/\(database)?socket=\(folder)/s/s" }

    private func client(_ program: String) -> [String] {
        [program, "--no-defaults", "-u\(user)", "-S", "\(folder)/s/s"]
    }

    /// Runs SQL in the `mariadb` program, the client that judges: columns are joined by tabs, nulls print as `NULL`.
    /// - Returns: the lines printed.
    /// - Throws: `unexpected` with the client's words when a statement fails.
    @discardableResult
    public func mariadb(_ sql: String, database: String? = nil) throws -> [String] {
        let outcome = try ChildProcess.run(
            client("mariadb") + ["--default-character-set=utf8mb4", "--local-infile=1", "-N", "-B"]
                + (database.map { [$0] } ?? []), input: sql + ";\n", environment: ["MYSQL_PWD": nil])
        guard outcome.status == 0 else {
            throw HeadraceError(.unexpected, "mariadb failed", because: outcome.errors)
        }
        return outcome.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}
