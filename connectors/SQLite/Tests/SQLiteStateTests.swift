import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

private let schema = Schema([Field("id", .int64)])

@Suite struct SQLiteStateTests {
    let bench: Workbench
    var sink: SQLiteSink { SQLiteSink(path: bench.path, table: "t") }

    init() throws { bench = try Workbench() }

    private func load(
        _ id: Int, fence: Int64, job: String = "job", checkpoint: Checkpoint = .testing()
    ) async throws {
        try await sink.load(
            [try .of(schema, [[.integer(Int128(id))]])], schema: schema, mode: .append,
            in: .testing(job: job, fence: fence), checkpoint: checkpoint)
    }

    @Test("Without a file, a table or a commit there is no checkpoint")
    func nothing() async throws {
        #expect(try await sink.committed(in: .testing()) == nil)
        #expect(bench.files == [])
        try bench.sqlite("CREATE TABLE t (id BIGINT)")
        #expect(try await sink.committed(in: .testing()) == nil)
    }

    @Test("A checkpoint comes back as it was committed, with every stream")
    func comesBack() async throws {
        let checkpoint = Checkpoint.testing(
            epoch: 3, final: false, run: "r",
            positions: ["a": ["x": 1], "b '\"; DROP": "text", "c": 9_007_199_254_740_993])
        try await load(1, fence: 1, checkpoint: checkpoint)
        #expect(try await sink.committed(in: .testing()) == checkpoint)
        #expect(try await sink.committed(in: .testing(job: "other")) == nil)
        #expect(try await SQLiteSink(path: bench.path, table: "u").committed(in: .testing()) == nil)
        #expect(try bench.sqlite("SELECT count(*), min(fence) FROM _headrace_state") == ["3,1"])
    }

    @Test("A checkpoint without positions comes back")
    func noPositions() async throws {
        let checkpoint = Checkpoint.testing(positions: [:])
        try await load(1, fence: 1, checkpoint: checkpoint)
        #expect(try await sink.committed(in: .testing()) == checkpoint)
    }

    @Test("A later checkpoint takes the place of the earlier one, streams that are gone included")
    func replaces() async throws {
        try await load(1, fence: 1, checkpoint: .testing(positions: ["a": 1, "b": 2]))
        let later = Checkpoint.testing(epoch: 2, positions: ["b": 3])
        try await load(2, fence: 1, checkpoint: later)
        #expect(try await sink.committed(in: .testing()) == later)
    }

    @Test("A writer with a lower fence is refused before it writes, and its rows do not arrive")
    func refusesZombie() async throws {
        try await load(1, fence: 5)
        let error = await #expect(throws: HeadraceError.self) { try await load(2, fence: 4) }
        #expect(error?.code == .leaseLost)
        #expect(try bench.sqlite("SELECT id FROM t") == ["1"])
        try await load(3, fence: 5)
        try await load(4, fence: 6)
        try await load(5, fence: 1, job: "other")
        #expect(try bench.sqlite("SELECT group_concat(id) FROM t") == ["'1,3,4,5'"])
    }

    @Test("Of two runs that went on from one checkpoint the second to commit is refused, whatever the fences")
    func refusesTheSecond() async throws {
        for fences in [(1, 2), (2, 1)] as [(Int64, Int64)] {
            let job = "job \(fences.0)"
            let (early, late) = (sink, sink)
            let one = RunContext.testing(job: job, run: "one", fence: fences.0)
            let other = RunContext.testing(job: job, run: "other", fence: fences.1)
            #expect(try await early.committed(in: one) == nil)
            #expect(try await late.committed(in: other) == nil)
            try await early.load([try .of(schema, [[.integer(1)]])], schema: schema, mode: .append, in: one)
            let error = await #expect(throws: HeadraceError.self) {
                try await late.load([try .of(schema, [[.integer(2)]])], schema: schema, mode: .append, in: other)
            }
            #expect(error?.code == .leaseLost)
            #expect(try bench.sqlite("SELECT count(*) FROM t WHERE id = 2") == ["0"])
        }
    }

    @Test("A writer that was overtaken between two of its epochs is refused at the second")
    func refusesOvertaken() async throws {
        let slow = try await sink.openWriter(for: schema, mode: .append, in: .testing(run: "slow", fence: 1))
        _ = try await slow.write(try slow.encode(.testing(try .of(schema, [[.integer(1)]]))))
        _ = try await slow.settle()
        try await slow.commit(.testing(epoch: 1, final: false))
        try await load(2, fence: 2)
        let encoded = try slow.encode(.testing(try .of(schema, [[.integer(3)]])))
        let error = await #expect(throws: HeadraceError.self) { _ = try await slow.write(encoded) }
        #expect(error?.code == .leaseLost)
        await slow.abort()
        #expect(try bench.sqlite("SELECT group_concat(id) FROM t") == ["'1,2'"])
    }

    @Test("A state table that somebody has damaged is an error that says so")
    func damaged() async throws {
        try await load(1, fence: 1)
        try bench.sqlite("UPDATE _headrace_state SET checkpoint = '{'")
        let error = await #expect(throws: HeadraceError.self) { _ = try await sink.committed(in: .testing()) }
        #expect(error?.code == .malformedInput)
    }
}
