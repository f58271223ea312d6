import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Synchronization
import Testing

/// Keeps the events of a run.
private final class Events: ProgressReporter {
    private let kept = Mutex<[ProgressEvent]>([])
    var all: [ProgressEvent] { kept.withLock { $0 } }
    func report(_ event: ProgressEvent) { kept.withLock { $0.append(event) } }

    /// Step and rows of the events that tell what is written.
    var written: [(step: String, rows: Int)] {
        all.compactMap { if case .written(let step, let rows) = $0 { (step, rows) } else { nil } }
    }
}

@Suite struct ProgressTests {
    private func source() throws -> MemorySource {
        let schema = Schema([Field("id", .int64)])
        let records = try #require(RecordBatch(schema: schema, rows: (0..<10).map { [.integer(Int128($0))] }))
        return MemorySource("in", records, chunkSize: 3)
    }

    private func events(of load: Load) async throws -> Events {
        let events = Events()
        var options = RunOptions(scheduling: .threaded(workers: 2), allowedRejects: .unlimited)
        options.progress = events
        _ = try await JobRunner(ledger: MemoryLedger(), options: options).run(Job("job", load))
        return events
    }

    @Test("A run tells how many rows the sink has taken, those it refuses left out")
    func written() async throws {
        let sink = MemorySink("out", fault: .refuses(.integer(4)))
        let events = try await events(of: Pipeline("p", from: try source()).loading(into: sink, mode: .append))
        #expect(events.written.map(\.rows) == [3, 5, 8, 9])
        #expect(events.written.allSatisfy { $0.step == "load" })
    }

    @Test("Rows that come out of a sort are told after the source's end")
    func writtenLate() async throws {
        let sink = MemorySink("out")
        let load = Pipeline("p", from: try source()).sorted(by: .descending("id")).loading(into: sink, mode: .append)
        let events = try await events(of: load).all
        let finished = try #require(events.firstIndex { if case .stepFinished = $0 { true } else { false } })
        let written = try #require(events.firstIndex { if case .written(_, 10) = $0 { true } else { false } })
        let committed = try #require(events.firstIndex { if case .committed = $0 { true } else { false } })
        #expect(finished < written && written < committed)
    }

    @Test("Each of several sinks is told under its own step")
    func severalSinks() async throws {
        let trunk = Pipeline("p", from: try source()).shared()
        let load = trunk.loading(into: MemorySink("a"), mode: .append)
            .and(trunk.loading(into: MemorySink("b"), mode: .append))
        let written = try await events(of: load).written
        #expect(written.filter { $0.step == "load a" }.map(\.rows) == [3, 6, 9, 10])
        #expect(written.filter { $0.step == "load b" }.map(\.rows) == [3, 6, 9, 10])
    }
}
