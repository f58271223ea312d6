import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

private let schema = Bench.datedSchema
private let byTime = Bench.byTime

private func batch(_ changes: [HistoryModel.Change]) throws -> RecordBatch { try Bench.batch(changes) }

/// A clock that stands where it is put.
private struct StandingClock: RunClock {
    let seconds: Int64
    func now() -> Int64 { seconds * 1_000_000 }
    func monotonic() -> Int64 { 0 }
    func sleep(for duration: Duration) async throws {}
}

@Suite struct PostgreSQLHistoryTests {
    let bench: Bench
    var sink: PostgreSQLSink { get throws { PostgreSQLSink(try bench.configuration, table: "people") } }

    init() throws { bench = try Bench() }

    @Test(
        "A history comes to what one row after another comes to, whatever the batches and wherever it is interrupted",
        arguments: 0..<40)
    func property(seed: Int) async throws { try await bench.checkHistory(seed: seed) }

    @Test("The table is made with its key, and a row is dated by its run where nothing else dates it")
    func datedByRun() async throws {
        let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])
        func rows(_ names: [String]) throws -> RecordBatch {
            try .of(people, names.enumerated().map { [.integer(Int128($0)), .utf8($1)] })
        }
        let mode = SinkMode.history(on: ["id"], HistoryColumns())
        func load(_ names: [String], at seconds: Int64) async throws -> WriteCounts {
            var context = RunContext.testing()
            context.clock = StandingClock(seconds: seconds)
            return try await sink.load([try rows(names)], schema: people, mode: mode, in: context).counts
        }
        #expect(try await load(["Ann", "Bob"], at: 0) == WriteCounts(inserted: 2))
        #expect(try await load(["Ann", "Rob"], at: 86_400) == WriteCounts(inserted: 1, unchanged: 1))
        // A clock that has gone back makes no late row, and changes no version that is there.
        #expect(try await load(["Ann", "Bert"], at: 3600) == WriteCounts(inserted: 1, unchanged: 1))
        let found = try bench.psql(
            """
            SELECT id, name, valid_from AT TIME ZONE 'UTC', valid_to AT TIME ZONE 'UTC', is_current FROM people ORDER BY 1, 3
            """)
        #expect(
            found == [
                "0|Ann|1970-01-01 00:00:00|␀|t", "1|Bob|1970-01-01 00:00:00|1970-01-02 00:00:00|f",
                "1|Rob|1970-01-02 00:00:00|1970-01-02 00:00:00.000001|f", "1|Bert|1970-01-02 00:00:00.000001|␀|t",
            ])
        #expect(
            try bench.psql(
                "SELECT a.attname FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(n, place), pg_attribute a WHERE indrelid = 'people'::regclass AND a.attrelid = indrelid AND a.attnum = k.n ORDER BY place"
            ) == ["id", "valid_from"])
    }

    @Test("Rows of one key in one batch are versions, in the order of the source")
    func manyOfOneKey() async throws {
        let changes = (0..<50).map { HistoryModel.Change(key: 1, time: $0, value: $0 / 2) }
        var model = HistoryModel()
        let counts = model.apply(changes)
        #expect(try await sink.load([try batch(changes)], schema: schema, mode: byTime).counts == counts)
        #expect(counts.inserted == 25)
        try await bench.expectVersions(model, "of one key")
    }

    @Test(
        "2,000 rows of one key in a batch cost about what as many keys do, whatever their times",
        arguments: Bench.repeatedTimes)
    func repetitions(times: String) async throws {
        try await bench.checkRepetitions(times) { try await ContinuousClock().measure($0) }
    }

    @Test(
        "A table whose open versions have an end is refused before any row moves",
        arguments: ["9999-12-31", "infinity"])
    func farEnds(end: String) async throws {
        try bench.psql(
            """
            CREATE TABLE people (id bigint, value bigint, valid_from timestamptz, valid_to timestamptz, is_current boolean);
            INSERT INTO people VALUES (1, 1, '2020-01-01', '\(end)', true)
            """)
        let plain = Schema([Field("id", .int64), Field("value", .int64)])
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.openWriter(
                for: plain, mode: .history(on: ["id"], HistoryColumns()), in: .testing())
        }
        #expect(error?.code == .schemaMismatch && error?.message.contains("valid_to") == true)
        #expect(error?.hint?.contains("to NULL") == true)
    }

    @Test("A version that a trigger keeps out is a reject, and the others arrive")
    func triggers() async throws {
        try bench.makeHistory([.init(key: 1, value: 1, from: 1, until: nil, isCurrent: true)])
        try bench.psql(
            """
            CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.value = 2 THEN RETURN NULL; END IF; RETURN NEW; END';
            CREATE TRIGGER keep BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION keep()
            """)
        let changes = [
            HistoryModel.Change(key: 1, time: 5, value: 2), .init(key: 2, time: 5, value: 1),
            .init(key: 1, time: 7, value: 0),
        ]
        let result = try await sink.load([try batch(changes)], schema: schema, mode: byTime)
        #expect(result.counts == WriteCounts(inserted: 2) && result.rejects.map(\.code) == ["trigger"])
        #expect(
            try bench.psql("SELECT id, value, valid_from, valid_to FROM people ORDER BY 1, 3") == [
                "1|1|1|7", "1|0|7|␀", "2|1|5|␀",
            ])
    }

    @Test("A partial unique index for the open version and a rule against overlaps are kept at every moment")
    func constraints() async throws {
        try bench.makeHistory([])
        try bench.psql(
            """
            CREATE UNIQUE INDEX ON people (id) WHERE is_current;
            ALTER TABLE people ADD CHECK (value < 3), ADD EXCLUDE USING gist (
                int8range(id, id, '[]') WITH &&, int8range(valid_from, valid_to) WITH &&)
            """)
        let changes = [
            HistoryModel.Change(key: 1, time: 5, value: 1), .init(key: 1, time: 9, value: 2),
            .init(key: 1, time: 7, value: 0), .init(key: 2, time: 1, value: 1), .init(key: 1, time: 8, value: 9),
        ]
        var model = HistoryModel()
        let counts = model.apply(Array(changes.dropLast()))
        let result = try await sink.load([try batch(changes)], schema: schema, mode: byTime)
        #expect(result.counts == counts && result.rejects.map(\.code) == ["check"])
        try await bench.expectVersions(model, "under constraints")
        let later = [HistoryModel.Change(key: 1, time: 12, value: 0), .init(key: 2, time: 0, value: 2)]
        let more = model.apply(later)
        #expect(try await sink.load([try batch(later)], schema: schema, mode: byTime).counts == more)
        try await bench.expectVersions(model, "under constraints")
    }

    @Test("A row without a time is a reject; other columns of the table are left alone")
    func undated() async throws {
        try bench.psql(
            """
            CREATE TABLE people (number serial, id bigint, value bigint, valid_from bigint, valid_to bigint,
                is_current boolean, note text DEFAULT 'new')
            """)
        let loose = Schema([Field("id", .int64), Field("value", .int64), Field("at", .int64)])
        let rows = try RecordBatch.of(
            loose,
            [[.integer(1), .integer(1), .null], [.integer(1), .null, .integer(4)], [.null, .null, .integer(4)]])
        let result = try await sink.load([rows], schema: loose, mode: byTime)
        #expect(result.counts == WriteCounts(inserted: 1))
        #expect(result.rejects.map(\.field) == ["at", "id"])
        #expect(try bench.psql("SELECT number, id, value, valid_from, note FROM people") == ["1|1|␀|4|new"])
    }

    @Test(
        "A table that cannot keep versions is refused before any row moves",
        arguments: [
            (
                "id bigint PRIMARY KEY, value bigint, valid_from bigint, valid_to bigint, is_current boolean",
                "one row of each id"
            ),
            ("id bigint, value bigint, valid_from bigint, valid_to bigint", "is_current"),
            ("id bigint, value bigint, valid_from bigint, valid_to date, is_current boolean", "of one type"),
            ("id bigint, value bigint, valid_from text, valid_to text, is_current boolean", "of one type"),
            ("id bigint, value bigint, valid_from bigint, valid_to bigint, is_current integer", "a boolean"),
        ])
    func refused(columns: String, words: String) async throws {
        try bench.psql("CREATE TABLE people (\(columns))")
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.openWriter(for: schema, mode: byTime, in: .testing())
        }
        #expect(
            error?.code == .schemaMismatch && error?.message.contains(words) == true, "\(String(describing: error))")
    }

    @Test("The plan shows the table and the statement, and changes nothing")
    func plans() async throws {
        let lines = try await sink.plan(for: schema, mode: byTime, in: .testing())
        #expect(
            lines[0]
                == #"CREATE TABLE "people" ("id" bigint NOT NULL, "value" bigint, "valid_from" bigint NOT NULL, "valid_to" bigint, "is_current" boolean NOT NULL, PRIMARY KEY ("id", "valid_from"))"#
        )
        #expect(lines[1] == #"LOCK TABLE "people" IN SHARE ROW EXCLUSIVE MODE"#)
        #expect(lines[3].hasPrefix("WITH _headrace_rows AS") && lines[4].hasPrefix("WITH _headrace_changes AS"))
        #expect(try bench.psql("SELECT to_regclass('people')") == ["␀"])
    }
}
