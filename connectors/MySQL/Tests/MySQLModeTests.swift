import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

private let people = Schema([Field("id", .int64), Field("name", .utf8)])

private func rows(_ pairs: [(Int?, String)]) throws -> RecordBatch {
    try .of(people, pairs.map { [$0.map { .integer(Int128($0)) } ?? .null, .utf8($1)] })
}

private let mirror = SinkMode.mirror(on: ["id"])

/// One case at a time: each keeps the server busy.
@Suite(.serialized) struct MySQLModeTests {
    let bench: Bench
    var sink: MySQLSink { get throws { try bench.makePeople() } }

    init() throws { bench = try Bench() }

    private func table() throws -> [String] { try bench.mariadb("SELECT id, name FROM people ORDER BY 1, 2") }

    // MARK: - Insert

    @Test("An insert leaves rows that are there, and of rows of one key the first stands")
    func inserts() async throws {
        try bench.mariadb("CREATE TABLE people (id BIGINT PRIMARY KEY, name VARCHAR(20) CHECK (name <> 'bad'))")
        try bench.mariadb("INSERT INTO people VALUES (1, 'old')")
        let batch = try rows([(1, "new"), (2, "first"), (2, "second"), (3, "bad"), (nil, "x"), (3, "good")])
        let result = try await sink.load([batch, batch], schema: people, mode: .insert(on: ["id"]))
        #expect(result.counts.inserted == 2 && result.counts.updated == 0)
        #expect(result.counts.written + result.rejects.count == 12)
        #expect(result.rejects.map(\.code).filter { $0 == "missing" }.count == 2)
        #expect(try table() == ["1\told", "2\tfirst", "3\tgood"])
    }

    @Test(
        "A key of all columns is enough for an insert, an upsert and a mirror",
        arguments: ["insert", "upsert", "mirror"])
    func onlyKeys(name: String) async throws {
        let keys = ["id", "name"]
        let mode: SinkMode =
            name == "insert" ? .insert(on: keys) : name == "upsert" ? .upsert(on: keys) : .mirror(on: keys)
        try await sink.load([try rows([(1, "a")])], schema: people, mode: mode)
        let result = try await sink.load([try rows([(1, "a"), (1, "b"), (1, "b")])], schema: people, mode: mode)
        #expect(result.counts.written == 3 && result.counts.inserted == 1)
        #expect(try table() == ["1\ta", "1\tb"])
        #expect(try bench.stages().isEmpty)
    }

    // MARK: - Mirror

    @Test(
        "A mirror comes to the rows of the source and no others, whatever the epochs and wherever it is interrupted",
        arguments: 0..<20)
    func property(seed: Int) async throws { try await bench.checkMirror(seed: seed) }

    @Test("A row that the sink refuses keeps the row of its key in the table", arguments: [true, false])
    func refusedRows(byFile: Bool) async throws {
        let bench = byFile ? self.bench : try Bench(try Closed.server.get())
        let sink = try bench.makePeople()
        try bench.mariadb("CREATE TABLE people (id BIGINT PRIMARY KEY, name VARCHAR(5) CHECK (name <> 'bad'))")
        try bench.mariadb("INSERT INTO people SELECT seq, 'old' FROM seq_1_to_5")
        let writer = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        let batch = try rows([(1, "new"), (2, "bad"), (3, "much too long")])
        #expect(try await writer.write(try writer.encode(.testing(batch))).count == 2)
        #expect(try await writer.deleteAbsent() == 2)
        #expect(try await writer.settle() == WriteCounts(updated: 1, deleted: 2))
        try await writer.commit(.testing())
        #expect(try bench.mariadb("SELECT id, name FROM people ORDER BY 1") == ["1\tnew", "2\told", "3\told"])
        #expect(try bench.stages().isEmpty)
    }

