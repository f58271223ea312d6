import Glibc
import HeadraceCSQLite
import HeadraceCore

/// One open connection with its prepared statements. Blocks; lives inside its `SQLiteDatabase` and nowhere else.
final class SQLiteConnection {
    let path: String
    private let handle: OpaquePointer
    private let interrupter: SQLiteInterrupter
    private let busyMilliseconds: Int32
    private var cache: [String: SQLiteStatement] = [:]
    /// Statements kept ready; beyond it the cache starts afresh.
    private static let cacheLimit = 128
    /// The oldest SQLite with all that is used: 64-bit change counts, `pragma_table_list`, UPDATE FROM.
    private static let oldestVersion: Int32 = 3_037_000

    /// Opens a database file and makes it ready: time-out, foreign keys, durability, and WAL where it may write.
    /// - Throws: `notFound`, `notADatabase`, `databaseBusy`, `databaseReadOnly`, `inputOutput`.
    init(path: String, options: SQLiteOptions, interrupter: SQLiteInterrupter) throws {
        guard sqlite3_libversion_number() >= Self.oldestVersion else {
            throw HeadraceError(
                .unsupported, "SQLite \(String(cString: sqlite3_libversion())) is too old",
                hint: "3.37 or later is needed")
        }
        guard path != ":memory:", !path.isEmpty, !path.utf8.contains(0) else {
            throw HeadraceError(
                .badLocation, "\"\(path)\" names no database file", hint: "write sqlite:FILE.db?table=NAME")
        }
        // SQLite may read a name that begins with `file:` as a URI with options of its own.
        let file = path.hasPrefix("file:") ? "./\(path)" : path
        if let mode = options.fileMode { try Self.prepareFile(file, mode: mode) }
        var flags = SQLITE_OPEN_NOMUTEX
        switch options.access {
        case .readOnly: flags |= SQLITE_OPEN_READONLY
        case .readWrite: flags |= SQLITE_OPEN_READWRITE
        case .create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        }
        var opened: OpaquePointer?
        let status = sqlite3_open_v2(file, &opened, flags, nil)
        guard status == SQLITE_OK, let opened else {
            let message = String(cString: sqlite3_errstr(status))
            sqlite3_close(opened)
            throw Self.cannotOpen(path, file: file, SQLiteFailure(code: status, message: message, sql: nil, path: path))
        }
        self.path = path
        self.handle = opened
        self.interrupter = interrupter
        self.busyMilliseconds = options.busyMilliseconds
        sqlite3_extended_result_codes(opened, 1)
        interrupter.attach(opened)
        setBusyHandler()
        do {
            try execute("PRAGMA foreign_keys = ON")
            try execute("PRAGMA temp_store = MEMORY")
            _ = try first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) }
            if case .readOnly = options.access { return }
            try useWriteAheadLog()
            try execute("PRAGMA synchronous = \(options.durability.rawValue)")
        } catch {
            throw error.error
        }
    }

    deinit {
        cache = [:]
        interrupter.detach()
        sqlite3_close_v2(handle)
    }

    private static func cannotOpen(_ path: String, file: String, _ failure: SQLiteFailure) -> HeadraceError {
        guard failure.primary == SQLITE_CANTOPEN, access(file, F_OK) != 0, errno == ENOENT else { return failure.error }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard folder.isEmpty || access(folder, F_OK) == 0 else {
            return HeadraceError(
                .notFound, "the folder of \(path) is not there", hint: "make \(folder) first, or check the path")
        }
        return HeadraceError(.notFound, "\(path) is not there", hint: "check the path, and from which folder it counts")
    }

    /// Makes the file with its permissions before SQLite does; the WAL files take theirs from it.
    private static func prepareFile(_ file: String, mode: UInt32) throws {
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, mode_t(mode))
        guard descriptor >= 0 else {
            let problem = errno
            throw HeadraceError(
                problem == ENOENT ? .notFound : .inputOutput, "\(file) cannot be made",
                because: String(cString: strerror(problem)), hint: "check that its folder is there and can be written")
        }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & 0o777 != mode_t(mode), status.st_uid == geteuid() {
            fchmod(descriptor, mode_t(mode))
        }
    }

    /// Waits in short steps, so that a run that is asked to stop does not wait for a lock.
    private func setBusyHandler() {
        // The connection closes its handle before it goes, so the pointer is good whenever SQLite calls back.
        sqlite3_busy_handler(
            handle,
            { context, count in
                guard let context else { return 0 }
                let connection = Unmanaged<SQLiteConnection>.fromOpaque(context).takeUnretainedValue()
                return connection.wait(attempt: count) ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// 1, 2, 4 … 32 ms a wait. False when the time is up or the connection was interrupted.
    private func wait(attempt: Int32) -> Bool {
        let step: Int32 = attempt < 5 ? 1 << attempt : 32
        let waited: Int32 = attempt < 5 ? (1 << attempt) - 1 : 31 &+ (attempt &- 5) &* 32
        guard waited < busyMilliseconds, !interrupter.isInterrupted else { return false }
        sqlite3_sleep(step)
        return true
    }

    /// Readers see the old state while we write. A file system without shared memory keeps its old journal, which is
    /// as safe. The change needs the file for itself for a moment, and SQLite does not wait for that by itself.
    private func useWriteAheadLog() throws(SQLiteFailure) {
        var attempt: Int32 = 0
        while true {
            do {
                let mode = try first("PRAGMA journal_mode") { $0.text(0) }
                if mode == "wal" { return }
                _ = try first("PRAGMA journal_mode = WAL") { $0.text(0) }
                return
            } catch {
                guard error.isBusy else { throw error }
                guard wait(attempt: attempt) else { return }
                attempt += 1
            }
        }
    }

    // MARK: - Errors

    /// Why the last call failed.
    func failure(_ sql: String?) -> SQLiteFailure {
        SQLiteFailure(
            code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)), sql: sql,
            path: path)
    }

    /// Whether the connection has been asked to stop.
    var isInterrupted: Bool { interrupter.isInterrupted }

    // MARK: - Statements

    /// Runs SQL without values and without rows; may be several statements.
    func execute(_ sql: String) throws(SQLiteFailure) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    /// A statement of its own, finalised with the last reference.
    func prepare(_ sql: String, isLasting: Bool = false) throws(SQLiteFailure) -> SQLiteStatement {
        let flags = isLasting ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        let characters = sql.utf8CString
        let (status, prepared, rest) = characters.withUnsafeBufferPointer { text -> (Int32, OpaquePointer?, Int) in
            var statement: OpaquePointer?
            var tail: UnsafePointer<CChar>?
            let status = sqlite3_prepare_v3(handle, text.baseAddress, Int32(text.count - 1), flags, &statement, &tail)
            let used = tail.flatMap { tail in text.baseAddress.map { tail - $0 } } ?? text.count - 1
            return (status, statement, text.count - 1 - used)
        }
        guard status == SQLITE_OK else { throw failure(sql) }
        guard let prepared else {
            throw SQLiteFailure(code: SQLITE_ERROR, message: "no statement", sql: sql, path: path)
        }
        let statement = SQLiteStatement(sql, handle: prepared, connection: self)
        let remainder = sql.utf8.suffix(rest).drop { $0 == 0x20 || $0 == 0x3B || (9...13).contains($0) }
        guard remainder.isEmpty || Self.isComment(remainder) else {
            throw SQLiteFailure(code: SQLITE_ERROR, message: "more than one statement", sql: sql, path: path)
        }
        return statement
    }

    private static func isComment(_ rest: Substring.UTF8View) -> Bool {
        rest.starts(with: "--".utf8) || rest.starts(with: "/*".utf8)
    }

    /// A statement of the cache, reset and without bindings; `giveBack` ends its use.
    func borrow(_ sql: String) throws(SQLiteFailure) -> SQLiteStatement {
        if let cached = cache[sql], !cached.isInUse {
            cached.isInUse = true
            return cached
        }
        let fresh = try prepare(sql, isLasting: true)
        if cache[sql] == nil {
            if cache.count >= Self.cacheLimit { cache = [:] }
            cache[sql] = fresh
        }
        fresh.isInUse = true
        return fresh
    }

    func giveBack(_ statement: SQLiteStatement) {
        statement.isInUse = false
        statement.clear()
    }

    /// Runs `body` with a statement of the cache.
    func withStatement<R>(_ sql: String, _ body: (SQLiteStatement) throws(SQLiteFailure) -> R) throws(SQLiteFailure)
        -> R
    {
        let statement = try borrow(sql)
        defer { giveBack(statement) }
        return try body(statement)
    }

    /// Runs a statement to its end.
    /// - Returns: the rows that it inserted, updated or deleted itself, not counting triggers and foreign keys.
    @discardableResult
    func run(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteFailure) -> Int {
        try withStatement(sql) { statement throws(SQLiteFailure) in
            try statement.bind(values)
            while try statement.step() {}
            return changes
        }
    }

    /// All rows of a query.
    func rows<R>(
        _ sql: String, _ values: [SQLiteValue] = [], _ body: (SQLiteStatement) -> R
    ) throws(SQLiteFailure) -> [R] {
        try withStatement(sql) { statement throws(SQLiteFailure) in
            try statement.bind(values)
            var result: [R] = []
            while try statement.step() { result.append(body(statement)) }
            return result
        }
    }

    /// The first row of a query, nil when there is none.
    func first<R>(
        _ sql: String, _ values: [SQLiteValue] = [], _ body: (SQLiteStatement) -> R
    ) throws(SQLiteFailure) -> R? {
        try withStatement(sql) { statement throws(SQLiteFailure) in
            try statement.bind(values)
            return try statement.step() ? body(statement) : nil
        }
    }

    /// Rows that the last INSERT, UPDATE or DELETE changed itself.
    var changes: Int { Int(sqlite3_changes64(handle)) }

    // MARK: - Transactions

    /// Whether a transaction is open. SQLite ends one by itself after some errors.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Undoes an open transaction; nothing when there is none.
    func rollBack() { if isInTransaction { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) } }

    /// Runs `body` in a write transaction of its own, committed when it returns and undone when it throws.
    func transaction<R>(_ body: () throws -> R) throws -> R {
        try execute("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            rollBack()
            throw error
        }
    }
}
