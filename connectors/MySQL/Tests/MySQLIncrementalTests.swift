import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadraceMySQL

/// A table that grows.
private struct GrowingTable: IncrementalSourceHarness {
    let bench: Bench

    init(_ bench: Bench) throws {
        self.bench = bench
        try bench.mariadb(
            "CREATE TABLE g (id BIGINT AUTO_INCREMENT PRIMARY KEY, name TEXT); \(Self.insert(1..<20_001))")
    }

    private static func insert(_ ids: Range<Int>) -> String {
        """
        INSERT INTO g SELECT seq, CASE WHEN seq % 7 <> 3 THEN CONCAT('name ', seq) END
        FROM seq_\(ids.lowerBound)_to_\(ids.upperBound - 1)
        """
    }

    func makeSource() throws -> MySQLIncrementalSource {
        try MySQLIncrementalSource(configuration: try bench.configuration, table: "g", cursor: "id")
    }
    var expectedSchema: Schema { NamedRows.schema }
    var expectedRows: [[Scalar]] { NamedRows.rows(1..<20_001) }
    func leftovers() async throws -> [String] { try await bench.openConnections() }

    func add(_ ids: Range<Int>) async throws { try bench.mariadb(Self.insert(ids)) }

    func add(_ others: Range<Int>, whileAdding late: Range<Int>) async throws -> LateRows {
        let session = MySQLSession(try bench.configuration)
        try await session.use { connection in
            try connection.execute("START TRANSACTION")
            try connection.execute(SQL(writtenByUser: Self.insert(late)))
        }
        try await add(others)
        return LateRows {
            try await session.use { _ = try $0.execute("COMMIT") }
            await session.close()
        }
    }
}

/// One test at a time on a server of its own: what other tests have under way would hold rows back.
@Suite(.serialized) struct MySQLIncrementalTests {
    private static let server = Result { try MariaDBServer() }
    let bench: Bench

    init() throws {
        bench = try Bench(try Self.server.get())
        try bench.mariadb(
            """
            CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY,
              at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
              day DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, v INT DEFAULT 0,
              n DECIMAL(60,2) NULL, INDEX (at), INDEX (day))
            """)
    }

    @Test(
        "What the engine demands of every incremental source",
        arguments: SourceContract<GrowingTable>.checks + SourceContract<GrowingTable>.incrementalChecks)
    private func contract(_ check: Check<GrowingTable>) async throws {
        try await check.run(on: try GrowingTable(bench))
    }

    private func source(
        _ cursor: String, lag: String? = nil, streams: Int = 1, user: String? = nil
    ) throws -> MySQLIncrementalSource {
        var configuration = try bench.configuration
        if let user { configuration.user = user }
        return try MySQLIncrementalSource(
            configuration: configuration, table: "t", cursor: cursor, lag: lag, streams: streams)
    }

    /// Reads to the end from `position`.
    private func pass(
        _ source: MySQLIncrementalSource, from position: Position?, log: EventLog = .none
    ) async throws -> ([Int], Position?) {
        let read = try await source.readAll(from: position, in: .testing(log: log))
        return (read.batches.identifiers.sorted(), read.positions.last)
    }

    private func transaction(_ statements: SQL...) async throws -> MySQLSession {
        let session = MySQLSession(try bench.configuration)
        try await session.use { connection in
            // A DATETIME holds the time of its writer's zone, which is the server's for those who do not ask for another.
            try connection.execute("SET time_zone = @@global.time_zone")
            try connection.execute("START TRANSACTION")
            for statement in statements { try connection.execute(statement) }
        }
        return session
    }

    private func commit(_ session: MySQLSession) async throws {
        try await session.use { _ = try $0.execute("COMMIT") }
        await session.close()
    }

