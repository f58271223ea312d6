import HeadraceCPQ
import HeadraceCore

extension PostgreSQLConnection {
    /// Runs one or more statements without values and takes no rows.
    func script(_ sql: SQL) throws {
        try send(sql)
        try results { _ in }
    }

    /// Runs one statement with text values for `$1`, `$2` …
    /// - Returns: the rows that it inserted, updated, deleted or copied.
    @discardableResult
    func run(_ sql: SQL, _ values: [String?] = []) throws -> Int {
        try send(sql, values)
        var count = 0
        try results { result in
            count = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
        }
        return count
    }

    /// All rows of a query, held whole: catalogs, states, keys of a batch.
    func rows<R>(_ sql: SQL, _ values: [String?] = [], _ body: (borrowing PostgreSQLRow) throws -> R) throws -> [R] {
        try send(sql, values)
        var rows: [R] = []
        try results { result in
            for row in 0..<PQntuples(result) { rows.append(try body(PostgreSQLRow(result, row))) }
        }
        return rows
    }

    /// The first row of a query, nil when there is none.
    func first<R>(_ sql: SQL, _ values: [String?] = [], _ body: (borrowing PostgreSQLRow) throws -> R) throws -> R? {
        try rows(sql, values, body).first
    }

    /// What a query would give, without running it.
    /// - Returns: names, types and type modifiers of its columns; empty where it gives no rows.
    func describe(_ sql: SQL) throws -> [(name: String, type: UInt32, modifier: Int32)] {
        running = sql
        guard PQsendPrepare(handle, "", sql.text, 0, nil) == 1 else { throw broken() }
        try flush()
        try results { _ in }
        guard PQsendDescribePrepared(handle, "") == 1 else { throw broken() }
        try flush()
        var columns: [(String, UInt32, Int32)] = []
        try results { result in
            for index in 0..<PQnfields(result) {
                let name = PQfname(result, index).map { String(cString: $0) } ?? ""
                columns.append((name, PQftype(result, index), PQfmod(result, index)))
            }
        }
        return columns
    }

    /// Runs `body` in a transaction of its own, committed when it returns and undone when it throws.
    func transaction<R>(_ begin: SQL = "BEGIN", _ body: () throws -> R) throws -> R {
        try script(begin)
        do {
            let result = try body()
            try script("COMMIT")
            return result
        } catch {
            rollBack()
            throw error
        }
    }
}