    @Test("Where a row has no key nothing is deleted, in whichever epoch it came; without any key the load fails")
    func unknownKeys() async throws {
        try bench.mariadb("CREATE TABLE people (id BIGINT PRIMARY KEY, name TEXT)")
        try bench.mariadb("INSERT INTO people SELECT seq, 'old' FROM seq_1_to_5")
        let lines = LogLines()
        var context = RunContext.testing(log: lines.log)
        let first = try await sink.openWriter(for: people, mode: mirror, in: context)
        #expect(try await first.write(try first.encode(.testing(try rows([(nil, "x"), (1, "new")])))).count == 1)
        _ = try await first.settle()
        try await first.commit(.testing(final: false))
        await first.abort()
        context.resumed = try await sink.committed(in: context)
        let second = try await sink.openWriter(for: people, mode: mirror, in: context)
        _ = try await second.write(try second.encode(.testing(try rows([(2, "new")]))))
        #expect(try await second.deleteAbsent() == 0)
        #expect(try await second.settle().deleted == 0)
        try await second.commit(.testing(epoch: 2))
        #expect(lines.all.contains { $0.contains("nothing is deleted") })
        #expect(try table() == ["1\tnew", "2\tnew", "3\told", "4\told", "5\told"])

        let none = try await sink.openWriter(for: people, mode: mirror, in: .testing(fence: 2))
        let error = await #expect(throws: HeadraceError.self) { _ = try await none.deleteAbsent() }
        await none.abort()
        #expect(error?.message.contains("would empty") == true)
        #expect(try bench.stages().isEmpty)
    }

    @Test("The keys of a mirror that was given up go with the next load, whatever its mode")
    func givenUp() async throws {
        let first = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        _ = try await first.write(try first.encode(.testing(try rows([(1, "a")]))))
        _ = try await first.settle()
        try await first.commit(.testing(final: false))
        await first.abort()
        #expect(try bench.stages().count == 1)
        try await sink.load([try rows([(2, "b")])], schema: people, mode: .append, in: .testing(job: "other"))
        #expect(try bench.stages().isEmpty)
    }

