import HeadraceCore

/// The `_headrace_state` table: how far each sink of each job has come, written in the rows' own transaction.
enum SQLiteState {
    static let table = "_headrace_state"

    static let definition = """
        CREATE TABLE IF NOT EXISTS "_headrace_state" (job TEXT NOT NULL, sink TEXT NOT NULL, stream TEXT NOT NULL, \
        checkpoint TEXT NOT NULL, epoch INTEGER NOT NULL, run TEXT NOT NULL, fence INTEGER NOT NULL, \
        PRIMARY KEY (job, sink, stream)) WITHOUT ROWID
        """

    /// The name of the stream of a checkpoint that has no positions.
    private static let noStream = ""

    private static func exists(in connection: SQLiteConnection) throws(SQLiteFailure) -> Bool {
        try connection.first("SELECT 1 FROM main.sqlite_schema WHERE name = ?", [.text(table)]) { _ in true } ?? false
    }

    /// Refuses a writer whose job has been taken over: a run with a higher fence has committed. Call inside the write
    /// transaction, which no other writer can share, so that what is read holds until the commit.
    static func check(_ fence: Int64, job: String, in connection: SQLiteConnection) throws {
        guard try exists(in: connection) else { return }
        let highest = try connection.first(
            "SELECT max(fence) FROM \"_headrace_state\" WHERE job = ?", [.text(job)]
        ) { $0.optionalInteger(0) }
        guard let highest = highest ?? nil, highest > fence else { return }
        throw HeadraceError(
            .leaseLost, "another run has taken over job \(job) and committed to \(connection.path)",
            fields: [("fence of this run", "\(fence)"), ("fence of the other", "\(highest)")],
            hint: "nothing of this run's epoch was written; the other run's rows stand")
    }

    /// Writes a checkpoint over the sink's last one where its fence is not higher and it is the one that the run went on
    /// from.
    /// - Throws: `leaseLost` when another run has committed.
    static func write(
        _ checkpoint: Checkpoint, over expected: SeenCheckpoints.Expectation, job: String, sink: String, fence: Int64,
        in connection: SQLiteConnection
    ) throws {
        try connection.execute(definition)
        try check(fence, job: job, in: connection)
        try expected.check(try read(job: job, sink: sink, in: connection), job: job, place: connection.path)
        let streams = checkpoint.positions.isEmpty ? [noStream] : checkpoint.positions.keys.map(\.name).sorted()
        try connection.run("DELETE FROM \"_headrace_state\" WHERE job = ? AND sink = ?", [.text(job), .text(sink)])
        for stream in streams {
            var part = checkpoint
            part.positions = checkpoint.positions.filter { $0.key.name == stream }
            try connection.run(
                "INSERT INTO \"_headrace_state\" (job, sink, stream, checkpoint, epoch, run, fence) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    .text(job), .text(sink), .text(stream), .text(part.json.compactText),
                    .integer(Int64(checkpoint.epoch)), .text(checkpoint.run), .integer(fence),
                ])
        }
    }

    /// The last checkpoint of a sink, nil when it has none.
    static func read(job: String, sink: String, in connection: SQLiteConnection) throws -> Checkpoint? {
        guard try exists(in: connection) else { return nil }
        let texts = try connection.rows(
            "SELECT checkpoint FROM \"_headrace_state\" WHERE job = ? AND sink = ? ORDER BY stream",
            [.text(job), .text(sink)]
        ) { $0.text(0) ?? "" }
        var whole: Checkpoint?
        for text in texts {
            guard let json = try? JSONValue.parse(text), let part = Checkpoint(json: json) else {
                throw HeadraceError(
                    .malformedInput, "the state of job \(job) in \(connection.path) cannot be read",
                    fields: [("table", table)], hint: "run with --restart to begin afresh")
            }
            if whole == nil { whole = part } else { whole?.positions.merge(part.positions) { $1 } }
        }
        return whole
    }
}
