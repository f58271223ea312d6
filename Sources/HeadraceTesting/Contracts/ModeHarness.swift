package import HeadraceColumnar
package import HeadraceCore

/// Loads of random rows by a mode whose outcome a simple model knows, through writers that die now and then.
///
/// The target is a table `people` that is not there at first.
package protocol ModeHarness: Sendable {
    /// The sink under test.
    associatedtype Subject: HistorySink & MirroringSink
    /// A sink into `people`, as each run makes it.
    func makePeople() throws -> Subject
    /// Runs SQL in the database's own client.
    func run(_ sql: String) throws
    /// The rows of `people` as the client prints them: texts, nil for null, booleans as `true` and `false`.
    func people(_ columns: [String]) throws -> [[String?]]
    /// Tables of Headrace's own that stand now, its state apart.
    func stages() throws -> [String]
}

extension ModeHarness {
    private var trial: ModeTrial<Subject> {
        ModeTrial(
            expect: Expectations(promise: "The table is what a model says"), makeSink: makePeople, rows: people,
            leftovers: stages)
    }

    /// The fields of the rows: a key, a value, and the time since when it holds.
    package static var datedSchema: Schema { ModeTrial<Subject>.datedSchema }

    /// The mode of the rows.
    package static var byTime: SinkMode { ModeTrial<Subject>.byTime }

    /// A batch of changes.
    package static func batch(_ changes: [HistoryModel.Change]) throws -> RecordBatch {
        try ModeTrial<Subject>.batch(changes)
    }

    /// Makes `people` and fills it.
    package func makeHistory(_ versions: [HistoryModel.Version]) throws {
        try run(
            "CREATE TABLE people (id bigint, value bigint, valid_from bigint, valid_to bigint, is_current boolean NOT NULL)"
        )
        for version in versions {
            let until = version.until.map(String.init) ?? "NULL"
            try run(
                "INSERT INTO people VALUES (\(version.key), \(version.value), \(version.from), \(until), \(version.isCurrent))"
            )
        }
    }

    /// Fails unless `people` holds the model's versions.
    package func expectVersions(_ model: HistoryModel, _ when: String) async throws {
        try await trial.expectVersions(model, when)
    }

    /// Changes of few keys in batches, an epoch each, every one compared: rows and counts; into a table that is there where
    /// the seed is even.
    package func checkHistory(seed: Int) async throws {
        guard seed % 2 == 0 else { return try await trial.history(seed: seed) }
        let before = HistoryModel.table(seed: UInt64(seed))
        try makeHistory(before)
        try await trial.history(seed: seed, from: HistoryModel(before))
    }

    /// The orders in which `checkRepetitions` dates the rows of a key.
    package static var repeatedTimes: [String] { ["rising", "falling", "alike", "anyhow"] }

    /// A batch of 2,000 rows of one key, dated in an order, against one of as many keys: rows, counts, and that it does not
    /// take many times as long.
    /// - Parameter time: says how long work takes.
    package func checkRepetitions(
        _ order: String, time: (() async throws -> Void) async throws -> Duration
    ) async throws {
        let expect = Expectations(promise: "Many rows of one key cost what many keys do")
        func load(_ key: (Int) -> Int) async throws -> Duration {
            let changes = (0..<2000).map { row in
                let since =
                    switch order {
                    case "rising": row
                    case "falling": 2000 - row
                    case "alike": 7
                    default: row * 7919 % 2003
                    }
                return HistoryModel.Change(key: key(row), time: since, value: row % 3)
            }
            var model = HistoryModel()
            let counts = model.apply(changes)
            for table in ["people", "_headrace_state"] { try run("DROP TABLE IF EXISTS \(table)") }
            var found = WriteCounts()
            let taken = try await time {
                found = try await makePeople().load(
                    [try Self.batch(changes)], schema: Self.datedSchema, mode: Self.byTime
                ).counts
            }
            try expect.equal("the account of rows \(order)", found, counts)
            try await expectVersions(model, order)
            return taken
        }
        let many = try await load { $0 }
        let one = try await load { _ in 1 }
        try expect.equal("that one key takes less than 20 times as long: \(one), \(many)", one < many * 20, true)
    }

    /// Three loads of random rows, each in epochs, every one compared: rows, counts and what is left behind.
    ///
    /// - Parameter table: makes `people` with `id` and `name`; nil leaves that to the load.
    package func checkMirror(
        seed: Int,
        table: String? =
            "CREATE TABLE people (name varchar(20), id bigint PRIMARY KEY, note varchar(20) DEFAULT 'kept')"
    ) async throws {
        if let table { try run(table) }
        // A column that the rows do not have keeps what the table puts there.
        try await trial.mirror(seed: seed, kept: table?.contains("DEFAULT 'kept'") == true ? ("note", "kept") : nil)
    }
}
