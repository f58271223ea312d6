import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

private let byTime = Bench.byTime

/// One case at a time: each keeps the server busy.
@Suite(.serialized) struct MySQLHistoryTests {
    let bench: Bench
    var sink: MySQLSink { get throws { try bench.makePeople() } }

    init() throws { bench = try Bench() }

    private func load(_ changes: [HistoryModel.Change]) async throws -> (counts: WriteCounts, rejects: [Reject]) {
        try await sink.load([try Bench.batch(changes)], schema: Bench.datedSchema, mode: byTime)
    }

    @Test(
        "A history comes to what one row after another comes to, whatever the batches and wherever it is interrupted",
        arguments: 0..<30)
    func property(seed: Int) async throws { try await bench.checkHistory(seed: seed) }

    @Test("Rows of one key in one batch are versions, in the order of the source")
    func manyOfOneKey() async throws {
        let changes = (0..<50).map { HistoryModel.Change(key: 1, time: $0, value: $0 / 2) }
        var model = HistoryModel()
        let counts = model.apply(changes)
        #expect(try await load(changes).counts == counts)
        #expect(counts.inserted == 25)
        try await bench.expectVersions(model, "of one key")
    }

    @Test(
        "2,000 rows of one key in a batch cost about what as many keys do, whatever their times",
        arguments: Bench.repeatedTimes)
    func repetitions(times: String) async throws {
        try await bench.checkRepetitions(times) { try await ContinuousClock().measure($0) }
    }