    @Test("A load that begins afresh drops the keys of one that was given up, and that one cannot go on")
    func foreignKeys() async throws {
        let first = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        _ = try await first.write(try first.encode(.testing(try rows([(1, "a")]))))
        _ = try await first.settle()
        try await first.commit(.testing(final: false))
        #expect(try bench.stages().count == 1)
        let other = RunContext.testing(job: "another job")
        let second = try await sink.openWriter(for: people, mode: mirror, in: other)
        _ = try await second.write(try second.encode(.testing(try rows([(2, "b")]))))
        #expect(try await second.deleteAbsent() == 1)
        _ = try await second.settle()
        try await second.commit(.testing(run: "run-2"))
        #expect(try bench.stages().isEmpty)
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await first.write(try first.encode(.testing(try rows([(3, "c")]))))
        }
        await first.abort()
        #expect(error?.message.contains("are gone") == true)
        #expect(try table() == ["2\tb"])
    }

    @Test("A mirror that dies just after its last commit leaves nothing once the job has looked for its checkpoint")
    func diesAfterLastCommit() async throws {
        let context = RunContext.testing(faults: Faults(failingAt: "mysql.afterCommit"))
        let dying = try await sink.openWriter(for: people, mode: mirror, in: context)
        _ = try await dying.write(try dying.encode(.testing(try rows([(1, "Ann")]))))
        _ = try await dying.settle()
        await #expect(throws: (any Error).self) { try await dying.commit(.testing()) }
        #expect(try bench.stages().count == 1)
        #expect(try await sink.committed(in: .testing(fence: 2))?.isFinal == true)
        #expect(try bench.stages() == [])
        #expect(try bench.mariadb("SELECT COUNT(*) FROM _headrace_mirror") == ["0"])
    }

    @Test("A mirror that never hears that its first epoch is committed goes on with the keys of that epoch")
    func answerLost() async throws {
        try await sink.load([try rows([(1, "a"), (2, "b"), (3, "c")])], schema: people, mode: .append)
        var context = RunContext.testing(job: "mirror", faults: Faults(failingAt: "mysql.afterCommit"))
        let first = try await sink.openWriter(for: people, mode: mirror, in: context)
        _ = try await first.write(try first.encode(.testing(try rows([(1, "x")]))))
        _ = try await first.settle()
        await #expect(throws: (any Error).self) { try await first.commit(.testing(final: false)) }
        await first.abort()
        context = .testing(job: "mirror", fence: 2)
        context.resumed = try await sink.committed(in: context)
        let second = try await sink.openWriter(for: people, mode: mirror, in: context)
        _ = try await second.write(try second.encode(.testing(try rows([(2, "y")]))))
        #expect(try await second.deleteAbsent() == 1)
        _ = try await second.settle()
        try await second.commit(.testing(epoch: 2, run: "run-2"))
        #expect(try table() == ["1\tx", "2\ty"])
        #expect(try bench.stages().isEmpty)
    }

    @Test("A mirror that fails before its first commit leaves no table behind, and no row changed")
    func failsEarly() async throws {
        try bench.mariadb("CREATE TABLE people (id BIGINT PRIMARY KEY, name TEXT); INSERT INTO people VALUES (1, 'a')")
        let writer = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        _ = try await writer.write(try writer.encode(.testing(try rows([(2, "b")]))))
        _ = try await writer.deleteAbsent()
        await writer.abort()
        #expect(try table() == ["1\ta"])
        #expect(try bench.stages().isEmpty)
    }

    @Test("Where other tables refer to absent rows, nothing is committed")
    func referenced() async throws {
        try bench.mariadb(
            """
            CREATE TABLE people (id BIGINT PRIMARY KEY, name TEXT); INSERT INTO people VALUES (1, 'a'), (2, 'b');
            CREATE TABLE other (id BIGINT REFERENCES people (id)); INSERT INTO other VALUES (2)
            """)
        let writer = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        _ = try await writer.write(try writer.encode(.testing(try rows([(1, "new")]))))
        let error = await #expect(throws: HeadraceError.self) { _ = try await writer.deleteAbsent() }
        await writer.abort()
        #expect(error?.code == .constraintViolated)
        #expect(try table() == ["1\ta", "2\tb"])
    }

    // MARK: - Columns that differ

    private let wide = Schema([
        Field("id", .int64), Field("name", .utf8), Field("price", .decimal(precision: 12, scale: 3)),
        Field("seen", .instant), Field("n", .int64),
    ])

    private func wideRow(_ id: Int) throws -> RecordBatch {
        try .of(
            wide,
            [
                [
                    .integer(Int128(id)), .utf8("x"), .decimal(DecimalValue(coefficient: 1_234_567, scale: 3)),
                    .timestamp(1_577_836_800_000_001), .integer(5_000_000_000),
                ]
            ])
    }

    private func makeNarrow() throws {
        try bench.mariadb(
            """
            CREATE TABLE people (id BIGINT PRIMARY KEY, Name TEXT, n INT UNSIGNED NOT NULL DEFAULT 7 COMMENT 'it''s, `odd`',
              price DECIMAL(6,1) NOT NULL DEFAULT 1.5); INSERT INTO people (id, Name) VALUES (1, 'old')
            """)
    }

    private func sink(_ policy: SchemaPolicy) throws -> MySQLSink {
        MySQLSink(configuration: try bench.configuration, table: "people", schemaPolicy: policy)
    }

    @Test(
        "Under evolve columns are added and numbers widened, and all else about them stays",
        arguments: ["append", "replace"])
    func evolves(name: String) async throws {
        try makeNarrow()
        let mode: SinkMode = name == "append" ? .append : .replace
        let planned = try await sink(.evolve).plan(for: wide, mode: mode, in: .testing())
        #expect(planned.filter { $0.hasPrefix("ALTER TABLE") }.count == 3)
        #expect(
            try bench.mariadb("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()") == [
                "4"
            ])
        let result = try await sink(.evolve).load([try wideRow(2)], schema: wide, mode: mode)
        #expect(result.counts == WriteCounts(inserted: 1) && result.rejects.isEmpty)
        let made = try bench.mariadb("SHOW CREATE TABLE people").joined()
        for part in [
            "`n` bigint(20) NOT NULL DEFAULT 7 COMMENT 'it''s, `odd`'", "`price` decimal(12,3) NOT NULL DEFAULT 1.500",
            "`seen` datetime(6) DEFAULT NULL COMMENT 'headrace: zone UTC'",
        ] { #expect(made.contains(part), "\(part) in \(made)") }
        let row = "2\tx\t5000000000\t1234.567\t2020-01-01 00:00:00.000001"
        let old = "1\told\t7\t1.500\tNULL"
        #expect(
            try bench.mariadb("SELECT id, name, n, price, seen FROM people ORDER BY 1")
                == (name == "append" ? [old, row] : [row]))
        let again = try await sink(.evolve).plan(for: wide, mode: mode, in: .testing())
        #expect(!again.contains { $0.hasPrefix("ALTER TABLE") })
    }

    @Test("Under freeze what the table lacks is left out, and the log says so once")
    func freezes() async throws {
        try makeNarrow()
        let lines = LogLines()
        let result = try await sink(.freeze).load(
            [try wideRow(2)], schema: wide, mode: .upsert(on: ["id"]), in: .testing(log: lines.log))
        // The numbers of the row do not fit the columns, which stay as they are.
        #expect(
            result.counts == WriteCounts() && result.rejects.map(\.field) == ["price"]
                || result.rejects.map(\.field) == ["n"])
        #expect(lines.all.filter { $0.contains("left out") && $0.contains("seen") }.count == 1)
        let loose = Schema([Field("id", .int64), Field("seen", .instant), Field("NAME", .utf8)])
        let batch = try RecordBatch.of(loose, [[.integer(3), .timestamp(0), .utf8("kept")]])
        #expect(
            try await sink(.freeze).load([batch], schema: loose, mode: .upsert(on: ["id"])).counts
                == WriteCounts(inserted: 1))
        #expect(try bench.mariadb("SELECT id, name, n FROM people ORDER BY 1") == ["1\told\t7", "3\tkept\t7"])
    }

    @Test(
        "Under refuse a column that the table lacks fails the load before a row is written; a key must be there anyway")
    func refuses() async throws {
        try makeNarrow()
        for (policy, mode) in [
            (SchemaPolicy.refuse, SinkMode.append), (.evolve, .upsert(on: ["seen"])), (.freeze, .insert(on: ["seen"])),
        ] {
            let error = await #expect(throws: HeadraceError.self) {
                _ = try await sink(policy).openWriter(for: wide, mode: mode, in: .testing())
            }
            #expect(error?.code == .schemaMismatch && error?.message.contains("\"seen\"") == true)
        }
        #expect(try bench.mariadb("SELECT COUNT(*) FROM people") == ["1"])
    }

    @Test("A column that another table refers to is not widened: the error says why and what loads all the same")
    func dependences() async throws {
        try bench.mariadb(
            "CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE pets (owner INT, FOREIGN KEY (owner) REFERENCES t (id))")
        let schema = Schema([Field("id", .int64)])
        let batch = try RecordBatch.of(schema, [[.integer(5)], [.integer(3_000_000_000)]])
        func sink(_ policy: SchemaPolicy) throws -> MySQLSink {
            MySQLSink(configuration: try bench.configuration, table: "t", schemaPolicy: policy)
        }
        let error = await #expect(throws: HeadraceError.self) {
            try await sink(.evolve).load([batch], schema: schema, mode: .append)
        }
        #expect(
            error?.code == .schemaMismatch && error?.hint?.contains("schemaPolicy=refuse") == true,
            "\(String(describing: error))")
        let result = try await sink(.refuse).load([batch], schema: schema, mode: .append)
        #expect(result.counts == WriteCounts(inserted: 1) && result.rejects.count == 1)
    }
}
