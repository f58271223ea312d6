import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

private let people = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

@Suite struct PostgreSQLConflictTests {
    let bench: Bench
    var sink: PostgreSQLSink { get throws { PostgreSQLSink(try bench.configuration, table: "people") } }

    init() throws { bench = try Bench() }

    /// Waits until a backend of the database waits for a lock.
    private func waitForLock(_ session: PostgreSQLSession) async throws {
        for _ in 0..<400 {
            let waiting = try await session.use { connection in
                try connection.first(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                ) { $0.integer(0) ?? 0 }
            }
            if waiting ?? 0 > 0 { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        Issue.record("nobody waits for a lock")
    }

    @Test("A batch that a deadlock undoes is written again; batches before it stand", arguments: ["upsert", "mirror"])
    func deadlock(name: String) async throws {
        try bench.psql("CREATE TABLE people (id bigint PRIMARY KEY, name text)")
        try bench.psql("INSERT INTO people SELECT n, 'old' FROM generate_series(1, 3) n")
        let (other, watcher) = (PostgreSQLSession(try bench.configuration), PostgreSQLSession(try bench.configuration))
        let log = LogLines()
        var context = RunContext.testing()
        context.log = log.log
        let mode: SinkMode = name == "upsert" ? .upsert(on: ["id"]) : .mirror(on: ["id"])
        // A server looks for a deadlock once in a wait, after this time: the other one must stand in it by then.
        var configuration = try bench.configuration
        try configuration.set("options", to: "-c deadlock_timeout=8s")
        let patient = PostgreSQLSink(configuration, table: "people")
        let writer = try await patient.openWriter(for: people, mode: mode, in: context)
        func batch(_ ids: [Int]) throws -> PostgreSQLEncodedBatch {
            try writer.encode(.testing(try .of(people, ids.map { [.integer(Int128($0)), .utf8("new")] })))
        }
        _ = try await writer.write(try batch([3]))
        // The other one looks for deadlocks later, so that ours is the one that the server ends.
        try await other.use {
            try $0.script("SET deadlock_timeout = '1min'; BEGIN; UPDATE people SET name = 'theirs' WHERE id = 2")
        }
        let both = try batch([1, 2])
        async let written = writer.write(both)
        try await waitForLock(watcher)
        try await other.use { try $0.script("UPDATE people SET name = 'theirs' WHERE id = 1; COMMIT") }
        #expect(try await written.isEmpty)
        #expect(try await writer.settle() == WriteCounts(updated: 3))
        try await writer.commit(.testing())
        #expect(log.all.count == 1 && log.all[0].hasPrefix("another transaction stood in the way, trying again"))
        #expect(try bench.psql("SELECT id, name FROM people ORDER BY 1") == ["1|new", "2|new", "3|new"])
        await other.close()
        await watcher.close()
    }

    @Test("Where the other transaction waits for a batch before, the load gives up after a while and changes nothing")
    func hopeless() async throws {
        try bench.psql(
            "CREATE TABLE people (id bigint PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'old'), (2, 'old')")
        let (other, watcher) = (PostgreSQLSession(try bench.configuration), PostgreSQLSession(try bench.configuration))
        let writer = try await sink.openWriter(for: people, mode: .upsert(on: ["id"]), in: .testing())
        func batch(_ id: Int) throws -> PostgreSQLEncodedBatch {
            try writer.encode(.testing(try .of(people, [[.integer(Int128(id)), .utf8("new")]])))
        }
        _ = try await writer.write(try batch(1))
        try await other.use {
            try $0.script("SET deadlock_timeout = '1min'; BEGIN; UPDATE people SET name = 'theirs' WHERE id = 2")
        }
        async let theirs: Void = other.use { try $0.script("UPDATE people SET name = 'theirs' WHERE id = 1; COMMIT") }
        try await waitForLock(watcher)
        let second = try batch(2)
        let error = await #expect(throws: HeadraceError.self) { _ = try await writer.write(second) }
        #expect(error?.code.rawValue == "transactionConflict" && error?.retry == .mayHelp)
        await writer.abort()
        try await theirs
        #expect(try bench.psql("SELECT id, name FROM people ORDER BY 1") == ["1|theirs", "2|theirs"])
        await other.close()
        await watcher.close()
    }
}