    @Test("Values that differ behind their first thousands of bytes, or in case, are versions of their own")
    func longValues() async throws {
        let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])
        let long = String(repeating: "x", count: 90_000)
        for (seconds, name) in [(1, long + "a"), (2, long + "b"), (3, long + "b"), (4, long + "B"), (5, nil)] {
            var context = RunContext.testing()
            context.clock = StandingClock(microseconds: Int64(seconds) * 1_000_000)
            let rows = try RecordBatch.of(people, [[.integer(1), name.map { .utf8($0) } ?? .null]])
            let result = try await sink.load(
                [rows], schema: people, mode: .history(on: ["id"], HistoryColumns()), in: context)
            #expect(result.counts == (seconds == 3 ? WriteCounts(unchanged: 1) : WriteCounts(inserted: 1)))
        }
        #expect(
            try bench.mariadb("SELECT RIGHT(name, 1), is_current FROM people ORDER BY valid_from") == [
                "a\t0", "b\t0", "B\t0", "NULL\t1",
            ])
    }

    @Test("The table is made with its key, and a row is dated by its run where nothing else dates it")
    func datedByRun() async throws {
        let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])
        func load(_ names: [String], at seconds: Int64) async throws -> WriteCounts {
            let rows = try RecordBatch.of(people, names.enumerated().map { [.integer(Int128($0)), .utf8($1)] })
            var context = RunContext.testing()
            context.clock = StandingClock(microseconds: seconds * 1_000_000 + 5)
            let mode = SinkMode.history(on: ["id"], HistoryColumns())
            return try await sink.load([rows], schema: people, mode: mode, in: context).counts
        }
        #expect(try await load(["Ann", "Bob"], at: 0) == WriteCounts(inserted: 2))
        #expect(try await load(["Ann", "Rob"], at: 86_400) == WriteCounts(inserted: 1, unchanged: 1))
        // A clock that has gone back makes no late row, and changes no version that is there.
        #expect(try await load(["Ann", "Bert"], at: 3600) == WriteCounts(inserted: 1, unchanged: 1))
        #expect(
            try bench.mariadb("SELECT id, name, valid_from, valid_to, is_current FROM people ORDER BY 1, 3") == [
                "0\tAnn\t1970-01-01 00:00:00.000005\tNULL\t1",
                "1\tBob\t1970-01-01 00:00:00.000005\t1970-01-02 00:00:00.000005\t0",
                "1\tRob\t1970-01-02 00:00:00.000005\t1970-01-02 00:00:00.000006\t0",
                "1\tBert\t1970-01-02 00:00:00.000006\tNULL\t1",
            ])
        let made = try bench.mariadb("SHOW CREATE TABLE people").joined()
        #expect(made.contains("PRIMARY KEY (`id`,`valid_from`)") && made.contains("headrace: zone UTC"))
    }

    @Test(
        "Bounds of other types take the run's time as far as they hold it",
        arguments: ["DATE", "DATETIME", "TIMESTAMP"])
    func coarseBounds(type: String) async throws {
        try bench.mariadb(
            "CREATE TABLE people (id BIGINT, name TEXT, valid_from \(type) NOT NULL, valid_to \(type) NULL, is_current BOOLEAN)"
        )
        let people = Schema([Field("id", .int64), Field("name", .utf8)])
        var context = RunContext.testing()
        context.clock = StandingClock(microseconds: 1_767_571_200_999_999)
        try await sink.load(
            [try .of(people, [[.integer(1), .utf8("a")]])], schema: people,
            mode: .history(on: ["id"], HistoryColumns()), in: context)
        let found = try bench.mariadb("SET time_zone = '+00:00'; SELECT valid_from FROM people")
        #expect(found == [type == "DATE" ? "2026-01-05" : "2026-01-05 00:00:00"])
    }

    @Test("A row that a check refuses is a reject, and the history goes on without it")
    func constraints() async throws {
        try bench.makeHistory([])
        try bench.mariadb("ALTER TABLE people ADD CHECK (value < 3)")
        let changes = [
            HistoryModel.Change(key: 1, time: 5, value: 1), .init(key: 1, time: 9, value: 2),
            .init(key: 1, time: 7, value: 0), .init(key: 2, time: 1, value: 1), .init(key: 1, time: 8, value: 9),
        ]
        var model = HistoryModel()
        let counts = model.apply(Array(changes.dropLast()))
        let result = try await load(changes)
        #expect(result.counts == counts && result.rejects.map(\.code) == ["check"])
        try await bench.expectVersions(model, "with a check")
    }

    @Test("A row without a time or a key is a reject; other columns of the table are left alone")
    func undated() async throws {
        try bench.mariadb(
            """
            CREATE TABLE people (number INT AUTO_INCREMENT PRIMARY KEY, id BIGINT, value BIGINT, valid_from BIGINT,
              valid_to BIGINT, is_current BOOLEAN, note VARCHAR(9) DEFAULT 'new')
            """)
        let loose = Schema([Field("id", .int64), Field("value", .int64), Field("at", .int64)])
        let rows = try RecordBatch.of(
            loose,
            [[.integer(1), .integer(1), .null], [.integer(1), .null, .integer(4)], [.null, .null, .integer(4)]])
        let result = try await sink.load([rows], schema: loose, mode: byTime)
        #expect(result.counts == WriteCounts(inserted: 1))
        #expect(result.rejects.map(\.field) == ["at", "id"])
        #expect(try bench.mariadb("SELECT number, id, value, valid_from, note FROM people") == ["1\t1\tNULL\t4\tnew"])
    }

    @Test(
        "A table that cannot keep versions is refused before any row moves",
        arguments: [
            (
                "id BIGINT PRIMARY KEY, value BIGINT, valid_from BIGINT, valid_to BIGINT, is_current BOOLEAN",
                "one row of each id"
            ),
            ("id BIGINT, value BIGINT, valid_from BIGINT, valid_to BIGINT", "is_current"),
            ("id BIGINT, value BIGINT, valid_from BIGINT, valid_to DATE, is_current BOOLEAN", "of one type"),
            ("id BIGINT, value BIGINT, valid_from TEXT, valid_to TEXT, is_current BOOLEAN", "of one type"),
            ("id BIGINT, value BIGINT, valid_from BIGINT, valid_to BIGINT, is_current INT", "a boolean"),
        ])
    func refused(columns: String, words: String) async throws {
        try bench.mariadb("CREATE TABLE people (\(columns))")
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.openWriter(for: Bench.datedSchema, mode: byTime, in: .testing())
        }
        #expect(
            error?.code == .schemaMismatch && error?.message.contains(words) == true, "\(String(describing: error))")
    }

    @Test("A table whose open versions have an end is refused before any row moves")
    func farEnds() async throws {
        try bench.makeHistory([.init(key: 1, value: 1, from: 1, until: 99_991_231, isCurrent: true)])
        let error = await #expect(throws: HeadraceError.self) { _ = try await load([.init(key: 1, time: 5, value: 2)]) }
        #expect(error?.code == .schemaMismatch && error?.message.contains("valid_to") == true)
        #expect(try bench.mariadb("SELECT COUNT(*) FROM people") == ["1"])
    }

    @Test("A column whose name is ours is refused in the plan")
    func takenNames() async throws {
        let taken = Schema([Field("id", .int64), Field("_HEADRACE_row", .utf8)])
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.plan(for: taken, mode: .history(on: ["id"], HistoryColumns()), in: .testing())
        }
        #expect(error?.code == .schemaMismatch && error?.message.contains("_HEADRACE_row") == true)
    }

    @Test("Two writers of one key's history at once do not both open a version")
    func concurrent() async throws {
        try bench.makeHistory([])
        try bench.mariadb("CREATE UNIQUE INDEX k ON people (id, valid_from)")
        var configuration = try bench.configuration
        configuration.lockTimeout = .seconds(2)
        let other = MySQLSink(configuration: configuration, table: "people")
        let first = try await sink.openWriter(for: Bench.datedSchema, mode: byTime, in: .testing())
        _ = try await first.write(try first.encode(.testing(try Bench.batch([.init(key: 1, time: 5, value: 1)]))))
        let error = await #expect(throws: HeadraceError.self) {
            try await other.load(
                [try Bench.batch([.init(key: 1, time: 7, value: 2)])], schema: Bench.datedSchema, mode: byTime,
                in: .testing(job: "other"))
        }
        #expect(error?.retry == .mayHelp)
        _ = try await first.settle()
        try await first.commit(.testing())
        #expect(try bench.mariadb("SELECT value FROM people") == ["1"])
    }

    @Test("The plan shows the table and the statements, and changes nothing")
    func plans() async throws {
        let lines = try await sink.plan(for: Bench.datedSchema, mode: byTime, in: .testing())
        #expect(
            lines[0].hasPrefix(
                "CREATE TABLE `people` (`id` BIGINT NOT NULL, `value` BIGINT NULL, `valid_from` BIGINT NOT NULL"))
        #expect(lines.contains { $0.hasPrefix("INSERT INTO `people`") })
        #expect(try bench.tables() == [])
    }
}

/// A clock that stands where it is put.
private struct StandingClock: RunClock {
    let microseconds: Int64
    func now() -> Int64 { microseconds }
    func monotonic() -> Int64 { 0 }
    func sleep(for duration: Duration) async throws {}
}
