import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Testing

/// The sink's switched-on mistakes are what a harness has to find: each must break the promise it is named for.
struct MemorySinkTests {
    private let rows: [[Scalar]] = (1...7).map { [.integer($0)] }

    private func load(into sink: MemorySink, failsAt: Int? = nil, ledger: MemoryLedger = MemoryLedger()) async throws
        -> RunReport
    {
        let records = try #require(RecordBatch(schema: Schema([Field("n", .int64)]), rows: rows))
        let source = MemorySource("numbers", records, failsAt: failsAt)
        // One worker, so that a batch is written before the next is read; one commit, at the end: on a busy machine ten seconds may
        // pass between two batches.
        let options = RunOptions(scheduling: .threaded(workers: 1), commit: .run)
        return try await JobRunner(ledger: ledger, options: options).run(
            Job("numbers", Pipeline("numbers", from: source).loading(into: sink, mode: .append)))
    }

    @Test func `an honest sink has every row once, in order, and keeps no writer open`() async throws {
        let sink = MemorySink("table")
        let report = try await load(into: sink)
        #expect(report.state == .complete)
        #expect(sink.rows == rows)
        #expect(sink.openWriters == 0)
        #expect(sink.commits > 0)
    }

    @Test func `a row dropped without a word does not pass the account`() async throws {
        let sink = MemorySink("table", fault: .dropsRows)
        await #expect(throws: HeadraceError.self) { try await load(into: sink) }
        #expect(sink.rows.isEmpty)
        #expect(sink.openWriters == 0)
    }

    @Test func `rows shown early are there although the run failed`() async throws {
        let sink = MemorySink("table", fault: .showsEarly)
        await #expect(throws: HeadraceError.self) { try await load(into: sink, failsAt: 1) }
        #expect(!sink.rows.isEmpty)
    }

    @Test func `a sink that is cut off shows nothing and takes all rows the next time`() async throws {
        let sink = MemorySink("table", fault: .failsWriting(batch: 1))
        let ledger = MemoryLedger()
        await #expect(throws: HeadraceError.self) { try await load(into: sink, ledger: ledger) }
        #expect(sink.rows.isEmpty)
        sink.set(nil)
        #expect(try await load(into: sink, ledger: ledger).state == .complete)
        #expect(sink.rows == rows)
    }

    @Test func `a commit whose answer was lost is not done twice`() async throws {
        let sink = MemorySink("table", fault: .failsAfterCommit)
        let ledger = MemoryLedger()
        await #expect(throws: HeadraceError.self) { try await load(into: sink, ledger: ledger) }
        sink.set(nil)
        _ = try await load(into: sink, ledger: ledger)
        #expect(sink.rows == rows)
    }

    @Test func `a refused row is a reject of the step that loads`() async throws {
        let sink = MemorySink("table", fault: .refuses(.integer(3)))
        let ledger = MemoryLedger()
        let report = try await load(into: sink, ledger: ledger)
        #expect(report.state == .completeWithErrors)
        #expect(sink.rows == rows.filter { $0 != [.integer(3)] })
        let kept = try await ledger.openRejects(of: report.run)
        #expect(kept.map(\.reject.rule) == ["refused"])
        #expect(kept.map(\.reject.place.row) == [3])
    }
}
