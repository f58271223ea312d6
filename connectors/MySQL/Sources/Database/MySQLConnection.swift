import Glibc
import HeadraceCMariaDB
import HeadraceCore

/// One connection to a server. Blocks its thread; lives inside its `MySQLSession` and nowhere else.
final class MySQLConnection {
    let configuration: MySQLConfiguration
    let handle: UnsafeMutablePointer<MYSQL>
    private let interrupter: MySQLInterrupter
    /// Whether the server is MariaDB, not MySQL.
    let isMariaDB: Bool
    let thread: UInt
    private var statements: [SQL: MySQLStatement] = [:]
    /// Prepared statements that are kept; beyond it the cache starts afresh.
    private static let cacheLimit = 32

    private static let isLibraryReady: Bool = mysql_server_init(0, nil, nil) == 0

    /// Connects and sets up the session: utf8mb4, UTC, strict mode, time-outs.
    init(_ configuration: MySQLConfiguration, interrupter: MySQLInterrupter) throws {
        guard Self.isLibraryReady, let handle = mysql_init(nil) else {
            throw HeadraceError(.outOfBudget, "no memory for a connection to MySQL")
        }
        do {
            try Self.connect(handle, configuration)
        } catch {
            mysql_close(handle)
            throw (error as? MySQLFailure)?.error ?? error
        }
        self.configuration = configuration
        self.handle = handle
        self.interrupter = interrupter
        isMariaDB = mariadb_connection(handle) != 0
        thread = mysql_thread_id(handle)
        interrupter.attach(Int32(truncatingIfNeeded: mysql_get_socket(handle)))
        do { try setUp() } catch { throw error.error }
    }

    deinit {
        statements = [:]
        interrupter.detach()
        mysql_close(handle)
    }

    // MARK: - Connecting

    private static func seconds(_ duration: Duration) -> UInt32 {
        UInt32(min(max((duration / .seconds(1)).rounded(.up), 1), 31_536_000))
    }

