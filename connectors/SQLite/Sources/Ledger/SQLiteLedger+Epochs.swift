public import HeadraceCore

extension SQLiteLedger {
    public func prepare(_ epoch: PreparedEpoch) async throws {
        let accounts = JSONValue.array(epoch.accounts.map(\.ledgerJSON)).compactText
        try await database.use { connection in
            try connection.transaction {
                for sink in epoch.sinks {
                    try connection.run(
                        """
                        INSERT INTO epochs (job, sink, run, epoch, checkpoint, committed, writer, steps, accounts)
                        VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8)
                        ON CONFLICT (job, sink, run, epoch) DO UPDATE SET checkpoint = ?5, committed = 0, writer = ?6,
                            steps = ?7, accounts = ?8
                        """,
                        Self.key(epoch.checkpoint, epoch.job, sink) + [
                            .text(epoch.checkpoint.json.compactText), .text(epoch.run), .text(epoch.steps),
                            .text(accounts),
                        ])
                }
            }
        }
    }

    public func committed(_ checkpoint: Checkpoint, job: String, sink: String, counts: WriteCounts) async throws {
        try await database.use { connection in
            try connection.transaction {
                try connection.run(
                    """
                    INSERT INTO epochs (job, sink, run, epoch, checkpoint, committed, inserted, updated, unchanged,
                        deleted)
                    VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9)
                    ON CONFLICT (job, sink, run, epoch) DO UPDATE SET checkpoint = ?5, committed = 1, inserted = ?6,
                        updated = ?7, unchanged = ?8, deleted = ?9
                    """,
                    Self.key(checkpoint, job, sink) + [
                        .text(checkpoint.json.compactText), SQLiteValue(counts.inserted), SQLiteValue(counts.updated),
                        SQLiteValue(counts.unchanged), SQLiteValue(counts.deleted),
                    ])
                try Self.settle(checkpoint, job, sink, connection)
            }
        }
    }

    /// Gives a run the accounts and rejects of an epoch that all its sinks have committed.
    private static func settle(
        _ checkpoint: Checkpoint, _ job: String, _ sink: String, _ connection: SQLiteConnection
    ) throws {
        let key = key(checkpoint, job, sink)
        let waiting = try connection.first(
            "SELECT count(*) FROM epochs WHERE job = ?1 AND ?2 <> '' AND run = ?3 AND epoch = ?4 AND committed = 0", key
        ) { $0.integer(0) }
        let known = try connection.first(
            """
            SELECT writer, steps, accounts FROM epochs
            WHERE job = ? AND sink = ? AND run = ? AND epoch = ? AND writer IS NOT NULL
            """, key
        ) { ($0.text(0) ?? "", $0.text(1) ?? "", $0.text(2)) }
        guard waiting == 0, let (run, steps, accounts) = known else { return }
        for account in stepAccounts(accounts) { try record(account, of: run, connection) }
        try connection.run(
            "UPDATE rejects SET is_committed = 1 WHERE run = ?1 AND epoch = ?3 AND \(isInSteps("?2"))",
            [.text(run), .text(steps), SQLiteValue(checkpoint.epoch)])
    }

    public func reconcile(
        _ checkpoint: Checkpoint?, job: String, sinks: [String], steps: String, earlier: [String]
    ) async throws -> [StepAccount] {
        try await database.use { connection in
            try connection.transaction {
                var accounts: String?
                if let checkpoint {
                    for sink in sinks {
                        let key = Self.key(checkpoint, job, sink)
                        let condition = "WHERE job = ? AND sink = ? AND run = ? AND epoch = ?"
                        let changed = try connection.run(
                            "UPDATE epochs SET committed = 1 \(condition) AND committed = 0", key)
                        if changed > 0 { try Self.settle(checkpoint, job, sink, connection) }
                        accounts =
                            try connection.first("SELECT accounts FROM epochs \(condition)", key) {
                                $0.text(0)
                            } ?? accounts
                    }
                }
                for run in earlier {
                    try connection.run(
                        "DELETE FROM rejects WHERE run = ?1 AND is_committed = 0 AND \(Self.isInSteps("?2"))",
                        [.text(run), .text(steps)])
                }
                return Self.stepAccounts(accounts)
            }
        }
    }

    public func adopt(_ earlier: [String], by run: String, steps: String, through epoch: Int) async throws {
        try await database.use { connection in
            try connection.transaction {
                for other in earlier {
                    try connection.run(
                        "INSERT OR REPLACE INTO adoptions (run, earlier, steps, epoch) VALUES (?, ?, ?, ?)",
                        [.text(run), .text(other), .text(steps), SQLiteValue(epoch)])
                }
            }
        }
    }

    /// Whether a reject belongs to the load whose steps begin with the text `steps`, an SQL expression.
    static func isInSteps(_ steps: String) -> String {
        "(\(steps) = '' OR substr(rejects.step, 1, length(\(steps)) + 1) = \(steps) || '/')"
    }

    private static func stepAccounts(_ text: String?) -> [StepAccount] {
        guard case .array(let members) = json(text) else { return [] }
        return members.compactMap(StepAccount.init(ledgerJSON:))
    }

    private static func key(_ checkpoint: Checkpoint, _ job: String, _ sink: String) -> [SQLiteValue] {
        [.text(job), .text(sink), .text(checkpoint.run), SQLiteValue(checkpoint.epoch)]
    }

    public func lastCommitted(job: String, sink: String) async throws -> Checkpoint? {
        let text = try await database.use { connection in
            try connection.first(
                "SELECT checkpoint FROM epochs WHERE job = ? AND sink = ? AND committed = 1 ORDER BY number DESC LIMIT 1",
                [.text(job), .text(sink)]
            ) { $0.text(0) ?? "" }
        }
        guard let text else { return nil }
        guard let checkpoint = Checkpoint(json: Self.json(text)) else {
            throw HeadraceError(
                .malformedInput, "the ledger's checkpoint of job \(job) cannot be read", fields: [("sink", sink)],
                hint: "run with --restart to begin afresh")
        }
        return checkpoint
    }
}

extension StepAccount {
    /// The account as the ledger keeps it with an epoch.
    fileprivate var ledgerJSON: JSONValue {
        let numbers = [ordinal, input, added, output, rejected, filtered, merged].map { JSONValue.integer($0) }
        let written = self.written.map {
            [$0.inserted, $0.updated, $0.unchanged, $0.deleted].map { JSONValue.integer($0) }
        }
        return .object([
            ("step", .string(step)), ("rows", .array(numbers)), ("written", written.map { .array($0) } ?? .null),
            ("nanoseconds", .integer(Int(nanoseconds))),
        ])
    }

    fileprivate init?(ledgerJSON json: JSONValue) {
        func numbers(_ name: String) -> [Int]? {
            guard case .array(let members)? = json[name] else { return nil }
            return members.compactMap { $0.integerValue.map { Int($0) } }
        }
        guard let step = json["step"]?.stringValue, let rows = numbers("rows"), rows.count == 7 else { return nil }
        self.init(
            step: step, ordinal: rows[0], input: rows[1], added: rows[2], output: rows[3], rejected: rows[4],
            filtered: rows[5], merged: rows[6], nanoseconds: Int64(json["nanoseconds"]?.integerValue ?? 0))
        if let counts = numbers("written"), counts.count == 4 {
            written = WriteCounts(
                inserted: counts[0], updated: counts[1], unchanged: counts[2], deleted: counts[3])
        }
    }
}
