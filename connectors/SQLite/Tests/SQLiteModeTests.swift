import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

private let people = Schema([Field("id", .int64), Field("name", .utf8)])
private let mirror = SinkMode.mirror(on: ["id"])

private func rows(_ pairs: [(Int?, String)]) throws -> RecordBatch {
    try .of(people, pairs.map { [$0.map { .integer(Int128($0)) } ?? .null, .utf8($1)] })
}

@Suite struct SQLiteModeTests {
    let bench: Workbench
    var sink: SQLiteSink { SQLiteSink(path: bench.path, table: "t") }

    init() throws { bench = try Workbench() }

    private func table() throws -> [String] { try bench.sqlite("SELECT id, name FROM t ORDER BY 1, 2", mode: "-list") }

    @Test("An insert leaves rows that are there, and of rows of one key the first stands")
    func inserts() async throws {
        try bench.sqlite(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT CHECK (name <> 'bad')); INSERT INTO t VALUES (1, 'old')")
        let batch = try rows([(1, "new"), (2, "first"), (2, "second"), (3, "bad"), (nil, "x"), (3, "good")])
        let result = try await sink.load([batch, batch], schema: people, mode: .insert(on: ["id"]))
        #expect(result.counts == WriteCounts(inserted: 2, unchanged: 6))
        #expect(result.rejects.map(\.code).sorted() == ["check", "check", "missing", "missing"])
        #expect(try table() == ["1|old", "2|first", "3|good"])
    }

    @Test(
        "A mirror comes to the rows of the source and no others, whatever the table, the epochs and the interruptions",
        arguments: 0..<40)
    func mirrors(seed: Int) async throws {
        let tables = [
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)",
            "CREATE TABLE people (name TEXT, id BIGINT UNIQUE, note TEXT DEFAULT 'kept')",
            "CREATE TABLE people (id BIGINT PRIMARY KEY, name TEXT) WITHOUT ROWID", nil,
        ]
        try await bench.checkMirror(seed: seed, table: tables[seed % tables.count])
    }

    @Test("A row that the sink refuses keeps the row of its key, and a key is what the table's collation says")
    func refusedRows() async throws {
        try bench.sqlite(
            "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, name TEXT CHECK (name <> 'bad')); INSERT INTO t VALUES ('a', 'old'), ('b', 'old'), ('c', 'old')"
        )
        let schema = Schema([Field("id", .utf8), Field("name", .utf8)])
        let batch = try RecordBatch.of(
            schema, [[.utf8("A"), .utf8("new")], [.utf8("b"), .utf8("bad")]])
        let writer = try await sink.openWriter(for: schema, mode: mirror, in: .testing())
        #expect(try await writer.write(try writer.encode(.testing(batch))).count == 1)
        #expect(try await writer.deleteAbsent() == 1)
        #expect(try await writer.settle() == WriteCounts(updated: 1, deleted: 1))
        try await writer.commit(.testing())
        #expect(try table() == ["a|new", "b|old"])
    }

    @Test("A row without a key keeps all rows: nobody knows which it was")
    func unknownKeys() async throws {
        try bench.sqlite(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'old'), (2, 'old')")
        let writer = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        #expect(try await writer.write(try writer.encode(.testing(try rows([(1, "old"), (nil, "x")])))).count == 1)
        #expect(try await writer.deleteAbsent() == 0)
        _ = try await writer.settle()
        try await writer.commit(.testing())
        #expect(try table() == ["1|old", "2|old"])
    }

    @Test("A load that begins afresh drops the keys of one that was given up, and that one cannot go on")
    func otherLoads() async throws {
        let first = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        _ = try await first.write(try first.encode(.testing(try rows([(1, "a")]))))
        _ = try await first.settle()
        try await first.commit(.testing(final: false))
        #expect(try bench.stages() == ["_headrace_seen_t"])
        var other = RunContext.testing(run: "run-2")
        other.job = "another job"
        let second = try await sink.openWriter(for: people, mode: mirror, in: other)
        _ = try await second.write(try second.encode(.testing(try rows([(2, "b")]))))
        #expect(try await second.deleteAbsent() == 1)
        _ = try await second.settle()
        try await second.commit(.testing(run: "run-2"))
        #expect(try bench.stages() == [])
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await first.write(try first.encode(.testing(try rows([(3, "c")]))))
        }
        await first.abort()
        #expect(error?.message.contains("are gone") == true)
        #expect(try table() == ["2|b"])
    }

    // MARK: - Other columns

    private let wide = Schema([
        Field("id", .int64), Field("note", .utf8), Field("price", .decimal(precision: 6, scale: 2)),
    ])

    private func wideRow() throws -> RecordBatch {
        try .of(wide, [[.integer(1), .utf8("n"), .decimal(DecimalValue(coefficient: 150, scale: 2))]])
    }

    @Test("Evolve adds the columns that the table lacks, once, and the plan says so")
    func evolves() async throws {
        try bench.sqlite("CREATE TABLE t (ID INTEGER PRIMARY KEY); INSERT INTO t VALUES (7)")
        let sink = SQLiteSink(path: bench.path, table: "t", schemaPolicy: .evolve)
        let lines = try await sink.plan(for: wide, mode: .append, in: .testing())
        #expect(
            lines.prefix(2) == [
                #"ALTER TABLE "t" ADD COLUMN "note" TEXT"#, #"ALTER TABLE "t" ADD COLUMN "price" DECIMAL(6,2)"#,
            ])
        #expect(try bench.sqlite("SELECT count(*) FROM pragma_table_info('t')") == ["1"])
        try await sink.load([try wideRow()], schema: wide, mode: .append)
        try await sink.load([try wideRow()], schema: wide, mode: .upsert(on: ["id"]))
        #expect(try bench.sqlite("SELECT * FROM t ORDER BY 1") == ["1,'n',1.5", "7,NULL,NULL"])
    }

    @Test("A column whose name is ours is refused in the plan")
    func takenNames() async throws {
        let schema = Schema([Field("id", .int64), Field("_headrace_row", .utf8)])
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.plan(for: schema, mode: mirror, in: .testing())
        }
        #expect(error?.code == .schemaMismatch && error?.message.contains("_headrace_row") == true)
    }

    @Test("Freeze leaves columns out and says so; refuse writes nothing")
    func freezesAndRefuses() async throws {
        try bench.sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY, price REAL)")
        let error = await #expect(throws: HeadraceError.self) {
            try await sink.load([try wideRow()], schema: wide, mode: .append)
        }
        #expect(error?.code == .schemaMismatch && error?.message.contains("\"note\"") == true)
        let narrow = Schema([Field("note", .utf8), Field("id", .int64)])
        let log = LogLines()
        var context = RunContext.testing()
        context.log = log.log
        let frozen = SQLiteSink(path: bench.path, table: "t", schemaPolicy: .freeze)
        try await frozen.load(
            [try .of(narrow, [[.utf8("n"), .integer(4)], [.utf8("n"), .integer(4)]])], schema: narrow,
            mode: .insert(on: ["id"]),
            in: context)
        #expect(log.all == ["columns that the table lacks are left out table=t columns=note"])
        #expect(try bench.sqlite("SELECT * FROM t") == ["4,NULL"])
    }
}
