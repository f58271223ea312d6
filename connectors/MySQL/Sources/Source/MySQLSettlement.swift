import HeadraceCore

/// Finds up to which value of a cursor no row can come any more.
///
/// With a lag that is what the lag says. Without one the server is asked: a first look finds the highest value; then every
/// transaction that had written, and every statement that may write, at some moment after that look is waited for. What begins
/// later gets a higher value, because numbers are given out in order and clocks go forward; what had begun has ended, so that the
/// snapshot that is taken afterwards shows it.
struct MySQLSettlement {
    let cursor: MySQLCursor
    let since: String?
    let lag: MySQLLag?
    let crew: MySQLCrew
    let log: EventLog

    /// How often others are looked at before their rows are left for the next pass, about a tenth of a second apart.
    private static let looks = 80

    /// - Returns: the bound of a window that begins at `since`; `since` where nothing is settled above it.
    func bound(_ connection: MySQLConnection) throws -> String? {
        if let lag { return try bound(lag, connection) }
        try checkServer(connection)
        let limit = try cursor.now(connection)
        guard let highest = try cursor.highest(above: since, limit: limit, connection) else { return since }
        if case .time(let digits, _) = cursor.kind, digits < 6 {
            // A row of the same moment, as far as the column tells moments apart, may begin until it has passed.
            _ = try connection.rows("SELECT SLEEP(\(Self.tick(digits)))")
        }
        return try othersEnd(connection) ? highest : since
    }

    /// What a moment of so many digits lasts, in seconds.
    private static func tick(_ digits: Int) -> SQL {
        digits == 0 ? "1" : SQL(writtenByUser: "0." + String(repeating: "0", count: digits - 1) + "1")
    }

    private func bound(_ lag: MySQLLag, _ connection: MySQLConnection) throws -> String? {
        switch (lag, cursor.kind) {
        case (.microseconds(let lag), .time), (.microseconds(let lag), .day):
            // A value stands for a whole second or day, and its rows come until that is over.
            guard let bound = try cursor.now(connection, lag: lag + cursor.moment) else { return since }
            return try cursor.later(bound, since, connection)
        case (.amount(let lag), .number(let scale)):
            let highest: SQL = "CAST(MAX(\(cursor.column.name)) AS DECIMAL(65,\(scale)))"
            guard let bound = try connection.rows("SELECT \(highest) - \(lag) FROM \(cursor.table.name)").first?[0]
            else { return since }
            return try cursor.later(bound, since, connection)
        case (.amount, _), (.microseconds, _):
            throw HeadraceError(
                .badOption,
                "the lag does not suit the cursor \"\(cursor.column.name.text)\", which is \(cursor.column.type.declared)",
                hint: "write 1000 for numbers, 90 seconds, 5 minutes, 1 hour or 2 days for times")
        }
    }

    private static func needsLag(_ sentence: String) -> HeadraceError {
        HeadraceError(
            .unsupported, sentence, hint: "give a lag: lag=5 minutes, or lag=1000 for a cursor of numbers")
    }

    /// Where others write in ways that the server does not show, only a lag helps.
    private func checkServer(_ connection: MySQLConnection) throws {
        if case .day = cursor.kind {
            throw Self.needsLag("the cursor \"\(cursor.column.name.text)\" is a DATE, and a day's rows come all day")
        }
        guard cursor.table.engine == "InnoDB" else {
            throw Self.needsLag("table \"\(cursor.table.name.text)\" is \(cursor.table.engine), without transactions")
        }
        let galera = try connection.rows("SHOW GLOBAL VARIABLES LIKE 'wsrep_on'").first?[1]
        guard galera != "ON" else {
            throw Self.needsLag("the server belongs to a Galera cluster, whose other servers write too")
        }
        let applying = try connection.number(
            """
            SELECT COUNT(*) FROM information_schema.PROCESSLIST
            WHERE USER = 'system user' AND COMMAND NOT IN ('Daemon', 'Sleep')
            """)
        guard applying == 0 else {
            throw Self.needsLag("the server is a replica: what its source has not sent yet is not seen")
        }
    }

