import Foundation
import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

@Suite struct SQLiteSourceTests {
    let bench: Workbench
    var source: SQLiteTableSource { SQLiteTableSource(path: bench.path, table: "t") }

    init() throws { bench = try Workbench() }

    private func fill(_ count: Int, _ table: String = "CREATE TABLE t (id BIGINT, name TEXT)") throws {
        try bench.sqlite(
            """
            \(table); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
            INSERT INTO t (id, name) SELECT i, 'name ' || i FROM n
            """)
    }

    private func identifiers(_ batches: [Batch]) -> [Int] {
        batches.rows.map { if case .integer(let id) = $0[0] { Int(id) } else { -1 } }
    }

    // MARK: - Batches and positions

    @Test(
        "Reading resumes after every position, by rowid and by key",
        arguments: [
            "CREATE TABLE t (id BIGINT, name TEXT)", "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
            "CREATE TABLE t (id BIGINT, rowid TEXT, name TEXT)",
            "CREATE TABLE t (id BIGINT, name TEXT, PRIMARY KEY (name, id)) WITHOUT ROWID",
        ])
    func resumes(table: String) async throws {
        try fill(10_000, table)
        let whole = try await source.readAll()
        #expect(Set(identifiers(whole.batches)) == Set(1...10_000))
        #expect(whole.batches.map(\.count) == [4096, 4096, 1808])
        var rows = 0
        for (batch, position) in zip(whole.batches, whole.positions) {
            rows += batch.count
            let text = position.value.compactText
            let rest = try await source.readAll(from: Position(try JSONValue.parse(text)))
            #expect(identifiers(rest.batches) == Array(identifiers(whole.batches)[rows...]))
            if let first = rest.batches.first { #expect(first.provenance.place(of: 0).row == rows + 1) }
        }
    }

    @Test("Rows added after the end are read from the last position")
    func readsOn() async throws {
        try fill(3)
        let last = try #require(try await source.readAll().positions.last)
        #expect(try await source.readAll(from: last).batches.isEmpty)
        try bench.sqlite("INSERT INTO t VALUES (99, NULL)")
        #expect(try await identifiers(source.readAll(from: last).batches) == [99])
    }

    @Test("A position that is none is refused")
    func badPosition() async throws {
        try fill(3)
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await source.readAll(from: Position(["line": 3]))
        }
        #expect(error?.code == .malformedInput)
    }

