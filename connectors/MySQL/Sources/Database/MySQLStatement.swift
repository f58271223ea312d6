import HeadraceCMariaDB

/// A prepared statement of one connection. Values are always bound, never written into the SQL.
final class MySQLStatement {
    private let handle: UnsafeMutablePointer<MYSQL_STMT>
    private let sql: SQL

    init(_ sql: SQL, on connection: MySQLConnection) throws(MySQLFailure) {
        guard let handle = mysql_stmt_init(connection.handle) else { throw connection.failure(sql) }
        self.handle = handle
        self.sql = sql
        var text = sql.text
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { mysql_stmt_prepare(handle, $0.baseAddress, UInt($0.count)) }
        }
        // The object is whole here, so that its deinit closes the statement.
        guard status == 0 else { throw failure }
    }

    deinit { mysql_stmt_close(handle) }

    private var failure: MySQLFailure {
        MySQLFailure(
            number: mysql_stmt_errno(handle), state: String(cString: mysql_stmt_sqlstate(handle)),
            message: String(cString: mysql_stmt_error(handle)), sql: sql)
    }

    /// The columns that it gives.
    var fields: [MySQLFieldDescription] {
        guard let result = mysql_stmt_result_metadata(handle) else { return [] }
        defer { mysql_free_result(result) }
        guard let fields = mysql_fetch_fields(result) else { return [] }
        return (0..<Int(mysql_num_fields(result))).map { MySQLFieldDescription(fields[$0]) }
    }

    /// Runs it with text values, one a parameter, nil for null; the bytes must stay where they are until it returns.
    /// - Returns: the rows that it changed.
    func run(_ values: [UnsafeRawBufferPointer?]) throws(MySQLFailure) -> Int {
        var binds = values.map { value in
            var bind = MYSQL_BIND()
            guard let value else {
                bind.buffer_type = MYSQL_TYPE_NULL
                return bind
            }
            bind.buffer_type = MYSQL_TYPE_STRING
            bind.buffer = UnsafeMutableRawPointer(mutating: value.baseAddress ?? MySQLCells.empty)
            bind.buffer_length = UInt(value.count)
            return bind
        }
        let status = binds.withUnsafeMutableBufferPointer { binds -> Int32 in
            guard mysql_stmt_bind_param(handle, binds.baseAddress) == 0 else { return 1 }
            return mysql_stmt_execute(handle)
        }
        guard status == 0 else { throw failure }
        return Int(truncatingIfNeeded: mysql_stmt_affected_rows(handle))
    }

    /// Runs it with text values, one a parameter, nil for null.
    func run(texts: [[UInt8]?]) throws(MySQLFailure) -> Int {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>?] = []
        for text in texts {
            guard let text else {
                ranges.append(nil)
                continue
            }
            ranges.append(bytes.count..<bytes.count + text.count)
            bytes += text
        }
        // One allocation holds all values, so that their pointers are good until the call returns.
        let result = bytes.withUnsafeBytes { memory -> Result<Int, MySQLFailure> in
            let values = ranges.map { range in range.map { UnsafeRawBufferPointer(rebasing: memory[$0]) } }
            do throws(MySQLFailure) { return .success(try run(values)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// What the last run warned of.
    var warningCount: Int { Int(mysql_stmt_warning_count(handle)) }
}
