import Glibc
import HeadraceCore
import Synchronization

/// A PostgreSQL server of the test run's own: in a folder of its own, on a port of its own, on loopback and a socket.
///
/// It never touches a server of the machine, and stops with this process however that ends. Run as root it drops to the
/// user `postgres`.
public final class PostgreSQLServer: Sendable {
    /// The folder of the server's data, socket and log.
    public let folder: String
    /// Where it listens on 127.0.0.1, and what its socket is named after.
    public let port: Int
    /// The superuser, whom the socket lets in without a password.
    public let user = "test"
    /// The password that TCP asks of `user`.
    public let password = "tést pw:@/'"
    private let binaries: String
    private let isDurable: Bool
    private let state: Mutex<State>

    private struct State {
        var guardian: ServerGuard?
        var databases = 0
    }

    private static let started = Mutex<Result<PostgreSQLServer, HeadraceError>?>(nil)

    /// The one server that the tests of this process share, started by the first who asks.
    public static func shared() throws -> PostgreSQLServer {
        try started.withLock { started in
            if let result = started { return try result.get() }
            let result = Result { () throws(HeadraceError) in
                do { return try PostgreSQLServer() } catch {
                    throw HeadraceError.wrapping(error, "no PostgreSQL server for the tests")
                }
            }
            started = result
            return try result.get()
        }
    }

