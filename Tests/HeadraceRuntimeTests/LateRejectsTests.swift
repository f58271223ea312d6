import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Synchronization
import Testing

/// Keeps batches in hand, three at a time, and finds odd numbers only when it writes them.
private final class PileSink: AppendingSink, Sendable {
    let name = "pile"
    let numbers = Mutex<[Int]>([])

    func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String] { [] }

    func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> Writer { Writer(self) }

    /// - Invariant (`@unchecked Sendable`): used by one caller at a time, as `SinkWriter` promises.
    final class Writer: SinkWriter, @unchecked Sendable {
        private let sink: PileSink
        private var pile: [Batch] = []
        private var written: [Int] = []

        init(_ sink: PileSink) { self.sink = sink }

        func encode(_ batch: Batch) throws -> Batch { batch }

        func write(_ batch: Batch) async throws -> [Reject] {
            pile.append(batch)
            return pile.count < 3 ? [] : try await drain()
        }

        func drain() async throws -> [Reject] {
            var rejects: [Reject] = []
            for batch in pile {
                for row in 0..<batch.count {
                    guard case .integer(let number) = batch.records.columns[0].scalar(at: row) else { continue }
                    if number % 2 == 0 {
                        written.append(Int(number))
                    } else {
                        rejects.append(batch.reject(row: row, rule: "even", code: "odd", message: "\(number) is odd"))
                    }
                }
            }
            pile = []
            return rejects
        }

        func settle() async throws -> WriteCounts { WriteCounts(inserted: written.count) }

        func commit(_ checkpoint: Checkpoint) async throws {
            sink.numbers.withLock { $0 += written }
            written = []
        }

        func abort() async {}
    }
}

@Suite struct LateRejectsTests {
    @Test(
        "Rows that a sink refuses later than their batch are rejects of it all the same",
        arguments: [0, 1, 2, 5, 6, 7, 20], [CommitPolicy.run, .every(bytes: 1, seconds: 1000)])
    func countsLateRejects(rows: Int, policy: CommitPolicy) async throws {
        let schema = Schema([Field("id", .int64, nullable: false)])
        let records = try #require(RecordBatch(schema: schema, rows: (0..<rows).map { [.integer(Int128($0))] }))
        let source = MemorySource("in", records, chunkSize: 2)
        let (sink, ledger) = (PileSink(), MemoryLedger())
        let options = RunOptions(scheduling: .threaded(workers: 2), commit: policy)
        let report = try await JobRunner(ledger: ledger, options: options).run(
            Job("late", Pipeline("p", from: source).loading(into: sink, mode: .append)))
        #expect(sink.numbers.withLock { $0 } == (0..<rows).filter { $0 % 2 == 0 })
        let account = try #require(report.accounts.last)
        #expect(account.input == rows && account.rejected == rows / 2 && account.isBalanced)
        #expect(account.written == WriteCounts(inserted: rows - rows / 2))
        let rejects = await ledger.rejects(of: report.run, after: 0, limit: 100)
        #expect(rejects.map(\.reject.message) == (0..<rows).filter { $0 % 2 == 1 }.map { "\($0) is odd" })
        #expect(rejects.allSatisfy { $0.reject.step == account.step })
    }

    @Test("More of them than are allowed end the run before they are committed")
    func stops() async throws {
        let schema = Schema([Field("id", .int64, nullable: false)])
        let records = try #require(RecordBatch(schema: schema, rows: (0..<4).map { [.integer(Int128($0))] }))
        let sink = PileSink()
        let load = Pipeline("p", from: MemorySource("in", records, chunkSize: 2)).loading(into: sink, mode: .append)
        let error = await #expect(throws: HeadraceError.self) {
            // One commit, at the end: on a busy machine ten seconds may pass between two batches.
            let options = RunOptions(commit: .run, allowedRejects: .rows(1), stopsOnRejects: true)
            _ = try await JobRunner(ledger: MemoryLedger(), options: options).run(Job("late", load))
        }
        #expect(error?.code == .tooManyRejects)
        #expect(sink.numbers.withLock { $0 } == [])
    }
}
