import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadracePostgreSQL

private let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

private func rows(_ range: Range<Int>, _ word: String = "row") throws -> RecordBatch {
    try .of(people, range.map { [.integer(Int128($0)), .utf8("\(word) \($0)")] })
}

@Suite struct PostgreSQLSinkTests {
    let bench: Bench
    var sink: PostgreSQLSink { get throws { PostgreSQLSink(try bench.configuration, table: "people") } }

    init() throws { bench = try Bench() }

    private func tables() throws -> [String] {
        try bench.psql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname !~ '^(pg_|sql_)' ORDER BY 1")
    }

    // MARK: - Append

    @Test("An append makes the table and writes every row, whatever the pieces", arguments: [0, 1, 1000, 20_000])
    func appends(count: Int) async throws {
        let result = try await sink.load([try rows(0..<count)], schema: people, mode: .append)
        #expect(result.counts == WriteCounts(inserted: count))
        #expect(
            try bench.psql("SELECT count(*), coalesce(sum(id), 0) FROM people") == [
                "\(count)|\(count * (count - 1) / 2)"
            ])
        #expect(
            try bench.psql(
                "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0"
            ) == ["id|bigint|t", "name|text|f"])
    }

    @Test("Columns are matched by name; those that the rows lack take their default or null")
    func matchesByName() async throws {
        try bench.psql("CREATE TABLE people (note text, name varchar(20), level int DEFAULT 3, id int NOT NULL)")
        try await sink.load([try rows(0..<1)], schema: people, mode: .append)
        try await sink.load([try rows(1..<2)], schema: people, mode: .append)
        #expect(try bench.psql("SELECT * FROM people ORDER BY id") == ["␀|row 0|3|0", "␀|row 1|3|1"])
    }

    @Test(
        "What the table lacks, computes or needs is refused before any row moves",
        arguments: [
            ("id bigint, first text", "has no column \"name\""),
            ("id bigint, name text, born date NOT NULL", "needs a value for \"born\""),
            ("id bigint, name text GENERATED ALWAYS AS ('x') STORED", "is computed"),
        ])
    func mismatches(columns: String, words: String) async throws {
        try bench.psql("CREATE TABLE people (\(columns))")
        let error = await #expect(throws: HeadraceError.self) {
            try await sink.load([try rows(0..<1)], schema: people, mode: .append)
        }
        #expect(error?.code == .schemaMismatch)
        #expect(error?.message.contains(words) == true)
        #expect(try bench.psql("SELECT count(*) FROM people") == ["0"])
    }

    @Test("A view, a reserved name and a sink without a table are refused")
    func refusedTargets() async throws {
        try bench.psql("CREATE VIEW people AS SELECT 1 AS id")
        for (table, code) in [("people", "unsupported"), ("_headrace_state", "badOption"), (nil, "badOption")] {
            let error = await #expect(throws: HeadraceError.self) {
                _ = try await PostgreSQLSink(try bench.configuration, table: table).openWriter(
                    for: people, mode: .append, in: .testing())
            }
            #expect(error?.code.rawValue == code)
        }
    }

    // MARK: - Replace

    @Test(
        "A replace keeps the table, its views and references; an interrupted one leaves the old rows",
        arguments: [true, false])
    func replaces(isReferenced: Bool) async throws {
        try bench.psql(
            "CREATE TABLE people (id bigint PRIMARY KEY, name text); INSERT INTO people VALUES (99, 'old'); CREATE VIEW seen AS SELECT * FROM people"
        )
        if isReferenced { try bench.psql("CREATE TABLE other (id bigint REFERENCES people)") }
        let sink = try sink
        let identity = try bench.psql("SELECT 'people'::regclass::oid")
        await #expect(throws: HeadraceError.self) {
            try await sink.load(
                [try rows(0..<5)], schema: people, mode: .replace,
                in: .testing(faults: Faults(failingAt: "postgresql.beforeCommit")))
        }
        #expect(try bench.psql("SELECT id FROM seen") == ["99"])
        let result = try await sink.load([try rows(0..<5)], schema: people, mode: .replace)
        #expect(result.counts == WriteCounts(inserted: 5))
        #expect(try bench.psql("SELECT id FROM seen ORDER BY 1") == ["0", "1", "2", "3", "4"])
        #expect(try bench.psql("SELECT 'people'::regclass::oid") == identity)
        try await sink.load([], schema: people, mode: .replace)
        #expect(try bench.psql("SELECT count(*) FROM seen") == ["0"])
    }

    // MARK: - Upsert

    @Test("An upsert inserts, updates and leaves, and the last row of a key stands")
    func upserts() async throws {
        let sink = try sink
        try await sink.load([try rows(0..<4)], schema: people, mode: .upsert(on: ["id"]))
        #expect(try bench.psql("SELECT indisprimary FROM pg_index WHERE indrelid = 'people'::regclass") == ["t"])
        let next = try RecordBatch.of(
            people,
            [
                [.integer(1), .utf8("first")], [.integer(2), .utf8("row 2")], [.integer(9), .utf8("a")],
                [.integer(1), .utf8("second")], [.integer(9), .utf8("b")],
            ])
        let later = try RecordBatch.of(people, [[.integer(9), .utf8("c")]])
        let result = try await sink.load([next, later], schema: people, mode: .upsert(on: ["id"]))
        #expect(result.counts == WriteCounts(inserted: 1, updated: 4, unchanged: 1))
        #expect(
            try bench.psql("SELECT id, name FROM people ORDER BY 1") == [
                "0|row 0", "1|second", "2|row 2", "3|row 3", "9|c",
            ])
        #expect(try tables() == ["_headrace_state", "people"])
    }

    @Test("An upsert makes the index that it needs, and says so when rows of equal keys stand in its way")
    func upsertIndex() async throws {
        try bench.psql("CREATE TABLE people (id bigint, name text); INSERT INTO people VALUES (1, 'a'), (1, 'b')")
        let sink = try sink
        let error = await #expect(throws: HeadraceError.self) {
            try await sink.load([try rows(0..<4)], schema: people, mode: .upsert(on: ["id"]))
        }
        #expect(error?.code.rawValue == "constraintViolated")
        try bench.psql("DELETE FROM people WHERE name = 'b'")
        let result = try await sink.load([try rows(0..<2)], schema: people, mode: .upsert(on: ["id"]))
        #expect(result.counts == WriteCounts(inserted: 1, updated: 1))
    }

    @Test("An upsert refuses a null key, and rows that the table refuses take none of the others with them")
    func upsertRefusals() async throws {
        try bench.psql("CREATE TABLE people (id bigint PRIMARY KEY, name text CHECK (name <> 'bad'))")
        let schema = Schema([Field("id", .int64), Field("name", .utf8)])
        let batch = try RecordBatch.of(
            schema,
            [
                [.integer(1), .utf8("good")], [.integer(1), .utf8("bad")], [.null, .utf8("x")],
                [.integer(2), .utf8("y")], [.integer(2), .utf8("bad")], [.integer(3), .utf8("bad")],
                [.integer(4), .utf8("bad")], [.integer(5), .utf8("z")],
            ])
        let result = try await sink.load([batch, batch], schema: schema, mode: .upsert(on: ["id"]))
        #expect(result.counts == WriteCounts(inserted: 3, unchanged: 3))
        #expect(result.rejects.count == 10)
        #expect(try bench.psql("SELECT id, name FROM people ORDER BY 1") == ["1|good", "2|y", "5|z"])
    }

    // MARK: - State

    @Test("Rows and checkpoint are one transaction", arguments: ["postgresql.beforeCommit", "postgresql.afterCommit"])
    func oneTransaction(point: String) async throws {
        let sink = try sink
        #expect(try await sink.committed(in: .testing()) == nil)
        await #expect(throws: HeadraceError.self) {
            try await sink.load(
                [try rows(0..<3)], schema: people, mode: .append, in: .testing(faults: Faults(failingAt: point)))
        }
        if point == "postgresql.beforeCommit" {
            #expect(try tables() == [])
            #expect(try await sink.committed(in: .testing()) == nil)
        } else {
            #expect(try bench.psql("SELECT count(*) FROM people") == ["3"])
            #expect(try await sink.committed(in: .testing()) == .testing())
        }
    }

    @Test("A run that has been overtaken is refused at its start and at its commit")
    func fence() async throws {
        let sink = try sink
        let writer = try await sink.openWriter(for: people, mode: .append, in: .testing(run: "old", fence: 4))
        try await sink.load([], schema: people, mode: .append, in: .testing(run: "new", fence: 5))
        // The table is there since; the old run finds out when it begins.
        await #expect(throws: HeadraceError.self) {
            _ = try await writer.write(try writer.encode(.testing(try rows(0..<3))))
        }
        await writer.abort()
        let second = try await sink.openWriter(for: people, mode: .append, in: .testing(run: "late", fence: 5))
        _ = try await second.write(try second.encode(.testing(try rows(0..<3))))
        _ = try await second.settle()
        try await sink.load([], schema: people, mode: .append, in: .testing(run: "newest", fence: 6))
        let error = await #expect(throws: HeadraceError.self) { try await second.commit(.testing()) }
        await second.abort()
        #expect(error?.code == .leaseLost)
        #expect(try bench.psql("SELECT count(*) FROM people") == ["0"])
    }

    @Test(
        "A commit whose answer is lost counts when the server made it, and the load goes on", arguments: [true, false])
    func lostAnswers(arrives: Bool) async throws {
        let proxy = try FaultProxy(
            to: .tcp(host: "127.0.0.1", port: bench.server.port),
            script: try FaultScript(arrives ? "hold@toServer:after=COMMIT%00" : "end@toServer:before=COMMIT%00"))
        defer { proxy.stop() }
        if arrives {
            EngineThread.start { if proxy.wait(milliseconds: 60_000, until: { $0.waiting > 0 }) { proxy.cut() } }
        }
        var configuration = try bench.configuration
        configuration.password = Secret(bench.server.password)
        try configuration.set("host", to: "127.0.0.1")
        try configuration.set("port", to: "\(proxy.port)")
        let sink = PostgreSQLSink(configuration, table: "people")
        let writer = try await sink.openWriter(for: people, mode: .append, in: .testing())
        _ = try await writer.write(try writer.encode(.testing(try rows(0..<3))))
        _ = try await writer.settle()
        guard arrives else {
            await #expect(throws: HeadraceError.self) {
                try await writer.commit(.testing(final: false))
            }
            await writer.abort()
            #expect(try tables() == [])
            return
        }
        try await writer.commit(.testing(final: false))
        _ = try await writer.write(try writer.encode(.testing(try rows(3..<5))))
        #expect(try await writer.settle() == WriteCounts(inserted: 2))
        try await writer.commit(.testing(epoch: 2))
        #expect(proxy.counts.fired == 1)
        #expect(try bench.psql("SELECT id FROM people ORDER BY 1") == ["0", "1", "2", "3", "4"])
    }

    @Test("A plan names DDL and SQL and changes nothing")
    func plans() async throws {
        let sink = try sink
        let lines = try await sink.plan(for: people, mode: .upsert(on: ["id"]), in: .testing())
        #expect(lines.first == #"CREATE TABLE "people" ("id" bigint NOT NULL, "name" text, PRIMARY KEY ("id"))"#)
        #expect(lines.contains { $0.contains("ON CONFLICT (\"id\") DO UPDATE SET") })
        #expect(lines.last?.contains("_headrace_state") == true)
        #expect(try tables() == [])
        let append = try await sink.plan(for: people, mode: .append, in: .testing())
        #expect(append[1] == #"COPY "people" ("id", "name") FROM STDIN (FORMAT binary)"#)
    }
}
