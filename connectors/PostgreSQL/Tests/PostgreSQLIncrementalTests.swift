import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadracePostgreSQL

/// A table that grows: five rows have one value of the cursor.
private struct GrowingTable: IncrementalSourceHarness {
    let bench: Bench
    let lag: String?

    init(_ bench: Bench, lag: String?) throws {
        self.bench = bench
        self.lag = lag
        try bench.psql("CREATE TABLE g (id bigint PRIMARY KEY, name text, at bigint); \(Self.insert(0..<20_000))")
    }

    private static func insert(_ ids: Range<Int>) -> String {
        """
        INSERT INTO g SELECT i, CASE WHEN i % 7 <> 3 THEN 'name ' || i END, i / 5
        FROM generate_series(\(ids.lowerBound), \(ids.upperBound - 1)) i
        """
    }

    func makeSource() throws -> PostgreSQLIncrementalSource {
        try PostgreSQLIncrementalSource(try bench.configuration, table: "g", cursor: "at", lag: lag)
    }
    var expectedSchema: Schema { Schema(NamedRows.schema.fields + [Field("at", .int64)]) }
    var expectedRows: [[Scalar]] { rows(0..<20_000) }
    func rows(_ ids: Range<Int>) -> [[Scalar]] { zip(NamedRows.rows(ids), ids).map { $0 + [.integer(Int128($1 / 5))] } }
    func leftovers() async throws -> [String] { try await bench.openConnections() }

    func add(_ ids: Range<Int>) async throws { try bench.psql(Self.insert(ids)) }

    func add(_ others: Range<Int>, whileAdding late: Range<Int>) async throws -> LateRows {
        let session = PostgreSQLSession(try bench.configuration)
        try await session.use { connection in
            try connection.script("BEGIN")
            _ = try connection.run(SQL(writtenByUser: Self.insert(late)))
        }
        try await add(others)
        return LateRows {
            try await session.use { try $0.script("COMMIT") }
            await session.close()
        }
    }
}

/// One test at a time on a server of its own: what other tests have under way may hold rows back for a pass.
@Suite(.serialized) struct PostgreSQLIncrementalTests {
    private static let server = Result { try PostgreSQLServer() }
    let bench: Bench

    init() throws {
        bench = try Bench(try Self.server.get())
        try bench.psql("CREATE TABLE t (id bigint, at timestamptz DEFAULT clock_timestamp(), v int DEFAULT 0)")
    }

    @Test(
        "What the engine demands of every incremental source",
        arguments: SourceContract<GrowingTable>.checks + SourceContract<GrowingTable>.incrementalChecks)
    private func contract(_ check: Check<GrowingTable>) async throws {
        try await check.run(on: try GrowingTable(bench, lag: nil))
    }

    @Test("The same with a lag", arguments: SourceContract<GrowingTable>.incrementalChecks)
    private func contractWithLag(_ check: Check<GrowingTable>) async throws {
        try await check.run(on: try GrowingTable(bench, lag: "100000"))
    }

    private func source(lag: String? = nil, cursor: String = "at", streams: Int = 1) throws
        -> PostgreSQLIncrementalSource
    {
        try PostgreSQLIncrementalSource(try bench.configuration, table: "t", cursor: cursor, lag: lag, streams: streams)
    }

    /// Reads to the end from `position`.
    private func pass(_ source: PostgreSQLIncrementalSource, from position: Position?) async throws -> (
        [Int], Position?
    ) {
        let read = try await source.readAll(from: position)
        return (read.batches.identifiers.sorted(), read.positions.last)
    }

    @Test("Each pass gives what came since the one before, an empty one nothing", arguments: [nil, "1 day"])
    func passes(lag: String?) async throws {
        let source = try source(lag: lag)
        try bench.psql("INSERT INTO t (id) SELECT generate_series(1, 100)")
        let (first, end) = try await pass(source, from: nil)
        #expect(first == Array(1...100))
        let (none, same) = try await pass(source, from: end)
        #expect(none.isEmpty)
        try bench.psql(
            "INSERT INTO t (id) VALUES (101), (102); UPDATE t SET v = 1, at = clock_timestamp() WHERE id = 7")
        let (second, last) = try await pass(source, from: same)
        #expect(second == [7, 101, 102])
        try bench.psql("DELETE FROM t WHERE id < 50; INSERT INTO t (id) VALUES (103)")
        #expect(try await pass(source, from: last).0 == [103])
    }

