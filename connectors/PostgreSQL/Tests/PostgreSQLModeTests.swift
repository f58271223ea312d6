import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

private let people = Schema([Field("id", .int64), Field("name", .utf8)])

private func rows(_ pairs: [(Int?, String)]) throws -> RecordBatch {
    try .of(people, pairs.map { [$0.map { .integer(Int128($0)) } ?? .null, .utf8($1)] })
}

private let mirror = SinkMode.mirror(on: ["id"])

@Suite struct PostgreSQLModeTests {
    let bench: Bench
    var sink: PostgreSQLSink { get throws { PostgreSQLSink(try bench.configuration, table: "people") } }

    init() throws { bench = try Bench() }

    private func table() throws -> [String] { try bench.psql("SELECT id, name FROM people ORDER BY 1, 2") }

    private func stages() throws -> [String] {
        try bench.psql("SELECT relname FROM pg_class WHERE relname ~ '^_headrace_' AND relkind = 'r' ORDER BY 1")
    }

    // MARK: - Insert

    @Test("An insert leaves rows that are there, and of rows of one key the first stands")
    func inserts() async throws {
        try bench.psql("CREATE TABLE people (id bigint PRIMARY KEY, name text CHECK (name <> 'bad'))")
        try bench.psql("INSERT INTO people VALUES (1, 'old')")
        let batch = try rows([(1, "new"), (2, "first"), (2, "second"), (3, "bad"), (nil, "x"), (3, "good")])
        let result = try await sink.load([batch, batch], schema: people, mode: .insert(on: ["id"]))
        #expect(result.counts == WriteCounts(inserted: 2, unchanged: 6))
        #expect(
            result.rejects.map(\.code).sorted() == ["check", "check", "nullInRequiredColumn", "nullInRequiredColumn"])
        #expect(try table() == ["1|old", "2|first", "3|good"])
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
        #expect(try table() == ["1|a", "1|b"])
    }

    @Test(
        "A row that a trigger keeps out is a reject, and no row that was there already",
        arguments: ["insert", "upsert", "mirror"])
    func keptOut(name: String) async throws {
        try bench.psql(
            """
            CREATE TABLE people (id bigint PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'old');
            CREATE FUNCTION choose() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN IF NEW.name = ''bad'' THEN RETURN NULL; END IF; RETURN NEW; END';
            CREATE TRIGGER choose BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION choose()
            """)
        let mode: SinkMode =
            name == "insert" ? .insert(on: ["id"]) : name == "upsert" ? .upsert(on: ["id"]) : .mirror(on: ["id"])
        let batch = try rows([(1, "old"), (2, "bad"), (3, "good"), (4, "bad"), (4, "bad")])
        let result = try await sink.load([batch], schema: people, mode: mode)
        #expect(result.counts == WriteCounts(inserted: 1, unchanged: 1))
        #expect(result.rejects.map(\.place.row) == [2, 4, 5] && result.rejects.allSatisfy { $0.code == "trigger" })
        #expect(try table() == ["1|old", "3|good"])
    }

    @Test(
        "A table may have any name, those of what SQL calls its own steps included",
        arguments: ["picked", "one", "written", "rows", "numbered", "old", "line"])
    func names(name: String) async throws {
        let sink = PostgreSQLSink(try bench.configuration, table: name)
        for mode in [SinkMode.upsert(on: ["id"]), .insert(on: ["id"]), .mirror(on: ["id"])] {
            try await sink.load([try rows([(1, "a")])], schema: people, mode: mode)
        }
        #expect(try bench.psql("SELECT id, name FROM \"\(name)\"") == ["1|a"])
        try bench.psql("DROP TABLE \"\(name)\"")
        for text in ["a", "b"] {
            try await sink.load(
                [try rows([(1, text)])], schema: people, mode: .history(on: ["id"], HistoryColumns()))
        }
        // Both runs have one time here, so that the second puts the version right.
        #expect(try bench.psql("SELECT id, name, is_current FROM \"\(name)\"") == ["1|b|t"])
    }

    @Test("An upsert into a partitioned table counts a row once, however many rows of its key there are")
    func repeatedKeys() async throws {
        try bench.psql(
            """
            CREATE TABLE people (id bigint, name text, place integer) PARTITION BY LIST (place);
            CREATE TABLE one PARTITION OF people FOR VALUES IN (1);
            CREATE TABLE two PARTITION OF people DEFAULT;
            INSERT INTO people VALUES (1, 'old', 1), (1, 'old', 2), (2, 'b', 1)
            """)
        let batch = try rows([(1, "x"), (1, "new"), (2, "b"), (3, "c")])
        let result = try await sink.load([batch], schema: people, mode: .upsert(on: ["id"]))
        #expect(result.counts == WriteCounts(inserted: 1, updated: 2, unchanged: 1))
        #expect(try table() == ["1|new", "1|new", "2|b", "3|c"])
    }

    // MARK: - Mirror

    @Test(
        "A mirror comes to the rows of the source and no others, whatever the epochs and wherever it is interrupted",
        arguments: 0..<30)
    func property(seed: Int) async throws { try await bench.checkMirror(seed: seed) }

    @Test("A user who may make no table beside the mirrored one is told so by the plan")
    func privileges() async throws {
        let user = "mirror_\(bench.database)"
        try bench.psql(
            """
            CREATE TABLE people (id bigint PRIMARY KEY, name text); CREATE ROLE "\(user)";
            GRANT USAGE ON SCHEMA public TO "\(user)"; GRANT ALL ON people TO "\(user)"; REVOKE CREATE ON SCHEMA public FROM public
            """)
        var configuration = try bench.configuration
        try configuration.set("options", to: "-c role=\(user)")
        let sink = PostgreSQLSink(configuration, table: "people")
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await sink.plan(for: people, mode: mirror, in: .testing())
        }
        #expect(error?.code == .accessDenied && error?.message.contains("schema public") == true)
        #expect(error?.hint?.contains("CREATE") == true)
        _ = try await sink.plan(for: people, mode: .upsert(on: ["id"]), in: .testing())
        try bench.psql("GRANT CREATE ON SCHEMA public TO \"\(user)\"")
        _ = try await sink.plan(for: people, mode: mirror, in: .testing())
        try bench.psql("DROP OWNED BY \"\(user)\"; DROP ROLE \"\(user)\"")
    }

    @Test("A row that the sink refuses keeps the row of its key in the table")
    func refusedRows() async throws {
        try bench.psql("CREATE TABLE people (id bigint PRIMARY KEY, name varchar(5) CHECK (name <> 'bad'))")
        try bench.psql("INSERT INTO people SELECT n, 'old' FROM generate_series(1, 5) n")
        let writer = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        let batch = try rows([(1, "new"), (2, "bad"), (3, "much too long")])
        #expect(try await writer.write(try writer.encode(.testing(batch))).count == 2)
        #expect(try await writer.deleteAbsent() == 2)
        #expect(try await writer.settle() == WriteCounts(updated: 1, deleted: 2))
        try await writer.commit(.testing())
        #expect(try table() == ["1|new", "2|old", "3|old"])
    }

    @Test("A row without a key keeps all rows: nobody knows which it was")
    func unknownKeys() async throws {
        try bench.psql(
            "CREATE DOMAIN code AS bigint NOT NULL CHECK (VALUE > 0); CREATE TABLE people (id code PRIMARY KEY, name text)"
        )
        try bench.psql("INSERT INTO people VALUES (1, 'old'), (2, 'old')")
        for batch in [try rows([(nil, "x")]), try rows([(1, "old"), (nil, "x")])] {
            let writer = try await sink.openWriter(for: people, mode: mirror, in: .testing())
            #expect(try await writer.write(try writer.encode(.testing(batch))).count == 1)
            #expect(try await writer.deleteAbsent() == 0)
            _ = try await writer.settle()
            try await writer.commit(.testing())
        }
        #expect(try table() == ["1|old", "2|old"])
    }

    @Test("A load that begins afresh drops the keys of one that was given up, and that one cannot go on")
    func foreignKeys() async throws {
        let first = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        _ = try await first.write(try first.encode(.testing(try rows([(1, "a")]))))
        _ = try await first.settle()
        try await first.commit(.testing(final: false))
        #expect(try stages() == ["_headrace_seen_people", "_headrace_state"])
        var other = RunContext.testing()
        other.job = "another job"
        let second = try await sink.openWriter(for: people, mode: mirror, in: other)
        _ = try await second.write(try second.encode(.testing(try rows([(2, "b")]))))
        #expect(try await second.deleteAbsent() == 1)
        _ = try await second.settle()
        try await second.commit(.testing(run: "run-2"))
        #expect(try stages() == ["_headrace_state"])
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await first.write(try first.encode(.testing(try rows([(3, "c")]))))
        }
        await first.abort()
        #expect(error?.message.contains("are gone") == true)
        #expect(try table() == ["2|b"])
    }

    @Test("Where other tables refer to absent rows, nothing is committed")
    func referenced() async throws {
        try bench.psql(
            "CREATE TABLE people (id bigint PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'a'), (2, 'b')")
        try bench.psql("CREATE TABLE other (id bigint REFERENCES people); INSERT INTO other VALUES (2)")
        let writer = try await sink.openWriter(for: people, mode: mirror, in: .testing())
        _ = try await writer.write(try writer.encode(.testing(try rows([(1, "new")]))))
        let error = await #expect(throws: HeadraceError.self) { try await writer.deleteAbsent() }
        await writer.abort()
        #expect(error?.code.rawValue == "constraintViolated")
        #expect(try table() == ["1|a", "2|b"])
    }

    @Test("The name of the table of keys fits, whatever the mirrored table is called")
    func names() throws {
        #expect(PostgreSQLSeenKeys.name(of: "people") == "_headrace_seen_people")
        let long = String(repeating: "ä", count: 31)
        let names = [long, long.dropLast() + "b", long.dropLast() + "c"].map { PostgreSQLSeenKeys.name(of: String($0)) }
        #expect(Set(names).count == 3 && names.allSatisfy { $0.utf8.count <= 63 && $0.hasPrefix("_headrace_seen_ä") })
    }

    // MARK: - Partitions

    @Test(
        "A partitioned table is written by key, whether or not a unique index can hold the key",
        arguments: ["id, day", "id"], ["upsert", "mirror"])
    func partitions(key: String, name: String) async throws {
        try bench.psql(
            """
            CREATE TABLE people (id bigint NOT NULL, day date NOT NULL, name text) PARTITION BY RANGE (day);
            CREATE TABLE people_1 PARTITION OF people FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
            CREATE TABLE people_2 (name text, day date NOT NULL, id bigint NOT NULL);
            ALTER TABLE people ATTACH PARTITION people_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')
            """)
        let schema = Schema([Field("id", .int64), Field("day", .date32), Field("name", .utf8)])
        // Days of 2026, from 1.
        func rows(_ list: [(Int, Int, String)]) throws -> RecordBatch {
            try .of(schema, list.map { [.integer(Int128($0)), .date(Int32(20_453 + $1)), .utf8($2)] })
        }
        let keys = key.split(separator: ", ").map(String.init)
        let mode: SinkMode = name == "upsert" ? .upsert(on: keys) : .mirror(on: keys)
        let first = try rows([(1, 5, "a"), (2, 36, "b"), (2, 36, "b2")])
        #expect(
            try await sink.load([first], schema: schema, mode: mode).counts == WriteCounts(inserted: 2, updated: 1))
        let second = try rows([(1, 5, "a"), (2, 36, "c"), (3, 38, "d"), (4, 182, "e")])
        let result = try await sink.load([second], schema: schema, mode: mode)
        #expect(result.counts == WriteCounts(inserted: 1, updated: 1, unchanged: 1))
        #expect(result.rejects.map(\.code) == ["check"])
        #expect(try bench.psql("SELECT id, name FROM people_1") == ["1|a"])
        #expect(try bench.psql("SELECT id, name FROM people_2 ORDER BY 1") == ["2|c", "3|d"])
        guard key == "id" else { return }
        // A row whose day changes moves to the other partition.
        let moved = try await sink.load([try rows([(1, 36, "a")])], schema: schema, mode: .upsert(on: keys))
        #expect(moved.counts == WriteCounts(updated: 1))
        #expect(try bench.psql("SELECT count(*) FROM people_1") == ["0"])
    }
}