    @Test("Batches are bounded in bytes, and one huge row is a batch of its own")
    func bounds() async throws {
        try bench.sqlite(
            """
            CREATE TABLE t (id BIGINT, name TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
            INSERT INTO t SELECT i, printf('%.*c', CASE WHEN i = 50 THEN 3000000 ELSE 50000 END, 'x') FROM n
            """)
        let read = try await source.readAll()
        #expect(identifiers(read.batches) == Array(1...100))
        for batch in read.batches { #expect(batch.records.byteSize < 600_000 || batch.records.byteSize < 3_600_000) }
        #expect(read.batches.map(\.count).max() == 11)
    }

    @Test("A reader sees the table as it was when it opened")
    func snapshot() async throws {
        try fill(6000)
        try bench.sqlite("PRAGMA journal_mode = WAL")
        let schema = try await source.schema(in: .testing())
        let reader = try await source.openReader(for: schema, from: nil, in: .testing())
        var count = 0
        if case .chunk(let chunk, _) = try await reader.next() { count += try reader.decode(chunk, sequence: 0).count }
        try bench.sqlite("DELETE FROM t WHERE id > 5000; INSERT INTO t VALUES (9999, 'new')")
        while case .chunk(let chunk, _) = try await reader.next() {
            count += try reader.decode(chunk, sequence: 1).count
        }
        await reader.close()
        #expect(count == 6000)
        #expect(try await source.readAll().batches.rows.count == 5001)
    }

    @Test("Only the columns that are asked for are read, in the order asked")
    func projects() async throws {
        try fill(2)
        let read = try await source.readAll(Schema([Field("name", .utf8)]))
        #expect(read.batches.rows == [[.utf8("name 1")], [.utf8("name 2")]])
    }

    @Test("A run that is asked to stop stops a reader in a long query")
    func cancels() async throws {
        try fill(1)
        let cancellation = Cancellation()
        let query = SQLiteQuerySource(
            path: bench.path,
            query: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0")
        let context = RunContext.testing(cancellation: cancellation)
        let reader = try await query.openReader(for: Schema([Field("i", .int64)]), from: nil, in: context)
        let reading = Task { try await reader.next() }
        try await Task.sleep(for: .milliseconds(50))
        cancellation.cancel()
        let error = await #expect(throws: HeadraceError.self) { _ = try await reading.value }
        #expect(error?.code == .cancelled)
        await reader.close()
    }

    // MARK: - Types of what is there

    @Test("A value that does not fit its column's type is a reject with its row, and the others arrive")
    func misfits() async throws {
        try bench.sqlite(
            """
            CREATE TABLE t (id BIGINT, d DECIMAL(6,2), b BOOLEAN, day DATE);
            INSERT INTO t VALUES (1, 1.25, 1, '2024-01-01'), ('x', 2, 0, NULL), (3, 0.1 + 0.2, 1, NULL),
                (4, 1, 2, NULL), (5, 1, NULL, '2024-13-01'), (6, NULL, NULL, NULL), (7, X'00', NULL, NULL)
            """)
        let read = try await source.readAll()
        let batch = try #require(read.batches.first)
        #expect(identifiers(read.batches) == [1, 6])
        #expect(batch.recordsRead == 7)
        #expect(batch.rejects.map(\.place.row) == [2, 3, 4, 5, 7])
        #expect(batch.rejects.map(\.field) == ["id", "d", "b", "day", "d"])
        #expect(batch.rejects[0].value == "x" && batch.rejects[0].code == "doesNotFit")
        #expect((0..<2).map { batch.provenance.place(of: $0).row } == [1, 6])
    }

    @Test("Text that is not UTF-8 is a reject")
    func badText() async throws {
        try bench.sqlite(
            "CREATE TABLE t (id BIGINT, name TEXT); INSERT INTO t VALUES (1, CAST(X'61ff' AS TEXT)), (2, 'žluť')")
        let read = try await source.readAll()
        #expect(identifiers(read.batches) == [2])
        #expect(read.batches.first?.rejects.count == 1)
    }

    @Test(
        "Columns that declare no type take that of the values seen first",
        arguments: [
            ("x", "1", DataType.int64), ("x", "1.5", .float64), ("x", "'a'", .utf8), ("x", "X'01'", .binary),
            ("x", "NULL", .utf8),
            ("x NUMERIC", "1.25", .decimal(precision: 15, scale: 2)), ("x MONEY", "7", .int64),
            ("x NUMERIC", "0.1 + 0.2", .float64), ("x DATETIME", "1700000000", .int64),
            ("x DATETIME", "'2024-01-01 10:00:00'", .timestamp(zone: nil)),
            ("x DATETIME", "'2024-01-01T10:00:00Z'", .instant),
        ])
    func looks(column: String, value: String, type: DataType) async throws {
        try bench.sqlite("CREATE TABLE t (\(column)); INSERT INTO t VALUES (\(value))")
        #expect(try await source.schema(in: .testing()).fields == [Field("x", type)])
        #expect(try await source.readAll().batches.rows.count == 1)
    }

    @Test("A query's expressions take the type of their values, its columns their declared types")
    func queries() async throws {
        try fill(3)
        let query = SQLiteQuerySource(
            path: bench.path, query: "SELECT name AS n, count(*) AS c, avg(id) AS a FROM t GROUP BY 1 ORDER BY 1 -- all"
        )
        #expect(try await query.schema(in: .testing()).description == "n: utf8, c: int64, a: float64")
        #expect(try await query.readAll().batches.rows.first == [.utf8("name 1"), .integer(1), .double(1)])
    }

    // MARK: - What is refused

    @Test("A table that is not there, a view and a missing file say what to do")
    func refusals() async throws {
        try bench.sqlite("CREATE TABLE people (a); CREATE VIEW t AS SELECT * FROM people")
        let view = await #expect(throws: HeadraceError.self) { _ = try await source.schema(in: .testing()) }
        #expect(view?.hint == #"read it as a query: SELECT * FROM "t""#)
        let missing = await #expect(throws: HeadraceError.self) {
            _ = try await SQLiteTableSource(path: bench.path, table: "nope").schema(in: .testing())
        }
        #expect(missing?.code == .notFound && missing?.fields.first?.value == "people, t")
        let file = await #expect(throws: HeadraceError.self) {
            _ = try await SQLiteTableSource(path: bench.path + "x", table: "t").schema(in: .testing())
        }
        #expect(file?.code == .notFound)
        #expect(bench.files == ["w.db"])
    }