    @Test("Each pass gives what came since the one before, an empty one nothing", arguments: ["at", "day"])
    func passes(cursor: String) async throws {
        let source = try source(cursor)
        try bench.mariadb("INSERT INTO t (id) SELECT seq FROM seq_1_to_100")
        let (first, end) = try await pass(source, from: nil)
        #expect(first == Array(1...100))
        let (none, same) = try await pass(source, from: end)
        #expect(none.isEmpty)
        try bench.mariadb("INSERT INTO t (id) VALUES (101), (102); UPDATE t SET v = 1 WHERE id = 7")
        let (second, last) = try await pass(source, from: same)
        #expect(second == [7, 101, 102])
        try bench.mariadb("DELETE FROM t WHERE id < 50; INSERT INTO t (id) VALUES (103)")
        let (third, final) = try await pass(source, from: last)
        #expect(third == [103])
        #expect(try #require(final).value.compactText.utf8.count < 120)
    }

    @Test(
        "A row that is committed late, below rows that were there, comes with a later pass, and none comes twice",
        arguments: ["id", "at", "day"])
    func lateCommits(cursor: String) async throws {
        let source = try source(cursor)
        try bench.mariadb("INSERT INTO t () VALUES ()")
        let (first, end) = try await pass(source, from: nil)
        #expect(first == [1])
        let late = try await transaction("INSERT INTO t () VALUES ()", "SAVEPOINT s", "INSERT INTO t () VALUES ()")
        try bench.mariadb("INSERT INTO t () VALUES ()")
        let lines = LogLines()
        let (held, same) = try await pass(source, from: end, log: lines.log)
        #expect(held.isEmpty)
        #expect(lines.all.contains { $0.contains("left for a later run") })
        try bench.mariadb("INSERT INTO t () VALUES ()")
        try await commit(late)
        let (second, last) = try await pass(source, from: same)
        #expect(second == [2, 3, 4, 5])
        #expect(try await pass(source, from: last).0.isEmpty)
    }

    @Test("A pass waits for transactions that end soon, and reads their rows", arguments: ["id", "at"])
    func waits(cursor: String) async throws {
        let late = try await transaction("INSERT INTO t () VALUES ()")
        try bench.mariadb("INSERT INTO t () VALUES ()")
        let reading = Task { try await pass(try source(cursor), from: nil).0 }
        // Long enough for the pass to have seen the transaction under way.
        try await Task.sleep(for: .milliseconds(600))
        try await commit(late)
        #expect(try await reading.value == [1, 2])
    }

