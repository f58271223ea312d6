import HeadraceCore

/// Puts a table that was loaded beside another in its place.
///
/// The server commits by itself when tables are renamed, so that this cannot be one transaction with the checkpoint. A row
/// in `_headrace_swap` is written around it instead: *prepared* in the transaction of the rows, with their checkpoint; then
/// the tables are renamed at once; then the checkpoint is written and the row goes. Whoever comes after a crash finds the
/// row and the tables, and finishes what was renamed or undoes what was not.
struct MySQLSwap: Sendable {
    static let table = "_headrace_swap"

    let target: MySQLName
    let sink: String

    static func newName(of table: String) -> MySQLName { MySQLTablePlan.shortName("_headrace_new_", of: table) }
    private static func oldName(of table: String) -> MySQLName { MySQLTablePlan.shortName("_headrace_old_", of: table) }

    private var new: MySQLName { Self.newName(of: target.text) }
    private var old: MySQLName { Self.oldName(of: target.text) }

    private static func exists(_ name: MySQLName, in connection: MySQLConnection) throws -> Bool {
        try connection.number(
            """
            SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
            AND TABLE_NAME = \(MySQLLiteral(name.text))
            """) == 1
    }

    /// Finishes or undoes what an interrupted swap of the table left, and takes its tables away. Outside of a transaction.
    static func recover(_ target: MySQLName, in connection: MySQLConnection) throws {
        let swap = MySQLSwap(target: target, sink: "")
        let key = MySQLLiteral(target.text)
        if try exists(MySQLName(known: table), in: connection),
            let row = try connection.rows(
                "SELECT job, sink, fence, checkpoint FROM `_headrace_swap` WHERE target = \(key)"
            ).first
        {
            // The new table is gone from its name only when it was renamed.
            let wasSwapped = try !exists(swap.new, in: connection) && exists(target, in: connection)
            try connection.execute("START TRANSACTION")
            if wasSwapped, let text = row[3], let json = try? JSONValue.parse(text), let point = Checkpoint(json: json)
            {
                let fence = Int64(row[2] ?? "") ?? 0
                do {
                    try MySQLState.write(point, job: row[0] ?? "", sink: row[1] ?? "", fence: fence, in: connection)
                } catch let error as HeadraceError where error.code == .leaseLost {
                    // Somebody later has committed since: their checkpoint stands.
                    try connection.execute("ROLLBACK")
                    try connection.execute("START TRANSACTION")
                }
            }
            try connection.execute("DELETE FROM `_headrace_swap` WHERE target = \(key)")
            try connection.execute("COMMIT")
        }
        try connection.execute("DROP TABLE IF EXISTS \(swap.new), \(swap.old)")
    }

    /// Makes the empty new table: like the one in whose place it will come, or from the rows' schema.
    func prepare(_ plan: MySQLTablePlan, in connection: MySQLConnection) throws {
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS `_headrace_swap` (target VARCHAR(64) NOT NULL PRIMARY KEY, job VARCHAR(255) NOT NULL,
            sink VARCHAR(255) NOT NULL, fence BIGINT NOT NULL, checkpoint LONGTEXT NOT NULL)
            ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
            """)
        if plan.makesTable {
            for definition in plan.definitions { try connection.execute(definition) }
        } else {
            try connection.execute("CREATE TABLE \(new) LIKE \(target)")
        }
    }

    /// Commits the new table's rows, puts it in place and writes the checkpoint.
    func commit(
        _ checkpoint: Checkpoint, job: String, fence: Int64, faults: any FaultPoints, in connection: MySQLConnection
    ) throws {
        let key = MySQLLiteral(target.text)
        try MySQLState.check(fence, job: job, locking: true, in: connection)
        try connection.execute(
            """
            INSERT INTO `_headrace_swap` (target, job, sink, fence, checkpoint) VALUES (\(key), \(MySQLLiteral(job)),
            \(MySQLLiteral(sink)), \(fence), \(MySQLLiteral(checkpoint.json.compactText)))
            """)
        try faults.reach("mysql.beforeCommit")
        try connection.execute("COMMIT")
        try faults.reach("mysql.prepared")
        if try Self.exists(target, in: connection) {
            try connection.execute("RENAME TABLE \(target) TO \(old), \(new) TO \(target)")
        } else {
            try connection.execute("RENAME TABLE \(new) TO \(target)")
        }
        try faults.reach("mysql.swapped")
        try connection.execute("START TRANSACTION")
        try MySQLState.write(checkpoint, job: job, sink: sink, fence: fence, in: connection)
        try connection.execute("DELETE FROM `_headrace_swap` WHERE target = \(key)")
        try connection.execute("COMMIT")
        try faults.reach("mysql.afterCommit")
        try connection.execute("DROP TABLE IF EXISTS \(old)")
    }
}
