import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

private let schema = Schema([
    Field("id", .int64, nullable: false), Field("value", .int64), Field("at", .int64, nullable: false),
])
private let byTime = SinkMode.history(on: ["id"], HistoryColumns(effective: "at"))

private func batch(_ changes: [HistoryModel.Change]) throws -> RecordBatch {
    try .of(
        schema, changes.map { [.integer(Int128($0.key)), .integer(Int128($0.value)), .integer(Int128($0.time))] })
}

private struct StandingClock: RunClock {
    let microseconds: Int64
    func now() -> Int64 { microseconds }
    func monotonic() -> Int64 { 0 }
    func sleep(for duration: Duration) async throws {}
}

@Suite struct SQLiteHistoryTests {
    let bench: Workbench
    var sink: SQLiteSink { SQLiteSink(path: bench.path, table: "t") }

    init() throws { bench = try Workbench() }

    private func versions() throws -> [String] {
        try bench.sqlite("SELECT id, value, valid_from, valid_to, is_current FROM t ORDER BY id, valid_from")
    }

    private func lines(_ model: HistoryModel) -> [String] {
        model.versions.sorted { ($0.key, $0.from) < ($1.key, $1.from) }.map { version in
            let until = version.until.map(String.init) ?? "NULL"
            return "\(version.key),\(version.value),\(version.from),\(until),\(version.isCurrent ? 1 : 0)"
        }
    }

    private func fill(_ versions: [HistoryModel.Version]) throws {
        try bench.sqlite(
            "CREATE TABLE t (id BIGINT, value BIGINT, valid_from BIGINT, valid_to BIGINT, is_current BOOLEAN)")
        for version in versions {
            try bench.sqlite(
                "INSERT INTO t VALUES (\(version.key), \(version.value), \(version.from), \(version.until.map(String.init) ?? "NULL"), \(version.isCurrent ? 1 : 0))"
            )
        }
    }

    @Test(
        "A history comes to what one row after another comes to, whatever the batches and wherever it is interrupted",
        arguments: 0..<40)
    func property(seed: Int) async throws {
        let random = RunRandom(seed: UInt64(seed) + 77)
        var model = HistoryModel()
        if seed % 2 == 0 {
            let before = HistoryModel.table(seed: UInt64(seed))
            try fill(before)
            model = HistoryModel(before)
        }
        for changes in HistoryModel.batches(seed: UInt64(seed), count: 8) {
            if random.below(4) == 0 {
                let dying = try await sink.openWriter(for: schema, mode: byTime, in: .testing())
                _ = try await dying.write(try dying.encode(.testing(try batch(changes))))
                await dying.abort()
            }
            let result = try await sink.load([try batch(changes)], schema: schema, mode: byTime)
            #expect(result.counts == model.apply(changes) && result.rejects.isEmpty, "batch \(changes)")
            #expect(try versions() == lines(model), "batch \(changes)")
        }
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
        #expect(try await load("Bert", at: 700_000) == WriteCounts(updated: 1))
        #expect(
            try bench.sqlite("SELECT name, valid_from, valid_to, is_current FROM t ORDER BY rowid", mode: "-list") == [
                "Ann|1970-01-01T00:00:00Z|1970-01-01T00:00:00.500Z|0",
                "Bob|1970-01-01T00:00:00.500Z|1970-01-01T00:00:01Z|0",
                "Bert|1970-01-01T00:00:01Z||1",
            ])
    }

    @Test("A row that a constraint refuses changes nothing, and a partial unique index is kept at every moment")
    func constraints() async throws {
        try fill([])
        try bench.sqlite("DROP TABLE t")
        try bench.sqlite(
            """
            CREATE TABLE t (id BIGINT, value BIGINT CHECK (value < 3), valid_from BIGINT, valid_to BIGINT, is_current BOOLEAN);
            CREATE UNIQUE INDEX one ON t (id) WHERE is_current
            """)
        let changes = [
            HistoryModel.Change(key: 1, time: 5, value: 1), .init(key: 1, time: 9, value: 2),
            .init(key: 1, time: 7, value: 0), .init(key: 1, time: 8, value: 9), .init(key: 1, time: 9, value: 9),
        ]
        var model = HistoryModel()
        let counts = model.apply(Array(changes.dropLast(2)))
        let result = try await sink.load([try batch(changes)], schema: schema, mode: byTime)
        #expect(result.counts == counts && result.rejects.map(\.code) == ["check", "check"])
        #expect(try versions() == lines(model))
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
        try bench.sqlite("CREATE TABLE t (\(columns))")
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.openWriter(for: schema, mode: byTime, in: .testing())
        }
        #expect(
            error?.code == .schemaMismatch && error?.message.contains(words) == true, "\(String(describing: error))")
    }
}