    // MARK: - Waiting for others

    /// What others have under way.
    private struct Look {
        /// Running statements that may write, by connection.
        var statements: [Int: String] = [:]
        /// Transactions that have written, with their connections.
        var transactions: [Int: Int] = [:]
    }

    /// Waits until all that is under way now has ended.
    /// - Returns: false where it takes too long.
    private func othersEnd(_ connection: MySQLConnection) throws -> Bool {
        var waiting = try look(connection)
        var looks = 1
        while !waiting.statements.isEmpty || !waiting.transactions.isEmpty {
            guard looks < Self.looks else {
                let held = Set(waiting.statements.keys).union(waiting.transactions.values).sorted().map(String.init)
                log.info(
                    """
                    rows above \(since ?? "nothing") of \(cursor.table.name.text).\(cursor.column.name.text) are left for a later \
                    run: a transaction or statement under way may still add to them (connections \(held.joined(separator: ", ")))
                    """)
                return false
            }
            // The server refreshes its list of transactions when nobody has read it for a tenth of a second.
            _ = try connection.rows("SELECT SLEEP(0.11)")
            let now = try look(connection)
            var still = Look()
            for (thread, statement) in waiting.statements {
                if now.statements[thread] == statement {
                    still.statements[thread] = statement
                } else {
                    for (id, owner) in now.transactions where owner == thread { still.transactions[id] = owner }
                }
            }
            for (id, owner) in waiting.transactions where now.transactions[id] != nil { still.transactions[id] = owner }
            waiting = still
            looks += 1
        }
        return true
    }

    /// Statements first: one that ends between the two lists has left its transaction in the second, or has committed.
    private func look(_ connection: MySQLConnection) throws -> Look {
        var look = Look()
        let query: SQL = connection.isMariaDB ? "QUERY_ID" : "TIME"
        let running = try connection.rows(
            """
            SELECT ID, \(query), INFO FROM information_schema.PROCESSLIST
            WHERE ID <> CONNECTION_ID() AND COMMAND NOT IN ('Sleep', 'Daemon', 'Binlog Dump') AND USER <> 'event_scheduler'
            """)
        for row in running {
            guard let id = row[0].flatMap({ Int($0) }), !Self.onlyReads(row[2] ?? "") else { continue }
            look.statements[id] = connection.isMariaDB ? row[1] ?? "" : ""
        }
        for row in try transactions() {
            if let id = row[0].flatMap({ Int($0) }), let owner = row[1].flatMap({ Int($0) }) {
                look.transactions[id] = owner
            }
        }
        return look
    }

    private static func onlyReads(_ sql: String) -> Bool {
        let start = sql.drop { $0 == " " || $0 == "(" || $0.isNewline }.prefix(6).lowercased()
        return start == "select" || start.hasPrefix("show")
    }

    /// The transactions that have written, from a list that is no older than this call.
    ///
    /// The server may hand out an old list; one in which a connection of this moment stands is none.
    private func transactions() throws -> [[String?]] {
        let witness = try crew.connect().connection
        try MySQLOpened.begin(witness)
        for _ in 0..<Self.looks {
            let all: [[String?]]
            do {
                all = try witness.rows(
                    """
                    SELECT trx_id, trx_mysql_thread_id, trx_mysql_thread_id = CONNECTION_ID()
                    FROM information_schema.INNODB_TRX
                    """)
            } catch {
                guard error.number == 1227 else { throw error }
                throw Self.needsLag("this user may not see what others have under way: it lacks the privilege PROCESS")
            }
            if all.contains(where: { $0[2] == "1" }) {
                // Transactions that have not written have the number 0, or one beyond all real ones.
                return all.filter { row in
                    row[2] != "1" && (row[0].flatMap { UInt64($0) }.map { $0 > 0 && $0 < 1 << 48 } ?? true)
                }
            }
            _ = try witness.rows("SELECT SLEEP(0.11)")
        }
        throw Self.needsLag("the server's list of transactions is older than this run: somebody reads it all the time")
    }
}