    private static func connect(_ handle: UnsafeMutablePointer<MYSQL>, _ configuration: MySQLConfiguration) throws {
        headrace_mysql_option_uint(handle, MYSQL_OPT_CONNECT_TIMEOUT, seconds(configuration.connectTimeout))
        if let idle = configuration.idleTimeout {
            headrace_mysql_option_uint(handle, MYSQL_OPT_READ_TIMEOUT, seconds(idle))
            headrace_mysql_option_uint(handle, MYSQL_OPT_WRITE_TIMEOUT, seconds(idle))
        }
        headrace_mysql_option_text(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        headrace_mysql_option_uint(handle, MYSQL_OPT_LOCAL_INFILE, 1)
        if let file = configuration.defaultsFile {
            guard access(file, R_OK) == 0 else {
                throw HeadraceError(.notFound, "the defaults file \(file) cannot be read")
            }
            headrace_mysql_option_text(handle, MYSQL_READ_DEFAULT_FILE, file)
            headrace_mysql_option_text(handle, MYSQL_READ_DEFAULT_GROUP, "client")
        }
        switch configuration.tls {
        case .disable: break
        case .prefer: mysql_ssl_set(handle, nil, nil, configuration.certificateAuthority, nil, nil)
        case .require:
            headrace_mysql_option_flag(handle, MYSQL_OPT_SSL_ENFORCE, 1)
            headrace_mysql_option_flag(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, 0)
        case .verifyFull:
            mysql_ssl_set(handle, nil, nil, configuration.certificateAuthority, nil, nil)
            headrace_mysql_option_flag(handle, MYSQL_OPT_SSL_ENFORCE, 1)
            headrace_mysql_option_flag(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, 1)
        }
        let password = configuration.password?.reveal() ?? getenv("MYSQL_PWD").map { String(cString: $0) }
        let host = configuration.socket == nil ? configuration.host : nil
        let opened = mysql_real_connect(
            handle, host, configuration.user, password, configuration.database, UInt32(configuration.port ?? 0),
            configuration.socket, 0)
        guard opened != nil else { throw MySQLFailure(handle, sql: nil) }
        // The server was asked to encrypt, not told to: what it did decides.
        if configuration.tls == .require || configuration.tls == .verifyFull, mysql_get_ssl_cipher(handle) == nil {
            throw HeadraceError(
                .connectionFailed, "the connection to \(configuration) is not encrypted",
                hint: "enable TLS on the server, or write sslmode=prefer")
        }
    }

    /// What every session is: strict, in UTC, and patient with a reader that is slow.
    ///
    /// A sort looks at the first 1024 bytes of a value unless told otherwise, which for a collation with long weights are some
    /// hundred characters: keys that differ behind them would come in any order. The longest that an index holds fits now.
    private func setUp() throws(MySQLFailure) {
        try execute(
            """
            SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
            NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', net_write_timeout = 86400, \
            net_read_timeout = 86400, max_error_count = 65535, max_sort_length = 65536, \
            sort_buffer_size = GREATEST(@@sort_buffer_size, 4194304)
            """)
        try execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if let limit = configuration.lockTimeout {
            let seconds = Self.seconds(limit)
            try execute("SET SESSION innodb_lock_wait_timeout = \(seconds), lock_wait_timeout = \(seconds)")
        }
        if let limit = configuration.statementTimeout {
            let milliseconds = UInt32(min(max((limit / .milliseconds(1)).rounded(.up), 1), 4e9))
            if isMariaDB {
                try execute("SET SESSION max_statement_time = \(milliseconds) / 1000")
            } else {
                try execute("SET SESSION max_execution_time = \(milliseconds)")
            }
        }
    }

    /// Ends this connection on the server too, from a short connection of its own; after an interruption.
    func killOnServer() {
        guard let handle = mysql_init(nil) else { return }
        defer { mysql_close(handle) }
        var short = configuration
        short.connectTimeout = .seconds(2)
        short.idleTimeout = .seconds(2)
        do { try Self.connect(handle, short) } catch { return }
        let sql = "KILL \(thread)"
        mysql_real_query(handle, sql, UInt(sql.utf8.count))
    }

    // MARK: - Statements

    func failure(_ sql: SQL?) -> MySQLFailure { MySQLFailure(handle, sql: sql) }

    private func send(_ sql: SQL) throws(MySQLFailure) {
        var text = sql.text
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { mysql_real_query(handle, $0.baseAddress, UInt($0.count)) }
        }
        guard status == 0 else { throw failure(sql) }
    }

    /// Runs a statement without values and without rows.
    /// - Returns: the rows that it changed.
    @discardableResult
    func execute(_ sql: SQL) throws(MySQLFailure) -> Int {
        try send(sql)
        if let result = mysql_store_result(handle) {
            mysql_free_result(result)
            return 0
        }
        guard mysql_errno(handle) == 0 else { throw failure(sql) }
        return Int(truncatingIfNeeded: mysql_affected_rows(handle))
    }

