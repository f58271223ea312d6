import HeadraceCore

/// The `_headrace_state` table: how far each sink of each job has come, written in the rows' own transaction.
enum PostgreSQLState {
    static let table = "_headrace_state"

    static var definition: SQL {
        """
        CREATE TABLE IF NOT EXISTS "_headrace_state" (job text NOT NULL, sink text NOT NULL, stream text NOT NULL, \
        checkpoint text NOT NULL, epoch bigint NOT NULL, run text NOT NULL, fence bigint NOT NULL, \
        PRIMARY KEY (job, sink, stream))
        """
    }

    private static func exists(in connection: PostgreSQLConnection) throws -> Bool {
        try connection.first("SELECT to_regclass('\"_headrace_state\"') IS NOT NULL") { $0.bool(0) } ?? false
    }

    /// Refuses a writer whose job has been taken over: a run with a higher fence has committed.
    static func check(_ fence: Int64, job: String, in connection: PostgreSQLConnection) throws {
        guard try exists(in: connection) else { return }
        let highest = try connection.first(
            "SELECT max(fence) FROM \"_headrace_state\" WHERE job = $1", [job]
        ) { $0.integer(0) }
        guard let highest = highest ?? nil, highest > fence else { return }
        throw HeadraceError(
            .leaseLost, "another run has taken over job \(job) and committed to \(connection.configuration)",
            fields: [("fence of this run", "\(fence)"), ("fence of the other", "\(highest)")],
            hint: "nothing of this run's epoch was written; the other run's rows stand")
    }

    /// Takes the commits of a job one after another, until the transaction's end: what a check reads then holds. Waits
    /// for a commit that is under way, even one whose client is gone.
    private static func lock(job: String, in connection: PostgreSQLConnection) throws {
        _ = try connection.rows("SELECT pg_advisory_xact_lock(hashtextextended('headrace commit ' || $1, 0))", [job]) {
            _ in
        }
    }

    /// Writes a checkpoint over the sink's last one where no fence is higher and the last is the one that the run went on
    /// from. The last statement before the commit.
    /// - Throws: `leaseLost` when another run has committed.
    static func write(
        _ checkpoint: Checkpoint, over expected: SeenCheckpoints.Expectation, job: String, sink: String, fence: Int64,
        in connection: PostgreSQLConnection
    ) throws {
        try lock(job: job, in: connection)
        if try !exists(in: connection) {
            // Two jobs that make the table at once would hit each other in the catalog.
            try connection.script("SELECT pg_advisory_xact_lock(hashtextextended('headrace state', 0)); \(definition)")
        }
        try check(fence, job: job, in: connection)
        try expected.check(
            try read(job: job, sink: sink, in: connection), job: job, place: "\(connection.configuration)")
        try connection.run("DELETE FROM \"_headrace_state\" WHERE job = $1 AND sink = $2", [job, sink])
        let streams = checkpoint.positions.isEmpty ? [""] : checkpoint.positions.keys.map(\.name).sorted()
        for stream in streams {
            var part = checkpoint
            part.positions = checkpoint.positions.filter { $0.key.name == stream }
            try connection.run(
                """
                INSERT INTO "_headrace_state" (job, sink, stream, checkpoint, epoch, run, fence)
                VALUES ($1, $2, $3, $4, $5::bigint, $6, $7::bigint)
                """,
                [job, sink, stream, part.json.compactText, "\(checkpoint.epoch)", checkpoint.run, "\(fence)"])
        }
    }

    /// The last checkpoint of a sink once no commit of its job is under way.
    static func settled(job: String, sink: String, in connection: PostgreSQLConnection) throws -> Checkpoint? {
        try connection.transaction {
            try lock(job: job, in: connection)
            return try read(job: job, sink: sink, in: connection)
        }
    }

    /// The last checkpoint of a sink, nil when it has none.
    static func read(job: String, sink: String, in connection: PostgreSQLConnection) throws -> Checkpoint? {
        guard try exists(in: connection) else { return nil }
        let texts = try connection.rows(
            "SELECT checkpoint FROM \"_headrace_state\" WHERE job = $1 AND sink = $2 ORDER BY stream", [job, sink]
        ) { $0.text(0) ?? "" }
        var whole: Checkpoint?
        for text in texts {
            guard let json = try? JSONValue.parse(text), let part = Checkpoint(json: json) else {
                throw HeadraceError(
                    .malformedInput, "the state of job \(job) in \(connection.configuration) cannot be read",
                    fields: [("table", table)], hint: "run with --restart to begin afresh")
            }
            if whole == nil { whole = part } else { whole?.positions.merge(part.positions) { $1 } }
        }
        return whole
    }
}
