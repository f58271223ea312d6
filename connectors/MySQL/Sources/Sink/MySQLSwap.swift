import HeadraceCore

/// Puts a table that was loaded beside another in its place.
///
/// The server commits by itself when tables are renamed, so that this cannot be one transaction with the checkpoint. A row
/// in `_headrace_swap` is written around it instead: *prepared* in the transaction of the rows, with their checkpoint; then
/// the tables are renamed at once; then the checkpoint is written and the row goes. Whoever comes after a crash finds the
/// row and the tables, and finishes what was renamed or undoes what was not.
///
/// The new table's name holds the run's fence, so that a run which was overtaken and wakes can neither rename nor drop the
/// table of the run that took its place. The row goes last, when nothing else of the swap is left.
struct MySQLSwap: Sendable {
    static let table = "_headrace_swap"

    let target: MySQLName
    let job: String
    let sink: String
    let fence: Int64

    static func newName(of table: String, fence: Int64) -> MySQLName {
        let name = MySQLTablePlan.shortName("_headrace_new_", of: table)
        return fence == 0 ? name : MySQLName(known: "\(name.text)_\(String(fence, radix: 16))")
    }
    private static func oldName(of table: String) -> MySQLName { MySQLTablePlan.shortName("_headrace_old_", of: table) }

    private var new: MySQLName { Self.newName(of: target.text, fence: fence) }
    private var old: MySQLName { Self.oldName(of: target.text) }
    private var key: MySQLLiteral { MySQLLiteral(target.text) }

    private static func exists(_ name: MySQLName, in connection: MySQLConnection) throws -> Bool {
        try connection.number(
            """
            SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
            AND TABLE_NAME = \(MySQLLiteral(name.text))
            """) == 1
    }

    // MARK: - After an interruption

    /// The swap of a table whose row is there, and its checkpoint.
    private static func interrupted(
        _ target: MySQLName, in connection: MySQLConnection
    ) throws -> (swap: MySQLSwap, checkpoint: Checkpoint?)? {
        guard try exists(MySQLName(known: table), in: connection) else { return nil }
        let rows = try connection.rows(
            "SELECT job, sink, fence, checkpoint FROM `_headrace_swap` WHERE target = \(MySQLLiteral(target.text))")
        guard let row = rows.first else { return nil }
        let swap = MySQLSwap(
            target: target, job: row[0] ?? "", sink: row[1] ?? "", fence: row[2].flatMap { Int64($0) } ?? 0)
        return (swap, try row[3].map { try JSONValue.parse($0) }.flatMap { Checkpoint(json: $0) })
    }

    /// Finishes or undoes what an interrupted swap of the table left, and takes away all tables of swaps of it. Outside of
    /// a transaction.
    static func recover(_ target: MySQLName, in connection: MySQLConnection) throws {
        if let (swap, checkpoint) = try interrupted(target, in: connection) {
            try swap.end(checkpoint, in: connection)
        }
        let new = newName(of: target.text, fence: 0).text
        let tables = try connection.rows(
            """
            SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
            AND (TABLE_NAME IN (\(MySQLLiteral(new)), \(MySQLLiteral(oldName(of: target.text).text)))
            OR LEFT(TABLE_NAME, \(new.utf8.count + 1)) = \(MySQLLiteral(new + "_")))
            """)
        for table in tables {
            if let name = table[0] { try connection.execute("DROP TABLE IF EXISTS \(MySQLName(known: name))") }
        }
    }

    /// Finishes or undoes an interrupted swap of the table by one job. Outside of a transaction.
    static func settle(_ target: MySQLName, of job: String, in connection: MySQLConnection) throws {
        guard let (swap, checkpoint) = try interrupted(target, in: connection), swap.job == job else { return }
        try swap.end(checkpoint, in: connection)
    }

    /// Undoes this run's swap, or finishes it where the tables are renamed already; touches nothing of other runs.
    func abandon(in connection: MySQLConnection) throws {
        if let (swap, checkpoint) = try Self.interrupted(target, in: connection), swap.job == job, swap.fence == fence {
            try swap.end(checkpoint, in: connection)
            return
        }
        try connection.execute("DROP TABLE IF EXISTS \(new)")
    }

    private func end(_ checkpoint: Checkpoint?, in connection: MySQLConnection) throws {
        // The new table is gone from its name only when it was renamed: whoever drops it takes the row away first.
        guard try !Self.exists(new, in: connection), try Self.exists(target, in: connection) else {
            try deleteRow(in: connection)
            try connection.execute("DROP TABLE IF EXISTS \(new)")
            return
        }
        if let checkpoint {
            try connection.execute("START TRANSACTION")
            do {
                try MySQLState.write(checkpoint, over: .anything, job: job, sink: sink, fence: fence, in: connection)
                try connection.execute("COMMIT")
            } catch let error as HeadraceError where error.code == .leaseLost {
                // Somebody later has committed since: their checkpoint stands.
                try connection.execute("ROLLBACK")
            }
        }
        try finish(in: connection)
    }

    private func finish(in connection: MySQLConnection) throws {
        try connection.execute("DROP TABLE IF EXISTS \(old)")
        try deleteRow(in: connection)
    }

    private func deleteRow(in connection: MySQLConnection) throws {
        try connection.execute(
            "DELETE FROM `_headrace_swap` WHERE target = \(key) AND job = \(MySQLLiteral(job)) AND fence = \(fence)")
    }

    // MARK: - The swap

    /// Makes the empty new table: like the one in whose place it will come, or from the rows' schema.
    func prepare(_ plan: MySQLTablePlan, in connection: MySQLConnection) throws {
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS `_headrace_swap` (target VARCHAR(64) NOT NULL PRIMARY KEY, job VARCHAR(255) NOT NULL,
            sink VARCHAR(255) NOT NULL, fence BIGINT NOT NULL, checkpoint LONGTEXT NOT NULL)
            ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
            """)
        if !plan.makesTable { try connection.execute("CREATE TABLE \(new) LIKE \(target)") }
        for definition in plan.definitions { try connection.execute(definition) }
    }

    /// Commits the new table's rows, puts it in place and writes the checkpoint.
    func commit(
        _ checkpoint: Checkpoint, over expected: SeenCheckpoints.Expectation, faults: any FaultPoints,
        in connection: MySQLConnection
    ) throws {
        try MySQLState.check(fence, over: expected, job: job, sink: sink, in: connection)
        try connection.execute(
            """
            INSERT INTO `_headrace_swap` (target, job, sink, fence, checkpoint) VALUES (\(key), \(MySQLLiteral(job)),
            \(MySQLLiteral(sink)), \(fence), \(MySQLLiteral(checkpoint.json.compactText)))
            """)
        try faults.reach("mysql.beforeCommit")
        try connection.execute("COMMIT")
        try faults.reach("mysql.prepared")
        do {
            if try Self.exists(target, in: connection) {
                try connection.execute("RENAME TABLE \(target) TO \(old), \(new) TO \(target)")
            } else {
                try connection.execute("RENAME TABLE \(new) TO \(target)")
            }
        } catch {
            // A run that has taken over drops the new table: better told so than that it is not there.
            try MySQLState.check(fence, over: expected, job: job, sink: sink, in: connection)
            throw error
        }
        try faults.reach("mysql.swapped")
        try connection.execute("START TRANSACTION")
        try MySQLState.write(checkpoint, over: expected, job: job, sink: sink, fence: fence, in: connection)
        try connection.execute("COMMIT")
        try faults.reach("mysql.afterCommit")
        try finish(in: connection)
    }
}
