import Glibc
import HeadraceCSQLite
import HeadraceCore

/// One open store file with its prepared statements. Blocks; lives inside its `KeyValueFile` and nowhere else.
final class KeyValueConnection {
    let path: String
    private let handle: OpaquePointer
    private var cache: [String: KeyValueStatement] = [:]
    /// Marks the file as ours: `HRKV`.
    private static let application: Int64 = 0x4852_4B56
    private static let version: Int64 = 1
    private static let busyMilliseconds: Int32 = 15_000

    /// - Parameter creates: whether a file that is not there is made.
    /// - Throws: `notFound`, `notADatabase`, `unsupported` for a file of another kind or a later version.
    init(_ path: String, creates: Bool) throws(HeadraceError) {
        guard !path.isEmpty, path != ":memory:", !path.utf8.contains(0) else {
            throw HeadraceError(.badLocation, "\"\(path)\" names no file", hint: "write kv:FILE.db?table=NAME")
        }
        let isThere = access(path, F_OK) == 0
        guard isThere || creates else {
            throw HeadraceError(.notFound, "the key-value store \(path) is not there", hint: "check the path")
        }
        var opened: OpaquePointer?
        let file = path.hasPrefix("file:") ? "./\(path)" : path
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (creates ? SQLITE_OPEN_CREATE : 0)
        let status = sqlite3_open_v2(file, &opened, flags, nil)
        guard status == SQLITE_OK, let opened else {
            let reason = String(cString: sqlite3_errstr(status))
            sqlite3_close(opened)
            throw HeadraceError(
                isThere ? .inputOutput : .notFound, "the key-value store \(path) cannot be opened", because: reason,
                hint: "check that its folder is there and can be written")
        }
        self.path = path
        handle = opened
        sqlite3_extended_result_codes(opened, 1)
        sqlite3_busy_timeout(opened, Self.busyMilliseconds)
        try prepareFile()
    }

    deinit {
        cache = [:]
        sqlite3_close_v2(handle)
    }

    private func prepareFile() throws(HeadraceError) {
        let application = try integer("PRAGMA application_id") ?? 0
        if application != Self.application {
            let entries = try integer("SELECT count(*) FROM sqlite_schema")
            // Another process may have made the store between the two looks.
            let now = try integer("PRAGMA application_id")
            guard application == 0 && entries == 0 || now == Self.application else {
                throw HeadraceError(
                    .unsupported, "\(path) is a database, but not a key-value store", hint: "name another file")
            }
        }
        try useWriteAheadLog()
        // Committed is on the disk, whatever happens next.
        try execute("PRAGMA synchronous = FULL")
        let version = try integer("PRAGMA user_version") ?? 0
        guard version <= Self.version else {
            throw HeadraceError(
                .unsupported, "\(path) was written by a later version of Headrace",
                fields: [("found", "\(version)"), ("expected", "at most \(Self.version)")])
        }
        guard version == 0 else { return }
        try transaction { () throws(HeadraceError) in
            try execute(
                """
                CREATE TABLE IF NOT EXISTS tables(
                    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partition TEXT NOT NULL,
                    partition_type TEXT NOT NULL, sort TEXT, sort_type TEXT NOT NULL, ttl TEXT);
                CREATE TABLE IF NOT EXISTS items(
                    table_id INTEGER NOT NULL REFERENCES tables(id), partition BLOB NOT NULL, sort BLOB NOT NULL,
                    item TEXT NOT NULL, expires INTEGER, PRIMARY KEY(table_id, partition, sort));
                CREATE TABLE IF NOT EXISTS state(
                    job TEXT NOT NULL, sink TEXT NOT NULL, fence INTEGER NOT NULL, checkpoint TEXT NOT NULL,
                    PRIMARY KEY(job, sink));
                PRAGMA application_id = \(Self.application);
                PRAGMA user_version = \(Self.version);
                """)
        }
    }

    /// The change of the journal needs the file for itself for a moment, and SQLite does not wait for that by itself.
    private func useWriteAheadLog() throws(HeadraceError) {
        for _ in 0..<Self.busyMilliseconds / 20 {
            do {
                if try text("PRAGMA journal_mode") == "wal" { return }
                _ = try text("PRAGMA journal_mode = WAL")
                return
            } catch {
                guard error.code.rawValue == "databaseBusy" else { throw error }
                sqlite3_sleep(20)
            }
        }
    }

