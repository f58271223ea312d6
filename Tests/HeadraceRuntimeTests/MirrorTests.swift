import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Synchronization
import Testing

/// A set of numbers that can be mirrored; keeps what it has seen with its checkpoint, as a sink in a database does.
private final class NumberSink: MirroringSink, UpsertingSink, Sendable {
    struct State {
        var numbers: Set<Int>
        var seen: Set<Int> = []
        var checkpoint: Checkpoint?
    }

    let name = "numbers"
    let state: Mutex<State>

    init(_ numbers: Set<Int>) { state = Mutex(State(numbers: numbers)) }

    var numbers: Set<Int> { state.withLock { $0.numbers } }

    func committed(in context: RunContext) async throws -> Checkpoint? { state.withLock { $0.checkpoint } }

    func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] { [] }

    func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> Writer {
        Writer(self, resumed: context.resumed)
    }

    /// - Invariant (`@unchecked Sendable`): used by one caller at a time, as `SinkWriter` promises.
    final class Writer: MirroringWriter, @unchecked Sendable {
        private let sink: NumberSink
        private var work: State
        private var counts = WriteCounts()

        init(_ sink: NumberSink, resumed: Checkpoint?) {
            self.sink = sink
            work = sink.state.withLock { $0 }
            if resumed == nil { work.seen = [] }
        }

        func encode(_ batch: Batch) throws -> [Int] {
            (0..<batch.count).compactMap { Int(batch.records.columns[0].scalar(at: $0).description) }
        }

        func write(_ numbers: [Int]) async throws -> [Reject] {
            for number in numbers {
                if work.numbers.insert(number).inserted { counts.inserted += 1 } else { counts.unchanged += 1 }
                work.seen.insert(number)
            }
            return []
        }

        func deleteAbsent() async throws -> Int {
            let absent = work.numbers.subtracting(work.seen)
            work.numbers.subtract(absent)
            counts.deleted += absent.count
            return absent.count
        }

        func settle() async throws -> WriteCounts { counts }

        func commit(_ checkpoint: Checkpoint) async throws {
            work.checkpoint = checkpoint
            counts = WriteCounts()
            sink.state.withLock { $0 = work }
        }

        func abort() async {}
    }
}

/// Numbers of which a run gets only those that are new.
private struct NewNumbers: IncrementalSource {
    let base: MemorySource
    var name: String { base.name }
    func schema(in context: RunContext) async throws -> Schema { base.records.schema }
    func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws
        -> MemorySource.Reader
    { try await base.openReader(for: schema, from: position, in: context) }
}

private final class FaultOnce: FaultPoints {
    private let point: String
    private let isDue = Mutex(true)

    init(at point: String) { self.point = point }

    func reach(_ point: String) throws {
        guard point == self.point,
            isDue.withLock({ due in
                defer { due = false }; return due
            })
        else { return }
        throw HeadraceError(.init("fault"), "planned fault")
    }
}

@Suite struct MirrorTests {
    private let sink = NumberSink([3, 4, 100, 101])
    private let ledger = MemoryLedger()

    private func source(_ range: Range<Int>, unreadable: Set<Int> = []) throws -> MemorySource {
        let schema = Schema([Field("id", .int64, nullable: false)])
        let records = try #require(RecordBatch(schema: schema, rows: range.map { [.integer(Int128($0))] }))
        return MemorySource("in", records, unreadable: unreadable)
    }

    private func run(
        _ source: some Source, _ faults: any FaultPoints = NoFaults(), log: EventLog = .none
    ) async throws -> RunReport {
        let options = RunOptions(
            scheduling: .threaded(workers: 2), log: log, faults: faults, commit: .every(bytes: 1, seconds: 1000))
        return try await JobRunner(ledger: ledger, options: options).run(
            Job("mirror", Pipeline("p", from: source).loading(into: sink, mode: .mirror(on: "id"))))
    }

    @Test("A mirror holds the rows of the source and no others, and its account counts what went")
    func mirrors() async throws {
        let report = try await run(try source(0..<10))
        #expect(sink.numbers == Set(0..<10))
        let account = try #require(report.accounts.last)
        #expect(account.input == 10 && account.added == 2 && account.output == 12 && account.isBalanced)
        #expect(account.written == WriteCounts(inserted: 8, unchanged: 2, deleted: 2))
    }

    @Test(
        "Interrupted between two epochs and run again, it knows the rows of both",
        arguments: ["commit.begin", "commit.prepared", "commit.sinkCommitted", "commit.recorded"])
    func resumes(point: String) async throws {
        await #expect(throws: HeadraceError.self) { try await run(try source(0..<10), FaultOnce(at: point)) }
        #expect(sink.numbers.isSuperset(of: [100, 101]))
        let report = try await run(try source(0..<10))
        #expect(sink.numbers == Set(0..<10))
        #expect(report.accounts.last?.written?.deleted == 2 && report.accounts.allSatisfy { $0.isBalanced })
    }

    @Test("Where a row was refused before the sink, nothing is deleted, and the log says so")
    func rejects() async throws {
        let warnings = Mutex<[String]>([])
        let log = EventLog { level, message, _ in
            if level == .warning { warnings.withLock { $0.append(message) } }
        }
        let report = try await run(try source(0..<10, unreadable: [5]), log: log)
        #expect(report.state == .completeWithErrors)
        #expect(sink.numbers == Set(0..<10).subtracting([5]).union([100, 101]))
        #expect(report.accounts.last?.written?.deleted == 0)
        #expect(warnings.withLock { $0 } == ["the mirror deleted nothing: the keys of refused rows are not known"])
    }

    @Test("A load without rows deletes nothing and fails; where there is nothing to delete it is complete")
    func empty() async throws {
        let error = await #expect(throws: HeadraceError.self) { try await run(try source(0..<0)) }
        #expect(error?.code == .unsupported && error?.message.contains("would delete all 4 rows") == true)
        #expect(sink.numbers == [3, 4, 100, 101])
        sink.state.withLock { $0.numbers = [] }
        #expect(try await run(try source(0..<0)).state == .complete)
    }

    @Test("A source that gives only what is new is refused before any row moves")
    func incremental() async throws {
        let error = await #expect(throws: HeadraceError.self) { try await run(NewNumbers(base: try source(0..<10))) }
        #expect(error?.code == .unsupported && error?.message.contains("only the rows that are new") == true)
        #expect(sink.numbers == [3, 4, 100, 101])
    }
}
