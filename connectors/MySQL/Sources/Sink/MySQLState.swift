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

    /// Refuses a run that may not commit: one with a higher fence has, or somebody since this one began. Holds what was
    /// read until the transaction's end.
    static func check(
        _ fence: Int64, over expected: SeenCheckpoints.Expectation, job: String, sink: String,
        in connection: MySQLConnection
    ) throws {
        try check(fence, job: job, locking: true, in: connection)
        let current = try read(job: job, sink: sink, locking: true, in: connection)
        try expected.check(current, job: job, place: "\(connection.configuration)")
    }

    /// Writes a checkpoint over the sink's last one where its fence is not higher and it is the one that the run went on
    /// from. Call inside the rows' transaction.
    /// - Throws: `leaseLost` when another run has committed.
    static func write(
        _ checkpoint: Checkpoint, over expected: SeenCheckpoints.Expectation, job: String, sink: String, fence: Int64,
        in connection: MySQLConnection
    ) throws {
        try check(fence, over: expected, job: job, sink: sink, in: connection)
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
    /// - Parameter locking: holds what was read until the transaction's end.
    static func read(
        job: String, sink: String, locking: Bool = false, in connection: MySQLConnection
    ) throws -> Checkpoint? {
        guard try exists(in: connection) else { return nil }
        var whole: Checkpoint?
        let lock: SQL = locking ? " FOR UPDATE" : ""
        let rows = try connection.rows(
            """
            SELECT checkpoint FROM `_headrace_state`
            WHERE job = \(MySQLLiteral(job)) AND sink = \(MySQLLiteral(sink)) ORDER BY part\(lock)
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