    // MARK: - Statements

    /// Runs SQL without values and rows; may be several statements.
    func execute(_ sql: String) throws(HeadraceError) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure() }
    }

    /// A statement, ready to be bound; the next call with the same SQL gives the same one.
    func statement(_ sql: String) throws(HeadraceError) -> KeyValueStatement {
        if let known = cache[sql] {
            known.reset()
            return known
        }
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil) == SQLITE_OK,
            let prepared
        else { throw failure() }
        let statement = KeyValueStatement(prepared, self)
        cache[sql] = statement
        return statement
    }

    private func integer(_ sql: String) throws(HeadraceError) -> Int64? {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : nil
    }

    private func text(_ sql: String) throws(HeadraceError) -> String? {
        let statement = try statement(sql)
        defer { statement.reset() }
        return try statement.step() ? statement.text(0) : nil
    }

    /// Rows that the last write changed.
    var changes: Int { Int(sqlite3_changes(handle)) }

    /// Runs `body` in a write transaction, committed when it returns and undone when it throws.
    func transaction<R>(_ body: () throws(HeadraceError) -> R) throws(HeadraceError) -> R {
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

    func rollBack() {
        for statement in cache.values { statement.reset() }
        if sqlite3_get_autocommit(handle) == 0 { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
    }

    /// Why the last call failed.
    func failure() -> HeadraceError {
        let code = sqlite3_extended_errcode(handle)
        let reason = String(cString: sqlite3_errmsg(handle))
        func error(_ code: HeadraceError.Code, _ message: String, _ hint: String?, _ retry: HeadraceError.Retry)
            -> HeadraceError
        {
            HeadraceError(code, message, because: reason, hint: hint, retry: retry)
        }
        switch code & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED:
            return error(
                .init("databaseBusy"), "another process holds the key-value store \(path)",
                "wait for it to end, or end it", .mayHelp)
        case SQLITE_NOTADB:
            return error(.init("notADatabase"), "\(path) is no key-value store", "check the path", .never)
        case SQLITE_CORRUPT:
            return error(.init("databaseCorrupt"), "\(path) is damaged", "restore it from a copy", .never)
        case SQLITE_FULL:
            return error(.init("databaseFull"), "there is no room left for \(path)", "make room", .mayHelp)
        case SQLITE_READONLY:
            return error(.init("databaseReadOnly"), "\(path) cannot be written", "check its permissions", .never)
        default: return error(.inputOutput, "the key-value store \(path) failed (SQLite \(code))", nil, .never)
        }
    }
}

/// A prepared statement of one connection.
final class KeyValueStatement {
    private let handle: OpaquePointer
    private unowned let connection: KeyValueConnection

    init(_ handle: OpaquePointer, _ connection: KeyValueConnection) {
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    /// Makes the statement ready to be bound and run again.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    /// Runs to the next row; false when there are no more.
    func step() throws(HeadraceError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let failure = connection.failure()
            sqlite3_reset(handle)
            throw failure
        }
    }

    /// Runs a statement without rows to its end.
    func run() throws(HeadraceError) {
        while try step() {}
        reset()
    }

    func bind(_ value: Int64?, _ index: Int32) {
        if let value { sqlite3_bind_int64(handle, index, value) } else { sqlite3_bind_null(handle, index) }
    }

    func bind(_ text: String?, _ index: Int32) {
        guard var text else {
            sqlite3_bind_null(handle, index)
            return
        }
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                _ = headrace_sqlite3_bind_text_copy(
                    handle, index, characters.baseAddress ?? Self.empty, UInt64(characters.count))
            }
        }
    }

    func bind(_ bytes: [UInt8], _ index: Int32) {
        bytes.withUnsafeBytes {
            _ = headrace_sqlite3_bind_blob_copy(
                handle, index, $0.baseAddress ?? UnsafeRawPointer(Self.empty), UInt64($0.count))
        }
    }

    /// A place for empty values to point to: SQLite takes a null pointer for NULL.
    private nonisolated(unsafe) static let empty: UnsafePointer<CChar> = {
        let place = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        place.initialize(to: 0)
        return UnsafePointer(place)
    }()

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func text(_ column: Int32) -> String? {
        guard let start = sqlite3_column_text(handle, column) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func bytes(_ column: Int32) -> [UInt8] {
        let count = Int(sqlite3_column_bytes(handle, column))
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
