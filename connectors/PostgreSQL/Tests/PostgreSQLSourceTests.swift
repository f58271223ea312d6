import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

@Suite struct PostgreSQLSourceTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    private func source(_ table: String = "t", streams: Int = 1) throws -> PostgreSQLTableSource {
        try PostgreSQLTableSource(try bench.configuration, table: table, streams: streams)
    }

    private func fill(_ count: Int, _ table: String = "CREATE TABLE t (id bigint, name text)") throws {
        try bench.psql(
            "\(table); INSERT INTO t SELECT i, 'name ' || i || repeat('x', 90) FROM generate_series(1, \(count)) i")
    }

    // MARK: - Tables

    @Test("A table is read whole over any number of connections", arguments: [1, 3, 8])
    func whole(streams: Int) async throws {
        try fill(120_000)
        let read = try await source(streams: streams).readAll()
        #expect(read.batches.identifiers.sorted() == Array(1...120_000))
        if streams == 1 { #expect(read.batches.identifiers == Array(1...120_000)) }
        #expect(read.batches.count > 2)
        #expect(read.batches.allSatisfy { $0.recordsRead == $0.count && $0.count <= 8192 })
        #expect(read.batches[1].provenance.place(of: 0).row > 0)
    }

    @Test("Reading resumes after every position, with each row once", arguments: [1, 3])
    func resumes(streams: Int) async throws {
        try fill(60_000)
        let source = try source(streams: streams)
        let all = try await source.readAll()
        var rows = 0
        for (index, position) in all.positions.enumerated() where index % 3 == 0 || index > all.positions.count - 3 {
            rows = all.batches[...index].reduce(0) { $0 + $1.count }
            let rest = try await source.readAll(from: position)
            #expect(rest.batches.reduce(0) { $0 + $1.count } == 60_000 - rows)
            #expect((Array(all.batches[...index]).identifiers + rest.batches.identifiers).sorted() == Array(1...60_000))
        }
    }

    @Test("A table that changed since its checkpoint is not read on, one that lost rows is")
    func staleCheckpoints() async throws {
        try fill(40_000)
        let source = try source()
        let first = try await source.readAll(chunks: 2)
        let position = try #require(first.positions.last)
        try bench.psql("DELETE FROM t WHERE id = 39999")
        let rest = try await source.readAll(from: position)
        #expect((first.batches.identifiers + rest.batches.identifiers).count == 39_999)
        try bench.psql("UPDATE t SET name = 'new' WHERE id = 1")
        let changed = await #expect(throws: HeadraceError.self) { _ = try await source.readAll(from: position) }
        #expect(changed?.code == .unsupported && changed?.reason?.contains("changed") == true)
        try bench.psql("CREATE TABLE other (a int); VACUUM FULL t")
        let rewritten = await #expect(throws: HeadraceError.self) { _ = try await source.readAll(from: position) }
        #expect(rewritten?.reason?.contains("rewritten") == true)
    }

    @Test("A position that is none is refused")
    func badPosition() async throws {
        try fill(1)
        for text in [#"{"rowid":1}"#, #"{"bound":1,"parts":[{"x":1}]}"#, #"{"bound":-1,"parts":[]}"#] {
            let position = Position(try JSONValue.parse(text))
            let source = try source()
            let error = await #expect(throws: HeadraceError.self) { _ = try await source.readAll(from: position) }
            #expect(error?.code == .malformedInput)
        }
    }

    @Test("All connections see one moment, whatever is written meanwhile")
    func oneMoment() async throws {
        try fill(50_000)
        let source = try source(streams: 4)
        let context = RunContext.testing()
        let reader = try await source.openReader(for: try await source.schema(in: context), from: nil, in: context)
        try bench.psql(
            "INSERT INTO t SELECT i, 'late' FROM generate_series(100001, 100100) i; DELETE FROM t WHERE id % 2 = 0")
        var count = 0
        while case .chunk(let chunk, _) = try await reader.next() {
            count += try reader.decode(chunk, sequence: 0).count
        }
        await reader.close()
        #expect(count == 50_000)
    }

    @Test("Partitions and children are read once each, and resume")
    func partitions() async throws {
        try bench.psql(
            """
            CREATE TABLE t (id bigint, name text) PARTITION BY RANGE (id);
            CREATE TABLE a PARTITION OF t FOR VALUES FROM (0) TO (10000);
            CREATE TABLE b PARTITION OF t FOR VALUES FROM (10000) TO (1000000) PARTITION BY HASH (id);
            CREATE TABLE b0 PARTITION OF b FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE b1 PARTITION OF b FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            INSERT INTO t SELECT i, 'n' FROM generate_series(1, 30000) i;
            CREATE TABLE p (id bigint); CREATE TABLE c () INHERITS (p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (2)
            """)
        let all = try await source().readAll()
        #expect(all.batches.identifiers.sorted() == Array(1...30_000))
        let rest = try await source().readAll(from: all.positions[1])
        #expect((Array(all.batches[...1]).identifiers + rest.batches.identifiers).sorted() == Array(1...30_000))
        #expect(try await source("p").readAll().batches.identifiers == [1, 2])
    }

    @Test("Rows that do not fit are rejects with their place, the others arrive")
    func rejects() async throws {
        try bench.psql(
            """
            CREATE TABLE t (id bigint, d numeric(6,2));
            INSERT INTO t SELECT i, CASE WHEN i % 1000 = 7 THEN 'NaN'::numeric ELSE i % 1000 END FROM generate_series(1, 5000) i
            """)
        let read = try await source().readAll()
        let rejects = read.batches.flatMap(\.rejects)
        #expect(rejects.map(\.place.row) == [7, 1007, 2007, 3007, 4007])
        #expect(rejects.allSatisfy { $0.field == "d" && $0.value == "NaN" && $0.code == "notANumber" })
        #expect(read.batches.identifiers.count == 4995)
        #expect(read.batches[0].provenance.place(of: 7).row == 9)
        #expect(read.batches.allSatisfy { $0.recordsRead == $0.count + $0.rejects.count })
    }

    @Test("Only the columns asked for are read, in the order asked for")
    func projection() async throws {
        try bench.psql("CREATE TABLE t (a int, b text, ip inet); INSERT INTO t VALUES (1, 'x', '::1')")
        let source = try source()
        let schema = Schema([Field("ip", .utf8), Field("a", .int32)])
        #expect(try await source.readAll(schema).batches.rows == [[.utf8("::1/128"), .integer(1)]])
        for wrong in [Field("zz", .utf8), Field("a", .int64)] {
            let error = await #expect(throws: HeadraceError.self) { _ = try await source.readAll(Schema([wrong])) }
            #expect(error?.code == .schemaMismatch)
        }
    }

    @Test("An empty table and one without columns give no rows and all rows")
    func edges() async throws {
        try bench.psql("CREATE TABLE t (a int); CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES")
        #expect(try await source().readAll().batches.rows.isEmpty)
        #expect(try await source("nothing").readAll().batches.rows == [[]])
    }

    @Test("What is no table is refused with what there is")
    func missing() async throws {
        try bench.psql("CREATE TABLE t (a int); CREATE VIEW v AS SELECT * FROM t")
        for (name, code) in [("nope", HeadraceError.Code.notFound), ("v", .unsupported), ("T", .notFound)] {
            let source = try source(name)
            let error = await #expect(throws: HeadraceError.self) { _ = try await source.schema(in: .testing()) }
            #expect(error?.code == code)
        }
    }

    @Test("A cancelled reading ends at once and leaves no connection")
    func cancels() async throws {
        try fill(200_000)
        let cancellation = Cancellation()
        let context = RunContext.testing(cancellation: cancellation)
        let source = try source(streams: 2)
        let reader = try await source.openReader(for: try await source.schema(in: context), from: nil, in: context)
        guard case .chunk = try await reader.next() else { throw HeadraceError(.unexpected, "no rows") }
        cancellation.cancel()
        let error = await #expect(throws: HeadraceError.self) { while case .chunk = try await reader.next() {} }
        #expect(error?.code == .cancelled)
        await reader.close()
        try await expectNoConnections()
    }

    @Test("A reading that is closed early leaves no connection")
    func closesEarly() async throws {
        try fill(200_000)
        #expect(try await source(streams: 2).readAll(chunks: 1).batches.count == 1)
        try await expectNoConnections()
    }

    private func expectNoConnections() async throws {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(bench.database)' AND pid <> pg_backend_pid()"
        var left = ["?"]
        for _ in 0..<100 where left != ["0"] {
            left = try bench.psql(sql)
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(left == ["0"])
    }

    @Test("A server that dies while it is read is an error that may be tried again, never a short table")
    func killed() async throws {
        try fill(300_000)
        let context = RunContext.testing()
        let source = try source()
        let reader = try await source.openReader(for: try await source.schema(in: context), from: nil, in: context)
        guard case .chunk = try await reader.next() else { throw HeadraceError(.unexpected, "no rows") }
        try bench.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(bench.database)' AND query LIKE 'COPY%'"
        )
        let error = await #expect(throws: HeadraceError.self) { while case .chunk = try await reader.next() {} }
        #expect(error?.code.rawValue == "connectionLost" && error?.retry == .mayHelp)
        await reader.close()
    }

    // MARK: - Queries

    @Test(
        "A query gives its rows in its order",
        arguments: [
            "SELECT id, name FROM t ORDER BY id DESC", "SELECT id, name FROM t ORDER BY id DESC; ",
            "SELECT id, '10.0.0.1'::inet AS name FROM t ORDER BY id DESC -- the end",
            "WITH x AS (SELECT * FROM t) SELECT id, name FROM x ORDER BY 1 DESC",
            "VALUES (3, 'a'), (2, 'b'), (1, 'c')",
        ])
    func queries(query: String) async throws {
        try bench.psql("CREATE TABLE t (id int, name text); INSERT INTO t SELECT i, 'n' FROM generate_series(1, 3) i")
        let source = PostgreSQLQuerySource(try bench.configuration, query: query)
        #expect(try await source.readAll().batches.identifiers == [3, 2, 1])
    }

    @Test(
        "A query that is not one SELECT is refused and changes nothing",
        arguments: [
            "DROP TABLE t", "SELECT 1; DROP TABLE t", "INSERT INTO t VALUES (1) RETURNING id", "SELEC 1", "", "BEGIN",
            "SELECT id AS a, id AS a FROM t", "WITH d AS (DELETE FROM t RETURNING id) SELECT * FROM d",
            "SELECT 1) TO PROGRAM 'touch /tmp/headrace-was-here' --", "SELECT nextval('s')",
        ])
    func badQueries(query: String) async throws {
        try bench.psql("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); CREATE SEQUENCE s")
        let source = PostgreSQLQuerySource(try bench.configuration, query: query)
        await #expect(throws: HeadraceError.self) { _ = try await source.readAll() }
        #expect(try bench.psql("SELECT count(*), (SELECT is_called FROM s) FROM t") == ["2|f"])
    }
}
