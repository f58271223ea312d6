import HeadraceCore

/// The `_headrace_state` table: how far each sink of each job has come, written in the rows' own transaction.
enum MySQLState {
    static let name = "_headrace_state"

    /// Its table is made before the transaction: the server commits when tables are made.
    static func ensure(in connection: MySQLConnection) throws {
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS `_headrace_state` (job VARCHAR(255) NOT NULL, sink VARCHAR(255) NOT NULL,
            part INT NOT NULL, checkpoint LONGTEXT NOT NULL, epoch BIGINT NOT NULL, run VARCHAR(255) NOT NULL,
            fence BIGINT NOT NULL, PRIMARY KEY (job, sink, part))
            ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT=DYNAMIC
            """)
    }

    private static func exists(in connection: MySQLConnection) throws -> Bool {
        try connection.number(
            """
            SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
            AND TABLE_NAME = '_headrace_state'
            """) == 1
    }

    /// Refuses a writer whose job has been taken over: a run with a higher fence has committed.
    /// - Parameter locking: holds what was read until the commit.
    static func check(_ fence: Int64, job: String, locking: Bool, in connection: MySQLConnection) throws {
        let lock: SQL = locking ? " FOR UPDATE" : ""
        let highest = try connection.number(
            "SELECT MAX(fence) FROM `_headrace_state` WHERE job = \(MySQLLiteral(job))\(lock)")
        guard let highest, highest > fence else { return }
        throw HeadraceError(
            .leaseLost, "another run has taken over job \(job) and committed to \(connection.configuration)",
            fields: [("fence of this run", "\(fence)"), ("fence of the other", "\(highest)")],
            hint: "nothing of this run's epoch was written; the other run's rows stand")
    }

    /// Writes a checkpoint over the sink's last one where its fence is not higher. Call inside the rows' transaction.
    /// - Throws: `leaseLost` when it is.
    static func write(
        _ checkpoint: Checkpoint, job: String, sink: String, fence: Int64, in connection: MySQLConnection
    ) throws {
        try check(fence, job: job, locking: true, in: connection)
        let (job, sink) = (MySQLLiteral(job), MySQLLiteral(sink))
        try connection.execute("DELETE FROM `_headrace_state` WHERE job = \(job) AND sink = \(sink)")
        let streams = checkpoint.positions.keys.map(\.name).sorted()
        for (index, stream) in (streams.isEmpty ? [""] : streams).enumerated() {
            var part = checkpoint
            part.positions = checkpoint.positions.filter { $0.key.name == stream }
            try connection.execute(
                """
                INSERT INTO `_headrace_state` (job, sink, part, checkpoint, epoch, run, fence) VALUES (\(job), \(sink),
                \(index), \(MySQLLiteral(part.json.compactText)), \(checkpoint.epoch), \(MySQLLiteral(checkpoint.run)),
                \(fence))
                """)
        }
    }

    /// The last checkpoint of a sink, nil when it has none.
    static func read(job: String, sink: String, in connection: MySQLConnection) throws -> Checkpoint? {
        guard try exists(in: connection) else { return nil }
        var whole: Checkpoint?
        let rows = try connection.rows(
            """
            SELECT checkpoint FROM `_headrace_state`
            WHERE job = \(MySQLLiteral(job)) AND sink = \(MySQLLiteral(sink)) ORDER BY part
            """)
        for row in rows {
            guard let json = try? JSONValue.parse(row[0] ?? ""), let part = Checkpoint(json: json) else {
                throw HeadraceError(
                    .malformedInput, "the state of job \(job) in \(connection.configuration) cannot be read",
                    fields: [("table", name)], hint: "run with --restart to begin afresh")
            }
            if whole == nil { whole = part } else { whole?.positions.merge(part.positions) { $1 } }
        }
        return whole
    }
}