    /// All rows of a query, held whole: catalogs, states, counts.
    func rows(_ sql: SQL) throws(MySQLFailure) -> [[String?]] {
        try send(sql)
        guard let result = mysql_store_result(handle) else {
            if mysql_errno(handle) != 0 { throw failure(sql) }
            return []
        }
        defer { mysql_free_result(result) }
        let columns = Int(mysql_num_fields(result))
        var rows: [[String?]] = []
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            rows.append(
                (0..<columns).map { column in
                    row[column].map { start in
                        String(
                            decoding: UnsafeRawBufferPointer(start: start, count: Int(lengths[column])), as: UTF8.self)
                    }
                })
        }
        return rows
    }

    /// The first value of the first row as a number; nil for no row and for null.
    func number(_ sql: SQL) throws(MySQLFailure) -> Int? {
        guard let value = try rows(sql).first?.first ?? nil else { return nil }
        return Int(value)
    }

    /// Starts a query whose rows are read one by one; nothing else may run until the stream is gone.
    func stream(_ sql: SQL) throws(MySQLFailure) -> MySQLStream {
        try send(sql)
        guard let result = mysql_use_result(handle) else {
            if mysql_errno(handle) != 0 { throw failure(sql) }
            throw MySQLFailure(number: 0, state: "42000", message: "the statement gives no rows", sql: sql)
        }
        return MySQLStream(result, connection: self, sql: sql)
    }

    /// What a query would give, without running it.
    /// - Returns: its columns; empty where it gives no rows.
    func describe(_ sql: SQL) throws(MySQLFailure) -> [MySQLFieldDescription] {
        let statement = try MySQLStatement(sql, on: self)
        return statement.fields
    }

    /// A prepared statement, kept for the next time.
    func prepared(_ sql: SQL) throws(MySQLFailure) -> MySQLStatement {
        if let known = statements[sql] { return known }
        if statements.count >= Self.cacheLimit { statements = [:] }
        let fresh = try MySQLStatement(sql, on: self)
        statements[sql] = fresh
        return fresh
    }

    /// Whether `GET DIAGNOSTICS` tells which row a warning is about: MariaDB 10.7.
    var knowsRowNumbers: Bool { isMariaDB && mysql_get_server_version(handle) >= 100_700 }

    /// Makes every later call fail at once, so that closing does not wait for rows that are on their way.
    func shutDown() { shutdown(Int32(truncatingIfNeeded: mysql_get_socket(handle)), Int32(SHUT_RDWR)) }

    /// What the last statement warned of.
    var warningCount: Int { Int(mysql_warning_count(handle)) }

    /// The warnings of the last statement that warned.
    func warnings() throws(MySQLFailure) -> [(number: UInt32, message: String)] {
        try rows("SHOW WARNINGS").map { (UInt32($0[1] ?? "") ?? 0, $0[2] ?? "") }
    }

    /// Whether the server ends statements of any kind that take long; MySQL's own limit is for queries only.
    var hasStatementTimeout: Bool {
        get throws(MySQLFailure) {
            guard isMariaDB, let limit = try setting(MySQLName(known: "max_statement_time")) else { return false }
            return Double(limit) != 0
        }
    }

    /// Undoes what was not committed; nothing on a connection that is gone.
    func rollBack() { _ = try? execute("ROLLBACK") }

    /// A value of the server's settings.
    func setting(_ name: MySQLName) throws(MySQLFailure) -> String? {
        try rows("SELECT @@\(name)").first?.first ?? nil
    }
}

/// The rows of a query as they arrive. Only one is in memory.
final class MySQLStream {
    private var result: UnsafeMutablePointer<MYSQL_RES>?
    private let connection: MySQLConnection
    private let sql: SQL
    private let socket: Int32
    let columnCount: Int
    /// What has been taken since the socket was last looked at.
    private var taken = 0
    /// The library reads so much at once.
    private static let readSize = 16 << 10

    init(_ result: UnsafeMutablePointer<MYSQL_RES>, connection: MySQLConnection, sql: SQL) {
        self.result = result
        self.connection = connection
        self.sql = sql
        socket = Int32(truncatingIfNeeded: mysql_get_socket(connection.handle))
        columnCount = Int(mysql_num_fields(result))
    }

    deinit { if let result { mysql_free_result(result) } }

    /// What the server says about the columns.
    var fields: [MySQLFieldDescription] {
        guard let result, let fields = mysql_fetch_fields(result) else { return [] }
        return (0..<columnCount).map { MySQLFieldDescription(fields[$0]) }
    }

    /// Adds the next row to `rows`; false at the end.
    @inline(__always)
    func next(into rows: inout MySQLRows) throws(MySQLFailure) -> Bool {
        guard let result else { return false }
        guard let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) else {
            // Nil is the end or an error.
            if mysql_errno(connection.handle) != 0 { throw connection.failure(sql) }
            mysql_free_result(result)
            self.result = nil
            return false
        }
        let before = rows.byteCount
        rows.append(row, lengths)
        taken &+= rows.byteCount &- before
        if taken >= Self.readSize {
            taken = 0
            ArrivingBytes.gather(socket)
        }
        return true
    }
}