    /// Makes a cluster and starts a server on it.
    /// - Parameters:
    ///   - settings: lines of `postgresql.conf`.
    ///   - durable: whether commits reach the disk; only tests that kill the server need that.
    ///   - parent: the folder that the server's folder is made in; every user must be able to enter it.
    /// - Throws: `notFound` where PostgreSQL is not installed, `inputOutput` when it does not start.
    public init(settings: [String] = [], durable: Bool = false, parent: String = "/tmp") throws {
        binaries = try Self.findBinaries()
        isDurable = durable
        port = try ServerGuard.freePort()
        var template = Array("\(parent)/hr-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ServerGuard.failure("no folder for the server in \(parent)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        state = Mutex(State())
        do {
            try prepare(settings)
            try start()
        } catch {
            try? stop()
            throw error
        }
    }

    deinit { try? stop() }

    private static func findBinaries() throws -> String {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob("/usr/lib/postgresql/*/bin/postgres", 0, nil, &found) == 0, found.gl_pathc > 0,
            let last = found.gl_pathv[Int(found.gl_pathc) - 1]
        else {
            throw HeadraceError(
                .notFound, "PostgreSQL's server is not installed",
                hint: "run Tests/Support/install-dependencies --tests")
        }
        return String(String(cString: last).dropLast("/postgres".count))
    }

    // MARK: - Starting

    /// The command line that runs a server program as a user it accepts.
    private func asServerUser(_ words: [String]) -> [String] {
        guard geteuid() == 0 else { return words }
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", "HOME=\(folder)"] + words
    }

    private func prepare(_ settings: [String]) throws {
        chmod(folder, 0o755)
        for name in ["data", "s"] {
            mkdir("\(folder)/\(name)", name == "data" ? 0o700 : 0o755)
            if geteuid() == 0, let owner = getpwnam("postgres") {
                chown("\(folder)/\(name)", owner.pointee.pw_uid, owner.pointee.pw_gid)
            }
        }
        let words = [
            "\(binaries)/initdb", "-D", "\(folder)/data", "-A", "trust", "-U", user, "-E", "UTF8", "--no-locale",
        ]
        let made = try ChildProcess.run(asServerUser(words + (isDurable ? [] : ["--no-sync"])))
        guard made.status == 0 else {
            throw HeadraceError(.inputOutput, "initdb failed", because: made.errors)
        }
        var lines = [
            "listen_addresses = '127.0.0.1'", "port = \(port)", "unix_socket_directories = '\(folder)/s'",
            "max_connections = 400", "shared_buffers = 128MB", "max_wal_size = 2GB", "logging_collector = off",
            "lc_messages = 'C'", "autovacuum = off", "timezone = 'Asia/Kolkata'",
            "password_encryption = 'scram-sha-256'",
        ]
        if !isDurable { lines += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"] }
        try append(lines + settings, to: "\(folder)/data/postgresql.conf")
        try append(
            [], to: "\(folder)/data/pg_hba.conf",
            replacing: "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    }

    private func append(_ lines: [String], to path: String, replacing text: String? = nil) throws {
        guard let file = fopen(path, text == nil ? "a" : "w") else {
            throw ServerGuard.failure("\(path) cannot be written")
        }
        defer { fclose(file) }
        fputs(text ?? lines.joined(separator: "\n") + "\n", file)
    }

    /// Starts the server on its data, also after `kill`; does nothing while it runs.
    public func start() throws {
        guard state.withLock({ $0.guardian == nil }) else { return }
        let guardian = try ServerGuard(
            running: asServerUser(["\(binaries)/postgres", "-D", "\(folder)/data"]), log: "\(folder)/log",
            stoppingWith: "QUIT", removing: folder)
        state.withLock { $0.guardian = guardian }
        for _ in 0..<600 {
            if try ChildProcess.run(["psql", "-XAtq", "-c", "SELECT 1"], environment: environment()).status == 0 {
                if try psql("SELECT count(*) FROM pg_authid WHERE rolname = '\(user)' AND rolpassword IS NULL") == ["1"]
                {
                    try psql(
                        "ALTER ROLE \(user) PASSWORD '\(password.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
                    )
                }
                return
            }
            usleep(50_000)
        }
        let log = try ChildProcess.run(["tail", "-5", "\(folder)/log"]).output
        throw HeadraceError(.inputOutput, "the PostgreSQL server does not start", because: log)
    }

    /// The server's main process, nil when it does not run.
    public var process: Int32? {
        guard let file = fopen("\(folder)/data/postmaster.pid", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 32)
        guard fgets(&line, 32, file) != nil else { return nil }
        return Int32(atoi(line))
    }

    /// Ends the server and all its processes at once, as a crash does; `start` lets it recover.
    public func kill() {
        guard let process else { return }
        // The postmaster alone would leave its children to finish what they do.
        let children = (try? ChildProcess.run(["pgrep", "-P", "\(process)"]).output) ?? ""
        Glibc.kill(process, SIGKILL)
        let all = [process] + children.split(separator: "\n").compactMap { Int32($0) }
        for child in all.dropFirst() { Glibc.kill(child, SIGKILL) }
        takeGuard()?.abandon()
        for _ in 0..<1000 where all.contains(where: Self.isRunning) { usleep(5_000) }
        // A dead process that nobody has waited for yet still counts as another server of this folder.
        unlink("\(folder)/data/postmaster.pid")
        unlink("\(folder)/s/.s.PGSQL.\(port).lock")
    }

    /// Whether a process is there and not just waiting for its parent to take note of its end.
    private static func isRunning(_ process: Int32) -> Bool {
        guard let file = fopen("/proc/\(process)/stat", "r") else { return false }
        defer { fclose(file) }
        var line = [UInt8](repeating: 0, count: 512)
        let count = fread(&line, 1, line.count, file)
        let text = String(decoding: line[..<count], as: UTF8.self)
        return text.split(separator: ")").last.map { !$0.hasPrefix(" Z") && !$0.hasPrefix(" X") } ?? false
    }

    /// The guard, which is no longer ours to end then.
    private func takeGuard() -> ServerGuard? {
        state.withLock { state in
            defer { state.guardian = nil }
            return state.guardian
        }
    }

    /// Stops the server and removes its folder. May be called twice.
    public func stop() throws {
        takeGuard()?.stop()
        _ = try ChildProcess.run(["rm", "-rf", folder])
    }

    // MARK: - Using

    /// A database of its own for one test.
    /// - Returns: its name.
    public func makeDatabase() throws -> String {
        let number = state.withLock { state in
            state.databases += 1
            return state.databases
        }
        try psql("CREATE DATABASE test_\(number)")
        return "test_\(number)"
    }

    /// The connection string over the socket, which asks for no password.
    public func url(database: String = "postgres") -> String {
        "postgresql://\(user)@/\(database)?host=\(folder)/s&port=\(port)"
    }

    /// Variables under which libpq's programs reach this server and nothing else.
    public func environment(database: String = "postgres") -> [String: String?] {
        [
            "PGHOST": "\(folder)/s", "PGPORT": "\(port)", "PGUSER": user, "PGDATABASE": database, "PGPASSWORD": nil,
            "PGSERVICE": nil, "PGOPTIONS": nil, "PGTZ": nil, "PGDATESTYLE": nil, "PGCONNECT_TIMEOUT": "5",
        ]
    }

    /// Runs SQL in `psql`, the client that judges; columns are joined by bars, nulls print as `␀`.
    /// - Returns: the lines printed.
    /// - Throws: `unexpected` with psql's words when a statement fails.
    @discardableResult
    public func psql(_ sql: String, database: String = "postgres") throws -> [String] {
        let outcome = try ChildProcess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-P", "null=␀", "-f", "-"], input: sql + "\n",
            environment: environment(database: database))
        guard outcome.status == 0 else { throw HeadraceError(.unexpected, "psql failed", because: outcome.errors) }
        return outcome.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}
