import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

private let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

/// A server that waits a second for a lock, and no longer, where nobody says otherwise.
private let impatient = Result { try MariaDBServer(settings: ["--innodb-lock-wait-timeout=1"]) }

/// One whose time-outs undo whole transactions besides.
private let thorough = Result {
    try MariaDBServer(settings: ["--innodb-lock-wait-timeout=1", "--innodb-rollback-on-timeout=ON"])
}

@Suite(.serialized) struct MySQLConflictTests {
    private func bench(_ server: MariaDBServer? = nil) throws -> Bench {
        let bench = try Bench(server)
        try bench.mariadb("CREATE TABLE people (id bigint PRIMARY KEY, name text)")
        try bench.mariadb("INSERT INTO people SELECT seq, 'old' FROM seq_1_to_3")
        // Whoever has written less is whom the server ends.
        try bench.mariadb("CREATE TABLE weight (n int)")
        return bench
    }

    private func batch(_ ids: [Int], _ writer: MySQLSinkWriter) throws -> MySQLEncodedBatch {
        try writer.encode(.testing(try .of(people, ids.map { [.integer(Int128($0)), .utf8("new")] })))
    }

    private func run(_ statements: [SQL], in session: MySQLSession) async throws {
        try await session.use { connection in
            for sql in statements { try connection.execute(sql) }
        }
    }

    private func waitForLock(_ bench: Bench) async throws {
        for _ in 0..<400 {
            if try bench.mariadb(
                "SELECT COUNT(*) FROM information_schema.INNODB_LOCK_WAITS w JOIN information_schema.INNODB_TRX t ON t.trx_id = w.requesting_trx_id JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id WHERE p.DB = '\(bench.database)'"
            ) != ["0"] {
                return
            }
            try await Task.sleep(for: .milliseconds(25))
        }
        Issue.record("nobody waits for a lock")
    }

    /// A transaction that holds the row 2 and weighs more than a batch.
    private func rival(_ bench: Bench) async throws -> MySQLSession {
        let session = MySQLSession(try bench.configuration)
        try await run(
            [
                "START TRANSACTION", "INSERT INTO weight SELECT seq FROM seq_1_to_5000",
                "UPDATE people SET name = 'theirs' WHERE id = 2",
            ], in: session)
        return session
    }

    @Test(
        "A deadlock in the first batch of an epoch is tried again, and the batch arrives",
        arguments: ["upsert", "mirror"])
    func firstBatch(name: String) async throws {
        let bench = try bench()
        let other = try await rival(bench)
        let log = LogLines()
        var context = RunContext.testing()
        context.log = log.log
        let mode: SinkMode = name == "upsert" ? .upsert(on: ["id"]) : .mirror(on: ["id"])
        let writer = try await bench.sink("people").openWriter(for: people, mode: mode, in: context)
        let both = try batch([1, 2], writer)
        async let written = writer.write(both)
        try await waitForLock(bench)
        try await run(["UPDATE people SET name = 'theirs' WHERE id = 1", "COMMIT"], in: other)
        #expect(try await written.isEmpty)
        #expect(try await writer.write(try batch([3], writer)).isEmpty)
        if name == "mirror" { #expect(try await writer.deleteAbsent() == 0) }
        #expect(try await writer.settle() == WriteCounts(updated: 3))
        try await writer.commit(.testing())
        #expect(log.all.filter { $0.contains("trying again") }.count == 1)
        #expect(try bench.mariadb("SELECT id, name FROM people ORDER BY 1") == ["1\tnew", "2\tnew", "3\tnew"])
        #expect(try bench.stages() == [])
        await other.close()
    }

    @Test(
        "A deadlock that undoes earlier batches ends the run, which leaves nothing of the epoch, and running again helps"
    )
    func laterBatch() async throws {
        let bench = try bench()
        let other = try await rival(bench)
        let sink = try bench.sink("people")
        let writer = try await sink.openWriter(for: people, mode: .upsert(on: ["id"]), in: .testing())
        _ = try await writer.write(try batch([3], writer))
        let both = try batch([1, 2], writer)
        async let written = writer.write(both)
        try await waitForLock(bench)
        try await run(["UPDATE people SET name = 'theirs' WHERE id = 1"], in: other)
        var error: HeadraceError?
        do { _ = try await written } catch let found as HeadraceError { error = found }
        #expect(error?.code == .transactionConflict && error?.retry == .mayHelp)
        await writer.abort()
        try await run(["COMMIT"], in: other)
        #expect(try bench.mariadb("SELECT id, name FROM people ORDER BY 1") == ["1\ttheirs", "2\ttheirs", "3\told"])
        let again = try await sink.openWriter(for: people, mode: .upsert(on: ["id"]), in: .testing())
        _ = try await again.write(try batch([3], again))
        _ = try await again.write(try batch([1, 2], again))
        #expect(try await again.settle() == WriteCounts(updated: 3))
        try await again.commit(.testing())
        await other.close()
    }

    @Test("A lock that is waited for in vain is waited for again, and what the transaction did before stands")
    func lockTimeout() async throws {
        let bench = try bench(try impatient.get())
        let other = try await rival(bench)
        let log = LogLines()
        var context = RunContext.testing()
        context.log = log.log
        let writer = try await bench.sink("people").openWriter(for: people, mode: .upsert(on: ["id"]), in: context)
        _ = try await writer.write(try batch([3], writer))
        let rows = try batch([2, 9], writer)
        async let written = writer.write(rows)
        try await waitForLog(log)
        try await run(["COMMIT"], in: other)
        #expect(try await written.isEmpty)
        #expect(try await writer.settle() == WriteCounts(inserted: 1, updated: 2))
        try await writer.commit(.testing())
        #expect(
            try bench.mariadb("SELECT id, name FROM people ORDER BY 1") == ["1\told", "2\tnew", "3\tnew", "9\tnew"])
        await other.close()
    }

    @Test(
        "Where a time-out undoes the whole transaction, only its first batch is tried again", arguments: [false, true])
    func wholeTransaction(isFirst: Bool) async throws {
        let bench = try bench(try thorough.get())
        let other = try await rival(bench)
        let log = LogLines()
        var context = RunContext.testing()
        context.log = log.log
        let writer = try await bench.sink("people").openWriter(for: people, mode: .upsert(on: ["id"]), in: context)
        if !isFirst { _ = try await writer.write(try batch([3], writer)) }
        let rows = try batch([2, 9], writer)
        async let written = writer.write(rows)
        if isFirst {
            try await waitForLog(log)
            try await run(["COMMIT"], in: other)
            #expect(try await written.isEmpty)
            #expect(try await writer.settle() == WriteCounts(inserted: 1, updated: 1))
            try await writer.commit(.testing())
        } else {
            var error: HeadraceError?
            do { _ = try await written } catch let found as HeadraceError { error = found }
            #expect(error?.code == .databaseBusy && error?.retry == .mayHelp)
            await writer.abort()
            try await run(["COMMIT"], in: other)
        }
        #expect(
            try bench.mariadb("SELECT id, name FROM people ORDER BY 1")
                == (isFirst ? ["1\told", "2\tnew", "3\told", "9\tnew"] : ["1\told", "2\ttheirs", "3\told"]))
        await other.close()
    }

    private func waitForLog(_ log: LogLines) async throws {
        for _ in 0..<400 where !log.all.contains(where: { $0.contains("trying again") }) {
            try await Task.sleep(for: .milliseconds(25))
        }
    }
}
