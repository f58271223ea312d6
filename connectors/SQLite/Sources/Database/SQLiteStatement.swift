import HeadraceCSQLite

/// A prepared statement of one connection. Values are always bound, never written into the SQL.
final class SQLiteStatement {
    let sql: String
    let handle: OpaquePointer
    private unowned let connection: SQLiteConnection
    /// Set while a caller of the cache uses it.
    var isInUse = false

    init(_ sql: String, handle: OpaquePointer, connection: SQLiteConnection) {
        self.sql = sql
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    var columnCount: Int { Int(sqlite3_column_count(handle)) }

    /// The highest number of a parameter.
    var parameterCount: Int32 { sqlite3_bind_parameter_count(handle) }

    /// Whether it changes nothing in the database.
    var isReadOnly: Bool { sqlite3_stmt_readonly(handle) != 0 }

    func columnName(_ index: Int) -> String {
        sqlite3_column_name(handle, Int32(index)).map { String(cString: $0) } ?? ""
    }

    /// The type that the table declares for a result column, nil for expressions.
    func declaredType(_ index: Int) -> String? {
        sqlite3_column_decltype(handle, Int32(index)).map { String(cString: $0) }
    }

    /// Runs to the next row; false when there are no more.
    func step() throws(SQLiteFailure) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let failure = connection.failure(sql)
            sqlite3_reset(handle)
            throw failure
        }
    }

    /// Makes the statement ready to run again; its bindings stay.
    func reset() { sqlite3_reset(handle) }

    /// Lets go of bound memory.
    func clear() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    func bind(_ values: [SQLiteValue]) throws(SQLiteFailure) {
        for (index, value) in values.enumerated() { try bind(value, at: index + 1) }
    }

    /// Binds a value, copied, to parameter `index`, counted from 1.
    func bind(_ value: SQLiteValue, at index: Int) throws(SQLiteFailure) {
        let position = Int32(index)
        let status: Int32
        switch value {
        case .null: status = sqlite3_bind_null(handle, position)
        case .integer(let number): status = sqlite3_bind_int64(handle, position, number)
        case .real(let number): status = sqlite3_bind_double(handle, position, number)
        case .text(var text):
            status = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { characters in
                    headrace_sqlite3_bind_text_copy(
                        handle, position, characters.baseAddress ?? Self.empty, UInt64(characters.count))
                }
            }
        case .blob(let bytes):
            status = bytes.withUnsafeBytes {
                headrace_sqlite3_bind_blob_copy(
                    handle, position, $0.baseAddress ?? UnsafeRawPointer(Self.empty), UInt64($0.count))
            }
        }
        guard status == SQLITE_OK else { throw connection.failure(sql) }
    }

    /// A place for empty values to point to: SQLite takes a null pointer for NULL.
    nonisolated(unsafe) static let empty: UnsafePointer<CChar> = {
        let place = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        place.initialize(to: 0)
        return UnsafePointer(place)
    }()

    // MARK: - The current row, outside hot loops

    func value(_ index: Int) -> SQLiteValue {
        let column = Int32(index)
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, column))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, column))
        case SQLITE_TEXT: return .text(text(index) ?? "")
        case SQLITE_BLOB: return .blob(blob(index) ?? [])
        default: return .null
        }
    }

    func isNull(_ index: Int) -> Bool { sqlite3_column_type(handle, Int32(index)) == SQLITE_NULL }
    func integer(_ index: Int) -> Int64 { sqlite3_column_int64(handle, Int32(index)) }
    func optionalInteger(_ index: Int) -> Int64? { isNull(index) ? nil : integer(index) }

    /// The text of a column, damaged UTF-8 repaired; nil when it is null.
    func text(_ index: Int) -> String? {
        guard let start = sqlite3_column_text(handle, Int32(index)) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, Int32(index)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func blob(_ index: Int) -> [UInt8]? {
        if isNull(index) { return nil }
        let count = Int(sqlite3_column_bytes(handle, Int32(index)))
        guard let start = sqlite3_column_blob(handle, Int32(index)) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
