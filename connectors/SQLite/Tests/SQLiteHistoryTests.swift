import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

private let byTime = Workbench.byTime

private struct StandingClock: RunClock {
    let microseconds: Int64
    func now() -> Int64 { microseconds }
    func monotonic() -> Int64 { 0 }
    func sleep(for duration: Duration) async throws {}
}

@Suite struct SQLiteHistoryTests {
    let bench: Workbench
    var sink: SQLiteSink { get throws { try bench.makePeople() } }

    init() throws { bench = try Workbench() }

    @Test(
        "A history comes to what one row after another comes to, whatever the batches and wherever it is interrupted",
        arguments: 0..<40)
    func property(seed: Int) async throws { try await bench.checkHistory(seed: seed) }

    @Test(
        "2,000 rows of one key in a batch cost about what as many keys do, whatever their times",
        arguments: Workbench.repeatedTimes)
    func repetitions(times: String) async throws {
        try await bench.checkRepetitions(times) { try await ContinuousClock().measure($0) }
    }

    @Test("A row is dated by its run where nothing else dates it, fractions of seconds and a clock gone back included")
    func datedByRun() async throws {
        let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])
        func load(_ name: String, at microseconds: Int64) async throws -> WriteCounts {
            var context = RunContext.testing()
            context.clock = StandingClock(microseconds: microseconds)
            let rows = try RecordBatch.of(people, [[.integer(1), .utf8(name)]])
            return try await sink.load(
                [rows], schema: people, mode: .history(on: ["id"], HistoryColumns()), in: context
            ).counts
        }
        #expect(try await load("Ann", at: 0) == WriteCounts(inserted: 1))
        #expect(try await load("Bob", at: 500_000) == WriteCounts(inserted: 1))
        #expect(try await load("Bob", at: 900_000) == WriteCounts(unchanged: 1))
        #expect(try await load("Rob", at: 1_000_000) == WriteCounts(inserted: 1))
        // A clock that has gone back makes no late row, and changes no version that is there.
        #expect(try await load("Bert", at: 700_000) == WriteCounts(inserted: 1))
        #expect(try await load("Bert", at: 800_000) == WriteCounts(unchanged: 1))
        #expect(
            try bench.sqlite("SELECT name, valid_from, valid_to, is_current FROM people ORDER BY rowid", mode: "-list")
                == [
                    "Ann|1970-01-01T00:00:00Z|1970-01-01T00:00:00.500Z|0",
                    "Bob|1970-01-01T00:00:00.500Z|1970-01-01T00:00:01Z|0",
                    "Rob|1970-01-01T00:00:01Z|1970-01-01T00:00:01.000001Z|0",
                    "Bert|1970-01-01T00:00:01.000001Z||1",
                ])
    }

    @Test("Bounds that are days begin the day after the newest version where a clock has gone back", arguments: [0, 2])
    func days(later: Int64) async throws {
        try bench.sqlite(
            """
            CREATE TABLE people (id BIGINT, name TEXT, valid_from DATE, valid_to DATE, is_current BOOLEAN);
            INSERT INTO people VALUES (1, 'Ann', '1970-01-02', NULL, 1)
            """)
        let people = Schema([Field("id", .int64), Field("name", .utf8)])
        var context = RunContext.testing()
        context.clock = StandingClock(microseconds: later * 86_400_000_000)
        let result = try await sink.load(
            [try .of(people, [[.integer(1), .utf8("Bob")]])], schema: people,
            mode: .history(on: ["id"], HistoryColumns()), in: context)
        #expect(result.counts == WriteCounts(inserted: 1))
        #expect(
            try bench.sqlite("SELECT name, valid_from, valid_to, is_current FROM people ORDER BY rowid", mode: "-list")
                == ["Ann|1970-01-02|1970-01-03|0", "Bob|1970-01-03||1"])
    }

    @Test("A table whose open versions have an end is refused before any row moves")
    func farEnds() async throws {
        try bench.makeHistory([.init(key: 1, value: 1, from: 1, until: 99_991_231, isCurrent: true)])
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.openWriter(for: Workbench.datedSchema, mode: byTime, in: .testing())
        }
        #expect(error?.code == .schemaMismatch && error?.message.contains("valid_to") == true)
    }

    @Test("A row that a constraint refuses changes nothing, and a partial unique index is kept at every moment")
    func constraints() async throws {
        try bench.sqlite(
            """
            CREATE TABLE people (id BIGINT, value BIGINT CHECK (value < 3), valid_from BIGINT, valid_to BIGINT, is_current BOOLEAN);
            CREATE UNIQUE INDEX one ON people (id) WHERE is_current
            """)
        let changes = [
            HistoryModel.Change(key: 1, time: 5, value: 1), .init(key: 1, time: 9, value: 2),
            .init(key: 1, time: 7, value: 0), .init(key: 1, time: 8, value: 9), .init(key: 1, time: 9, value: 9),
        ]
        var model = HistoryModel()
        let counts = model.apply(Array(changes.dropLast(2)))
        let result = try await sink.load([try Workbench.batch(changes)], schema: Workbench.datedSchema, mode: byTime)
        #expect(result.counts == counts && result.rejects.map(\.code) == ["check", "check"])
        try await bench.expectVersions(model, "after the load")
    }

    @Test(
        "A table that cannot keep versions is refused before any row moves",
        arguments: [
            (
                "id INTEGER PRIMARY KEY, value BIGINT, valid_from BIGINT, valid_to BIGINT, is_current BOOLEAN",
                "one row of each id"
            ),
            (
                "id BIGINT UNIQUE, value BIGINT, valid_from BIGINT, valid_to BIGINT, is_current BOOLEAN",
                "one row of each id"
            ),
            ("id BIGINT, value BIGINT, valid_from BIGINT, valid_to BIGINT", "is_current"),
            ("id BIGINT, value BIGINT, valid_from BIGINT, valid_to DATE, is_current BOOLEAN", "of one type"),
        ])
    func refused(columns: String, words: String) async throws {
        try bench.sqlite("CREATE TABLE people (\(columns))")
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.openWriter(for: Workbench.datedSchema, mode: byTime, in: .testing())
        }
        #expect(
            error?.code == .schemaMismatch && error?.message.contains(words) == true, "\(String(describing: error))")
    }
}
