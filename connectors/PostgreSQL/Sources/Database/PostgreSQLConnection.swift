import Glibc
import HeadraceCPQ
import HeadraceCore

/// One connection to a server. Blocks its thread; lives inside its `PostgreSQLSession` and nowhere else.
///
/// libpq runs without blocking: every wait is a `poll` of the socket together with the interrupter, so that a run that is
/// asked to stop does not wait for the server.
final class PostgreSQLConnection {
    let configuration: PostgreSQLConfiguration
    let handle: OpaquePointer
    private let interrupter: PostgreSQLInterrupter
    /// Set while the connection is brought to rest after an interruption; nothing interrupts that.
    private var isSettling = false
    /// What was sent last, for messages.
    var running: SQL?

    /// Connects and sets up the session: UTF-8, ISO dates, UTC, exact floats, time-outs.
    /// - Throws: `HeadraceError`: `connectionFailed`, `accessDenied`, `notFound`, `cancelled`.
    init(_ configuration: PostgreSQLConfiguration, interrupter: PostgreSQLInterrupter) throws {
        self.configuration = configuration
        self.interrupter = interrupter
        guard interrupter.descriptor >= 0 else {
            throw HeadraceError(.inputOutput, "no more file descriptors for a connection to PostgreSQL")
        }
        handle = try Self.start(configuration)
        // Notices go nowhere instead of to standard error.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        do {
            try connect()
            PQsetnonblocking(handle, 1)
            try setUp()
        } catch {
            // The object is whole here, so that its deinit closes the handle.
            throw (error as? PostgreSQLFailure)?.error ?? error
        }
    }

    deinit { PQfinish(handle) }

    // MARK: - Connecting

    private static func start(_ configuration: PostgreSQLConfiguration) throws -> OpaquePointer {
        var pairs: [(String, String)] = configuration.parameters.map { ($0.key, $0.value) }
        if let password = configuration.password { pairs.append(("password", password.reveal())) }
        pairs.append(("client_encoding", "UTF8"))
        // The first value of a keyword is the one given; these stand where none is.
        for (keyword, value) in [
            ("fallback_application_name", "headrace"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
        ] where configuration.parameters[keyword] == nil {
            pairs.append((keyword, value))
        }
        let words = pairs.map { $0.0 }.map { strdup($0) } + [nil]
        let values = pairs.map { $0.1 }.map { strdup($0) } + [nil]
        defer {
            for text in words { free(text) }
            for text in values {
                if let text { explicit_bzero(text, strlen(text)) }
                free(text)
            }
        }
        guard let handle = PQconnectStartParams(words.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 0)
        else { throw HeadraceError(.outOfBudget, "no memory for a connection to PostgreSQL") }
        return handle
    }

    private func connect() throws {
        let deadline = Self.now() + Self.milliseconds(configuration.connectTimeout)
        guard PQstatus(handle) != CONNECTION_BAD else { throw refusal }
        var next = PGRES_POLLING_WRITING
        while next != PGRES_POLLING_OK {
            guard next != PGRES_POLLING_FAILED else { throw refusal }
            guard try wait(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline) != 0 else {
                throw HeadraceError(
                    .connectionFailed, "PostgreSQL at \(configuration) does not answer",
                    fields: [("waited", "\(configuration.connectTimeout)")],
                    hint: "check host and port, firewalls, and whether the server runs", retry: .mayHelp)
            }
            next = PQconnectPoll(handle)
        }
    }

    /// Why connecting failed, from libpq's words.
    private var refusal: HeadraceError {
        let words = PostgreSQLFailure.oneLine(errorText)
        let fields = [("postgresql", words)]
        if PQconnectionNeedsPassword(handle) != 0 {
            return HeadraceError(
                .accessDenied, "PostgreSQL at \(configuration) asks for a password", fields: fields,
                hint: "set PGPASSWORD, or write it into ~/.pgpass, which only you may read")
        }
        if PQconnectionUsedPassword(handle) != 0, words.contains("authentication") {
            return HeadraceError(
                .accessDenied, "PostgreSQL at \(configuration) refuses user and password", fields: fields,
                hint: "check user, password and pg_hba.conf")
        }
        if words.contains("database \"") && words.contains("does not exist") {
            return HeadraceError(
                .notFound, "PostgreSQL at \(configuration) has no such database", fields: fields,
                hint: "check its name; the default is the user's name")
        }
        if words.contains("pg_hba.conf") || words.contains("role \"") {
            return HeadraceError(
                .accessDenied, "PostgreSQL at \(configuration) does not let this user in", fields: fields,
                hint: "check the user and pg_hba.conf, which may ask for TLS (sslmode=require)")
        }
        if words.contains("SSL") || words.contains("certificate") {
            return HeadraceError(
                .connectionFailed, "no encrypted connection to PostgreSQL at \(configuration)", fields: fields,
                hint: "check sslmode, sslrootcert and the name in the server's certificate")
        }
        return HeadraceError(
            .connectionFailed, "no connection to PostgreSQL at \(configuration)", fields: fields,
            hint: "check host and port, and whether the server runs", retry: .mayHelp)
    }

    private func setUp() throws {
        func limit(_ duration: Duration?) -> Int64 { duration.map { max(1, Self.milliseconds($0)) } ?? 0 }
        guard PQserverVersion(handle) >= 120_000 else {
            throw HeadraceError(
                .unsupported, "the server is PostgreSQL \(PQserverVersion(handle) / 10_000)",
                hint: "12 or later is needed")
        }
        try script(
            """
            SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET timezone = 'UTC'; SET bytea_output = 'hex';
            SET extra_float_digits = 1; SET standard_conforming_strings = on; SET xmloption = content;
            SET statement_timeout = \(limit(configuration.statementTimeout));
            SET lock_timeout = \(limit(configuration.lockTimeout));
            SET idle_in_transaction_session_timeout = 0
            """)
    }

    // MARK: - Waiting

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000
    }

    static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return min(seconds, 1 << 40) &* 1000 &+ attoseconds / 1_000_000_000_000_000
    }

    private var errorText: String { PQerrorMessage(handle).map { String(cString: $0) } ?? "" }

    /// The connection is gone, or libpq has lost its place.
    func broken(_ words: String? = nil) -> PostgreSQLFailure {
        let said = PostgreSQLFailure.oneLine(errorText)
        return PostgreSQLFailure(
            state: "08006", message: words ?? (said.isEmpty ? "the server closed the connection" : said), sql: running)
    }

    /// Waits until the socket is ready for one of `events`.
    /// - Returns: the events that are there, 0 when `deadline` passed first.
    /// - Throws: `cancelled` when the interrupter woke it.
    private func wait(_ events: Int32, until deadline: Int64?) throws -> Int32 {
        while true {
            if interrupter.isInterrupted, !isSettling { throw HeadraceError.cancelled }
            let socket = PQsocket(handle)
            guard socket >= 0 else { throw broken() }
            var watched = [
                pollfd(fd: socket, events: Int16(events), revents: 0),
                pollfd(fd: isSettling ? -1 : interrupter.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let left = deadline.map { Int32(clamping: max(0, $0 - Self.now())) } ?? -1
            let count = poll(&watched, 2, left)
            if count < 0, errno != EINTR { throw broken("poll: \(String(cString: strerror(errno)))") }
            if watched[0].revents != 0 { return Int32(watched[0].revents) }
            if count == 0, left >= 0 { return 0 }
        }
    }

    private var silenceLimit: Int64? { configuration.idleTimeout.map { Self.now() + Self.milliseconds($0) } }

    /// Waits for bytes of the server and takes them in.
    func receive(until deadline: Int64? = nil) throws {
        guard try wait(POLLIN, until: deadline ?? silenceLimit) != 0 else {
            throw PostgreSQLFailure(
                state: "08006", message: "the server has been silent for longer than the idle time-out", sql: running)
        }
        guard PQconsumeInput(handle) == 1 else { throw broken() }
    }

    /// Sends what libpq holds back; takes in what the server says meanwhile, or both would wait for ever.
    func flush() throws {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                let ready = try wait(POLLIN | POLLOUT, until: silenceLimit)
                guard ready != 0 else {
                    throw PostgreSQLFailure(
                        state: "08006", message: "the server has taken nothing for longer than the idle time-out",
                        sql: running)
                }
                if ready & (POLLIN | POLLHUP | POLLERR) != 0, PQconsumeInput(handle) != 1 { throw broken() }
            default: throw broken()
            }
        }
    }

    // MARK: - Sending and results

    /// Sends one or more statements without values.
    func send(_ sql: SQL) throws {
        running = sql
        guard PQsendQuery(handle, sql.text) == 1 else { throw broken() }
        try flush()
    }

    /// Sends one statement with text values for `$1`, `$2` …
    func send(_ sql: SQL, _ values: [String?]) throws {
        running = sql
        let copies = values.map { $0.map { strdup($0) } ?? nil }
        defer { for copy in copies { free(copy) } }
        let sent = PQsendQueryParams(
            handle, sql.text, Int32(values.count), nil, copies.map { UnsafePointer($0) }, nil, nil, 0)
        guard sent == 1 else { throw broken() }
        try flush()
    }

    /// The next result of what was sent, nil at the end; the caller clears it.
    func nextResult() throws -> OpaquePointer? {
        while PQisBusy(handle) != 0 { try receive() }
        return PQgetResult(handle)
    }

    /// Takes all results of what was sent; `body` sees each that is no error.
    /// - Throws: the first error that the server reported, after all results have been taken.
    func results(_ body: (OpaquePointer) throws -> Void) throws {
        var failure: (any Error)?
        do {
            while let result = try nextResult() {
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                    guard failure == nil else { continue }
                    do { try body(result) } catch { failure = error }
                case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                    failure =
                        failure ?? PostgreSQLFailure(state: "0A000", message: "COPY is not possible here", sql: running)
                    settle()
                default:
                    failure = failure ?? PostgreSQLFailure(result, sql: running)
                }
            }
        } catch {
            if (error as? HeadraceError)?.code == .cancelled { settle() }
            throw failure ?? error
        }
        if let failure {
            if PQstatus(handle) == CONNECTION_BAD, let said = failure as? PostgreSQLFailure, !said.isConnectionLoss {
                throw broken(said.message)
            }
            throw failure
        }
    }

    // MARK: - Coming to rest

    /// How long the server has to obey a cancel request before the connection is given up.
    private static let settleMilliseconds: Int64 = 5000

    /// Cancels what the server is doing and takes what it still sends, so that the connection can roll back. The
    /// connection is useless afterwards when the server does not obey in time.
    func settle() {
        guard PQtransactionStatus(handle) == PQTRANS_ACTIVE, !isSettling else { return }
        isSettling = true
        defer { isSettling = false }
        if let request = PQgetCancel(handle) {
            var words = [CChar](repeating: 0, count: 256)
            _ = PQcancel(request, &words, 256)
            PQfreeCancel(request)
        }
        let deadline = Self.now() + Self.settleMilliseconds
        while PQstatus(handle) == CONNECTION_OK, PQtransactionStatus(handle) == PQTRANS_ACTIVE {
            guard (try? rest(until: deadline)) == true else { return }
        }
    }

    /// Takes one piece of what is under way; false when there is no more.
    private func rest(until deadline: Int64) throws -> Bool {
        while PQisBusy(handle) != 0 {
            guard Self.now() < deadline else { return false }
            try receive(until: deadline)
        }
        guard let result = PQgetResult(handle) else { return false }
        let status = PQresultStatus(result)
        PQclear(result)
        switch status {
        case PGRES_COPY_IN:
            _ = PQputCopyEnd(handle, "the run was cancelled")
            try flush()
        case PGRES_COPY_OUT:
            var row: UnsafeMutablePointer<CChar>?
            while true {
                let count = PQgetCopyData(handle, &row, 1)
                if let row { PQfreemem(row) }
                row = nil
                if count < 0 { break }
                if count == 0 {
                    guard Self.now() < deadline else { return false }
                    try receive(until: deadline)
                }
            }
        default: break
        }
        return true
    }

    /// Whether the connection can still be used.
    var isUsable: Bool { PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) != PQTRANS_ACTIVE }

    /// The server's version, such as 150020 for 15.20.
    var serverVersion: Int { Int(PQserverVersion(handle)) }
    /// The server's process for this connection, as `pg_stat_activity` shows it.
    var serverProcess: Int32 { PQbackendPID(handle) }
    /// The name of the database.
    var databaseName: String { PQdb(handle).map { String(cString: $0) } ?? "" }
    /// Whether the connection is encrypted.
    var isEncrypted: Bool { PQsslInUse(handle) != 0 }

    /// Whether a transaction is open, failed or not.
    var isInTransaction: Bool {
        let status = PQtransactionStatus(handle)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }

    /// Undoes an open transaction; never throws, closing the connection undoes it too.
    func rollBack() {
        settle()
        guard isUsable, isInTransaction else { return }
        isSettling = true
        defer { isSettling = false }
        try? script("ROLLBACK")
    }
}