    @Test(
        "A query that is not one SELECT is refused and changes nothing",
        arguments: [
            "DROP TABLE t", "SELECT 1; DROP TABLE t", "INSERT INTO t VALUES (1, 'x') RETURNING id", "SELEC 1", "",
            "BEGIN",
            "SELECT id AS a, id AS a FROM t",
        ])
    func badQueries(query: String) async throws {
        try fill(2)
        await #expect(throws: HeadraceError.self) {
            _ = try await SQLiteQuerySource(path: bench.path, query: query).schema(in: .testing())
        }
        #expect(try bench.sqlite("SELECT count(*) FROM t") == ["2"])
    }

    // MARK: - Fingerprints

    @Test(
        "A table's fingerprint stays while rows come and changes with its definition; a query's changes with each commit"
    )
    func fingerprints() async throws {
        try fill(2)
        let query = SQLiteQuerySource(path: bench.path, query: "SELECT * FROM t")
        let before = (try await source.fingerprint(in: .testing()), try await query.fingerprint(in: .testing()))
        #expect(before.1 == (try await query.fingerprint(in: .testing())))
        try bench.sqlite("INSERT INTO t VALUES (3, 'x')")
        #expect(before.0 == (try await source.fingerprint(in: .testing())))
        #expect(before.1 != (try await query.fingerprint(in: .testing())))
        try bench.sqlite("ALTER TABLE t ADD COLUMN more TEXT")
        #expect(before.0 != (try await source.fingerprint(in: .testing())))
    }

    // MARK: - Names

    @Test(
        "Names are names, whatever they hold",
        arguments: [
            "select", "a b", "a\"b", "x\"; DROP TABLE keep; --", "ŽLUŤ", "'", "%s", "1", "a.b", "[x]", "`", "😀",
            String(repeating: "n", count: 300),
        ])
    func names(name: String) async throws {
        try bench.sqlite("CREATE TABLE keep (a)")
        let schema = Schema([Field(name, .utf8, nullable: false), Field("v", .int64)])
        let rows: [[Scalar]] = [[.utf8(name), .integer(1)], [.utf8("other"), .integer(2)]]
        let sink = SQLiteSink(path: bench.path, table: name)
        try await sink.load([try .of(schema, rows)], schema: schema, mode: .append)
        try await sink.load([try .of(schema, rows)], schema: schema, mode: .replace)
        try await sink.load([try .of(schema, rows)], schema: schema, mode: .upsert(on: [name]))
        let source = SQLiteTableSource(path: bench.path, table: name)
        #expect(try await source.schema(in: .testing()) == schema)
        let read = try await source.readAll()
        #expect(read.batches.rows == rows)
        let escaped = name.replacingOccurrences(of: "'", with: "''")
        #expect(
            try bench.sqlite(
                "SELECT count(*) FROM sqlite_schema WHERE name IN ('keep', '\(escaped)') AND type = 'table'")
                == ["2"])
    }
}