    @Test("A row that is committed late, below rows that were read, comes with the next pass, and none comes twice")
    func lateCommits() async throws {
        let source = try source(cursor: "id")
        try bench.psql("INSERT INTO t (id) VALUES (1)")
        let late = PostgreSQLSession(try bench.configuration)
        try await late.use {
            try $0.script("BEGIN; INSERT INTO t (id) VALUES (5); SAVEPOINT s; INSERT INTO t (id) VALUES (6)")
        }
        try bench.psql("INSERT INTO t (id) VALUES (10)")
        let (first, end) = try await pass(source, from: nil)
        #expect(first == [1])
        try bench.psql("INSERT INTO t (id) VALUES (11)")
        try await late.use { try $0.script("RELEASE SAVEPOINT s; COMMIT") }
        await late.close()
        let (second, last) = try await pass(source, from: end)
        #expect(second == [5, 6, 10, 11])
        #expect(try await pass(source, from: last).0.isEmpty)
    }

    @Test("Random transactions that overlap are read once each, in however many passes", arguments: [1, 2, 3])
    func overlaps(seed: UInt64) async throws {
        let random = RunRandom(seed: seed)
        let source = try source(cursor: "id")
        var sessions: [PostgreSQLSession?] = (0..<4).map { _ in nil }
        var expected: [Int] = []
        var pending: [[Int]] = sessions.map { _ in [] }
        var seen: [Int] = []
        var position: Position?
        var next = 1
        for _ in 0..<120 {
            let index = Int(random.next() % 4)
            if let session = sessions[index] {
                switch random.next() % 3 {
                case 0:
                    let id = next
                    next += 1
                    pending[index].append(id)
                    try await session.use { _ = try $0.run("INSERT INTO t (id) VALUES (\(id))") }
                case 1:
                    try await session.use { try $0.script("COMMIT") }
                    expected += pending[index]
                    await session.close()
                    sessions[index] = nil
                default:
                    let read = try await pass(source, from: position)
                    seen += read.0
                    position = read.1
                }
            } else {
                let session = PostgreSQLSession(try bench.configuration)
                try await session.use { try $0.script("BEGIN") }
                (sessions[index], pending[index]) = (session, [])
            }
        }
        for (index, session) in sessions.enumerated() {
            try await session?.use { try $0.script("COMMIT") }
            await session?.close()
            expected += session == nil ? [] : pending[index]
        }
        seen += try await pass(source, from: position).0
        #expect(seen.sorted() == expected.sorted())
        #expect(try bench.psql("SELECT count(*) FROM t") == ["\(expected.count)"])
    }

    @Test("A pass that stopped in the middle is finished, though rows changed meanwhile", arguments: [1, 3])
    func resumes(streams: Int) async throws {
        try bench.psql("INSERT INTO t (id) SELECT generate_series(1, 100000)")
        let source = try source(streams: streams)
        let begun = try await source.readAll(chunks: 4)
        try bench.psql("UPDATE t SET v = 1 WHERE id % 1000 = 0; INSERT INTO t (id) VALUES (200000)")
        let (rest, end) = try await pass(source, from: begun.positions.last)
        let first = begun.batches.identifiers + rest
        #expect(Set(first).count == first.count)
        let (changed, _) = try await pass(source, from: end)
        #expect(changed == (1...100).map { $0 * 1000 } + [200_000])
        #expect(Set(first + changed) == Set(1...100_000).union([200_000]))
    }

    @Test("The position stays small, whatever was read")
    func smallState() async throws {
        try bench.psql("INSERT INTO t (id) SELECT generate_series(1, 50000)")
        let (_, end) = try await pass(try source(), from: nil)
        #expect(try #require(end).value.compactText.utf8.count < 100)
    }

