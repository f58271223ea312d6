import Glibc
public import HeadraceCore

/// The run ledger in one SQLite file: runs, steps, checkpoints, inputs, rejects and leases.
///
/// Any number of processes may use one file at once; every call is one short transaction that is on the disk when it
/// returns. The file is readable for its owner only, because rejects keep rows as they came.
public final class SQLiteLedger: LedgerStore {
    let database: SQLiteDatabase

    private init(_ database: SQLiteDatabase) { self.database = database }

    /// Opens the ledger at `path`; makes the file and the folders above it when they are not there.
    /// - Throws: `unsupported` for a file of a later version or one that is no ledger, `databaseReadOnly`, `inputOutput`.
    public static func open(at path: String) async throws -> SQLiteLedger {
        let options = SQLiteOptions(access: .create, durability: .full, fileMode: 0o600)
        let database = SQLiteDatabase(path: path, options: options)
        do {
            try await BlockingWork.run { try makeFolder(of: path) }
            try await database.use { try LedgerSchema.migrate($0) }
        } catch {
            await database.close()
            throw error
        }
        return SQLiteLedger(database)
    }

    /// Makes the folders above a file that are not there, for their owner only.
    private static func makeFolder(of path: String) throws {
        var end = path.startIndex
        while let slash = path[end...].firstIndex(of: "/") {
            end = path.index(after: slash)
            let folder = String(path[..<slash])
            guard !folder.isEmpty, access(folder, F_OK) != 0 else { continue }
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
                throw HeadraceError(
                    .inputOutput, "the folder \(folder) cannot be made", because: String(cString: strerror(errno)),
                    hint: "name another state folder with --state")
            }
        }
    }

    /// Closes the file; the ledger cannot be used afterwards.
    public func close() async { await database.close() }

    // MARK: - Runs

    public func begin(_ run: RunRecord) async throws {
        try await database.use { connection in
            _ = try connection.run(
                """
                INSERT INTO runs (identifier, job, parameters, state, started, ended, error, fence)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .text(run.identifier), .text(run.job), .text(run.parameters.compactText), .text(run.state.rawValue),
                    .integer(run.started), SQLiteValue(run.ended), SQLiteValue(run.error), .integer(run.fence),
                ])
        }
    }

    public func end(_ run: String, state: RunState, at time: Int64, error: String?) async throws {
        let changed = try await database.use { connection in
            try connection.run(
                "UPDATE runs SET state = ?, ended = ?, error = ? WHERE identifier = ?",
                [.text(state.rawValue), .integer(time), SQLiteValue(error), .text(run)])
        }
        guard changed == 1 else { throw HeadraceError(.notFound, "the ledger knows no run \(run)") }
    }

    private static let runColumns = """
        runs.identifier, runs.job, runs.parameters, runs.state, runs.started, runs.ended, runs.error, runs.fence,
            l.run, l.is_held, l.host, l.process, l.process_start, l.renewed FROM runs
            LEFT JOIN leases AS l ON l.job = runs.job AND runs.state = 'running'
        """

    /// What is noted of a run that was killed before it could say how it ended.
    static let interruption = "interrupted: the process was ended from outside"

    private static func runRecord(_ row: SQLiteStatement) -> RunRecord {
        var run = RunRecord(
            identifier: row.text(0) ?? "", job: row.text(1) ?? "", parameters: json(row.text(2)),
            state: row.text(3).flatMap(RunState.init(rawValue:)) ?? .failed, started: row.integer(4),
            ended: row.optionalInteger(5), error: row.text(6), fence: row.integer(7))
        // A run that works holds its job's lease; without one, or with its process gone, it has ended.
        guard run.state == .running, let holding = row.text(8) else { return run }
        let holder = LeaseHolder(
            run: holding, host: row.text(10) ?? "", process: Int32(truncatingIfNeeded: row.integer(11)),
            processStart: row.text(12) ?? "")
        if holding == run.identifier, row.integer(9) != 0, !holder.isGone { return run }
        run.state = .failed
        run.error = interruption
        if holding == run.identifier { run.ended = row.optionalInteger(13) }
        return run
    }

    public func runs(job: String?, limit: Int) async throws -> [RunRecord] {
        try await database.use { connection in
            let condition = job == nil ? "" : "WHERE runs.job = ?"
            return try connection.rows(
                "SELECT \(Self.runColumns) \(condition) ORDER BY runs.number DESC LIMIT ?",
                (job.map { [.text($0)] } ?? []) + [SQLiteValue(max(0, limit))], Self.runRecord)
        }
    }

    public func run(_ identifier: String) async throws -> RunRecord? {
        try await database.use { connection in
            try connection.first(
                "SELECT \(Self.runColumns) WHERE runs.identifier = ?", [.text(identifier)], Self.runRecord)
        }
    }

    static func json(_ text: String?) -> JSONValue {
        text.flatMap { try? JSONValue.parse($0) } ?? .null
    }

    // MARK: - Steps and inputs

    public func record(_ account: StepAccount, of run: String) async throws {
        try await database.use { try Self.record(account, of: run, $0) }
    }

    static func record(_ account: StepAccount, of run: String, _ connection: SQLiteConnection) throws {
        try connection.run(
            """
            INSERT OR REPLACE INTO accounts (run, step, ordinal, input, added, output, rejected, filtered, merged,
                inserted, updated, unchanged, deleted, nanoseconds)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(run), .text(account.step), SQLiteValue(account.ordinal), SQLiteValue(account.input),
                SQLiteValue(account.added), SQLiteValue(account.output), SQLiteValue(account.rejected),
                SQLiteValue(account.filtered), SQLiteValue(account.merged), SQLiteValue(account.written?.inserted),
                SQLiteValue(account.written?.updated), SQLiteValue(account.written?.unchanged),
                SQLiteValue(account.written?.deleted), .integer(account.nanoseconds),
            ])
    }

    /// The accounts of a run's steps, in the order of their ordinals; empty for a run that is not known.
    public func accounts(of run: String) async throws -> [StepAccount] {
        try await database.use { connection in
            try connection.rows(
                """
                SELECT step, ordinal, input, added, output, rejected, filtered, merged, inserted, updated, unchanged,
                    deleted, nanoseconds FROM accounts WHERE run = ? ORDER BY ordinal, step
                """, [.text(run)]
            ) { row in
                let written = row.optionalInteger(8).map { inserted in
                    WriteCounts(
                        inserted: Int(inserted), updated: Int(row.integer(9)), unchanged: Int(row.integer(10)),
                        deleted: Int(row.integer(11)))
                }
                return StepAccount(
                    step: row.text(0) ?? "", ordinal: Int(row.integer(1)), input: Int(row.integer(2)),
                    added: Int(row.integer(3)), output: Int(row.integer(4)), rejected: Int(row.integer(5)),
                    filtered: Int(row.integer(6)), merged: Int(row.integer(7)), written: written,
                    nanoseconds: row.integer(12))
            }
        }
    }

    public func record(_ input: InputRecord, of run: String) async throws {
        try await database.use { connection in
            _ = try connection.run(
                "INSERT INTO inputs (run, step, name, bytes, sha256, rows) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    .text(run), .text(input.step), .text(input.name), SQLiteValue(input.bytes), .text(input.sha256),
                    SQLiteValue(input.rows),
                ])
        }
    }

    /// The inputs of a run in the order they were written down.
    public func inputs(of run: String) async throws -> [InputRecord] {
        try await database.use { connection in
            try connection.rows(
                "SELECT step, name, bytes, sha256, rows FROM inputs WHERE run = ? ORDER BY number", [.text(run)]
            ) { row in
                InputRecord(
                    step: row.text(0) ?? "", name: row.text(1) ?? "", bytes: Int(row.integer(2)),
                    sha256: row.text(3) ?? "", rows: Int(row.integer(4)))
            }
        }
    }

    // MARK: - Values

    public func value(_ key: String, job: String) async throws -> JSONValue? {
        try await database.use { connection in
            try connection.first("SELECT value FROM job_values WHERE job = ? AND key = ?", [.text(job), .text(key)]) {
                Self.json($0.text(0))
            }
        }
    }

    /// Sets a value of a job, or removes it where `value` is nil.
    public func set(_ key: String, to value: JSONValue?, job: String, run: String) async throws {
        try await database.use { connection in
            guard let value else {
                try connection.run("DELETE FROM job_values WHERE job = ? AND key = ?", [.text(job), .text(key)])
                return
            }
            try connection.run(
                "INSERT OR REPLACE INTO job_values (job, key, value, run) VALUES (?, ?, ?, ?)",
                [.text(job), .text(key), .text(value.compactText), .text(run)])
        }
    }
}