    @Test(
        "A statement that took its time or its number and has not written yet is waited for", arguments: ["id", "at"])
    func runningStatement(cursor: String) async throws {
        // The row's time is that of the statement's beginning, long before there is a transaction that has written.
        let slow = MySQLSession(try bench.configuration)
        let inserting = Task {
            try await slow.use {
                _ = try $0.execute("INSERT INTO t (v) SELECT SLEEP(1.5) FROM seq_1_to_1")
            }
        }
        for _ in 0..<200 {
            let running = try bench.mariadb(
                "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO t (v) SELECT SLEEP%'")
            if running == ["1"] { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        try bench.mariadb("INSERT INTO t () VALUES ()")
        let (first, end) = try await pass(try source(cursor), from: nil)
        _ = try await inserting.value
        await slow.close()
        let (second, _) = try await pass(try source(cursor), from: end)
        #expect((first + second).sorted() == [1, 2])
        if cursor == "at" { #expect(first.count == 2) }
    }

    @Test("Random transactions that overlap are read once each, in however many passes", arguments: [1, 2, 3, 4])
    func overlaps(seed: UInt64) async throws {
        let random = RunRandom(seed: seed)
        let source = try source(seed % 2 == 0 ? "id" : "at")
        let writers = try (0..<4).map { _ in MySQLSession(try bench.configuration) }
        // Transactions that live for some milliseconds, one after another on four connections, while passes go on.
        let seeds = writers.map { _ in random.next() }
        let writing = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (writer, seed) in zip(writers, seeds) {
                    group.addTask {
                        let random = RunRandom(seed: seed)
                        for _ in 0..<120 {
                            try await writer.use { connection in
                                try connection.execute("START TRANSACTION")
                                for _ in 0...random.next() % 3 { try connection.execute("INSERT INTO t () VALUES ()") }
                                if random.next() % 4 == 0 {
                                    _ = try connection.rows("SELECT SLEEP(0.0\(Int(random.next() % 9)))")
                                }
                                try connection.execute(random.next() % 5 == 0 ? "ROLLBACK" : "COMMIT")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        var seen: [Int] = []
        var position: Position?
        for _ in 0..<6 {
            let read = try await pass(source, from: position)
            seen += read.0
            position = read.1
        }
        try await writing.value
        for writer in writers { await writer.close() }
        seen += try await pass(source, from: position).0
        #expect(seen.sorted() == (try bench.mariadb("SELECT id FROM t ORDER BY id").compactMap { Int($0) }))
        #expect(seen.count > 400)
    }

    @Test("A pass that stopped in the middle is finished, though rows changed meanwhile", arguments: [1, 3])
    func resumes(streams: Int) async throws {
        try bench.mariadb("INSERT INTO t (id) SELECT seq FROM seq_1_to_100000; ANALYZE TABLE t")
        let source = try source("at", streams: streams)
        let begun = try await source.readAll(chunks: 4)
        try bench.mariadb("UPDATE t SET v = 1 WHERE id % 1000 = 0; INSERT INTO t (id) VALUES (200000)")
        let (rest, end) = try await pass(source, from: begun.positions.last)
        let first = begun.batches.identifiers + rest
        #expect(Set(first).count == first.count)
        let (changed, _) = try await pass(source, from: end)
        #expect(changed == (1...100).map { $0 * 1000 } + [200_000])
        #expect(Set(first + changed) == Set(1...100_000).union([200_000]))
    }

    @Test(
        "With a lag rows come when they are that old; whoever commits within it is not missed, and no privilege is needed"
    )
    func lagOfTime() async throws {
        let user = "reader_\(bench.database)"
        try bench.mariadb(
            "CREATE USER '\(user)'@'localhost'; GRANT SELECT ON \(bench.database).* TO '\(user)'@'localhost'")
        try bench.mariadb(
            """
            INSERT INTO t (id, at) SELECT seq, NOW(6) - INTERVAL 1 DAY FROM seq_1_to_10; INSERT INTO t (id) VALUES (11)
            """)
        let error = await #expect(throws: HeadraceError.self) {
            _ = try await pass(try self.source("at", user: user), from: nil)
        }
        #expect(error?.message.contains("PROCESS") == true)
        let source = try source("at", lag: "3 seconds", user: user)
        let late = try await transaction("INSERT INTO t (id) VALUES (12)")
        let (first, end) = try await pass(source, from: nil)
        #expect(first == Array(1...10))
        try await commit(late)
        let (second, same) = try await pass(source, from: end)
        #expect(second.isEmpty)
        try await Task.sleep(for: .milliseconds(3_500))
        let (third, last) = try await pass(source, from: same)
        #expect(third == [11, 12])
        #expect(try await pass(source, from: last).0.isEmpty)
    }

    @Test("A day's rows come when it has been over for the lag, so that none of a day that goes on is missed")
    func lagOfDays() async throws {
        try bench.mariadb(
            """
            ALTER TABLE t ADD d DATE NOT NULL DEFAULT '2020-01-01', ADD s DATETIME NOT NULL DEFAULT '2020-01-01';
            SET @now = NOW(6); INSERT INTO t (id, d, s) VALUES (1, DATE(@now) - INTERVAL 1 DAY, @now - INTERVAL 9 SECOND),
              (2, @now, @now), (3, DATE(@now) - INTERVAL 2 DAY, @now - INTERVAL 8 SECOND)
            """)
        // At most a second past midnight, yesterday is not over for long enough.
        let (days, end) = try await pass(try source("d", lag: "1 second"), from: nil)
        #expect(days == [1, 3] || days == [3])
        let bound = try #require(end?.value["bound"]?.stringValue)
        #expect(try bench.mariadb("SELECT '\(bound)' < DATE(NOW())") == ["1"])
        let (seconds, _) = try await pass(try source("s", lag: "4 seconds"), from: nil)
        #expect(seconds == [1, 3])
    }

    @Test("A lag of numbers leaves as many of the highest for later, and never goes back")
    func lagOfNumbers() async throws {
        try bench.mariadb("INSERT INTO t (id, n) SELECT seq, seq / 4 FROM seq_1_to_1000")
        let source = try source("id", lag: "100")
        let (first, end) = try await pass(source, from: nil)
        #expect(first == Array(1...900))
        try bench.mariadb("DELETE FROM t WHERE id > 500; ALTER TABLE t AUTO_INCREMENT = 1001")
        let (none, same) = try await pass(source, from: end)
        #expect(none.isEmpty)
        try bench.mariadb("INSERT INTO t (id) SELECT seq FROM seq_1001_to_1200")
        #expect(try await pass(source, from: same).0 == Array(1001...1100))
        let decimals = try self.source("n", lag: "0.5")
        try bench.mariadb("UPDATE t SET n = id / 4")
        #expect(try await pass(decimals, from: nil).0.last == 1198)
    }

    @Test("What cannot keep the promise is refused, with what to do instead")
    func refusals() async throws {
        func code(_ body: () async throws -> Void) async -> HeadraceError.Code? {
            do { try await body() } catch { return (error as? HeadraceError)?.code }
            return nil
        }
        try bench.mariadb("INSERT INTO t () VALUES ()")
        #expect(await code { _ = try await pass(try source("n"), from: nil) } == .schemaMismatch)
        #expect(await code { _ = try await pass(try source("nothing"), from: nil) } == .schemaMismatch)
        #expect(await code { _ = try source("at", lag: "soon") } == .badOption)
        #expect(await code { _ = try source("at", streams: 0) } == .badOption)
        #expect(await code { _ = try source("at", lag: "5000000 days") } == .badOption)
        #expect(await code { _ = try await pass(try source("at", lag: "10"), from: nil) } == .badOption)
        #expect(await code { _ = try await pass(try source("id", lag: "10 days"), from: nil) } == .badOption)
        try bench.mariadb("ALTER TABLE t ADD d DATE NOT NULL DEFAULT '2020-01-01', ADD f DOUBLE NOT NULL DEFAULT 0")
        #expect(await code { _ = try await pass(try source("d"), from: nil) } == .unsupported)
        #expect(try await pass(try source("d", lag: "2 days"), from: nil).0 == [1])
        #expect(await code { _ = try await pass(try source("f"), from: nil) } == .badOption)
        try bench.mariadb("ALTER TABLE t ENGINE = MyISAM")
        #expect(await code { _ = try await pass(try source("id"), from: nil) } == .unsupported)
        try bench.mariadb("ALTER TABLE t ENGINE = InnoDB, MODIFY id BIGINT, DROP PRIMARY KEY")
        #expect(await code { _ = try await pass(try source("id"), from: nil) } == .unsupported)
    }

    @Test("Times from the future wait until they have come, so that they hide nothing")
    func future() async throws {
        try bench.mariadb("INSERT INTO t (id, at) VALUES (1, NOW(6) - INTERVAL 1 HOUR), (2, '2037-01-01 00:00:00')")
        let (first, end) = try await pass(try source("at"), from: nil)
        #expect(first == [1])
        try bench.mariadb("INSERT INTO t (id) VALUES (3)")
        #expect(try await pass(try source("at"), from: end).0 == [3])
    }
}