    @Test("With a lag the server uses the index on the cursor", arguments: [("id", "10"), ("at", "1 second")])
    func lagUsesIndex(cursor: String, lag: String) async throws {
        try bench.psql(
            """
            INSERT INTO t (id, at) SELECT i, timestamptz '2024-01-01' + i * interval '1 minute'
            FROM generate_series(1, 20000) i; CREATE INDEX ON t (\(cursor)); ANALYZE t
            """)
        let source = try source(lag: lag, cursor: cursor)
        let (_, end) = try await pass(source, from: nil)
        let position = try #require(end)
        let plan = try await bench.connected { connection in
            let table = try #require(try PostgreSQLTable.read(try PostgreSQLTableName("t"), from: connection))
            try PostgreSQLSnapshot.begin(connection)
            let plan = try PostgreSQLReadPlan.table(
                table, columns: table.columns, schema: table.schema, streams: 1, from: position,
                incremental: PostgreSQLIncrement(cursor: try PostgreSQLName(cursor), lag: lag), source: "t", connection)
            let text = try #require(plan.statements.first).text
            let query = text.dropFirst("COPY (".count).dropLast(") TO STDOUT (FORMAT binary)".count)
            return try connection.rows(SQL(writtenByUser: "EXPLAIN \(query)")) { $0.text(0) ?? "" }
        }
        #expect(plan.contains { $0.contains("Index") }, "\(plan)")
    }

    @Test("With a lag, rows further behind the cursor are not looked for")
    func lagBounds() async throws {
        try bench.psql("INSERT INTO t (id) SELECT generate_series(1, 20000)")
        let source = try source(lag: "10", cursor: "id")
        let (_, end) = try await pass(source, from: nil)
        try bench.psql("INSERT INTO t (id) VALUES (20001), (19995), (5), (NULL)")
        #expect(try await pass(source, from: end).0 == [-1, 19995, 20001])
    }

    @Test("A cursor that is no column, and a lag on one that neither counts nor tells time, are refused")
    func badCursors() async throws {
        let missing = try source(cursor: "nope")
        let error = await #expect(throws: HeadraceError.self) { _ = try await missing.schema(in: .testing()) }
        #expect(error?.code == .schemaMismatch)
    }

    // MARK: - In jobs

    private func identifiers(_ sink: MemorySink) -> [Int] {
        sink.rows.map { if case .integer(let id) = $0[0] { Int(id) } else { -1 } }
    }

    @Test("The next run of a job reads on where the last one ended; a restarted one from the beginning")
    func jobs() async throws {
        try bench.psql("INSERT INTO t (id) VALUES (1), (2)")
        let (source, sink, ledger) = (try source(), MemorySink("out"), MemoryLedger())
        func run(_ options: RunOptions = RunOptions()) async throws -> Int {
            let pipeline = Pipeline("t", from: source).loading(into: sink, mode: .append)
            let report = try await JobRunner(ledger: ledger, options: options).run(Job("load", pipeline))
            #expect(report.state == .complete)
            return report.accounts.first?.input ?? -1
        }
        #expect(try await run() == 2)
        #expect(try await run() == 0)
        try bench.psql("INSERT INTO t (id) VALUES (3)")
        #expect(try await run() == 1)
        #expect(identifiers(sink).sorted() == [1, 2, 3])
        #expect(try await run(RunOptions(restarts: true)) == 3)
    }

    @Test("A run that dies in the middle is finished by the next, with each row once")
    func interruptedJobs() async throws {
        try bench.psql("INSERT INTO t (id) SELECT generate_series(1, 60000)")
        let (source, sink, ledger) = (try source(), MemorySink("out"), MemoryLedger())
        func run() async throws {
            let options = RunOptions(commit: .every(bytes: 1, seconds: 3600))
            let pipeline = Pipeline("t", from: source).loading(into: sink, mode: .append)
            _ = try await JobRunner(ledger: ledger, options: options).run(Job("load", pipeline))
        }
        sink.set(.failsWriting(batch: 3))
        await #expect(throws: HeadraceError.self) { try await run() }
        #expect(!sink.rows.isEmpty && sink.rows.count < 60_000)
        sink.set(nil)
        try await run()
        try bench.psql("INSERT INTO t (id) VALUES (60001)")
        try await run()
        #expect(identifiers(sink).sorted() == Array(1...60_001))
    }
}
