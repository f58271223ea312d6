import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Synchronization
import Testing

/// Fails a fault point when it is reached for the n-th time, from 1.
private final class PlannedFault: FaultPoints {
    private let point: String
    private let left: Mutex<Int>

    init(_ point: String, _ time: Int) {
        self.point = point
        left = Mutex(time)
    }

    func reach(_ point: String) throws {
        guard point == self.point else { return }
        let isNow = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isNow { throw HeadraceError(.init("fault"), "planned fault at \(point)") }
    }
}

/// A load of 20 rows in epochs of three, two of which are refused, that is interrupted and run again.
@Suite struct InterruptedRunTests {
    private let schema = Schema([Field("id", .int64, nullable: false)])
    private let sink = MemorySink("out")
    private let ledger = MemoryLedger()

    private func load(unreadable: Set<Int> = [1, 10]) throws -> Load {
        let records = try #require(RecordBatch(schema: schema, rows: (0..<20).map { [.integer(Int128($0))] }))
        return Pipeline("p", from: MemorySource("in", records, unreadable: unreadable))
            .loading(into: sink, mode: .append)
    }

    private func run(
        _ faults: any FaultPoints = NoFaults(), allowed: RejectAllowance = .rows(0), restarts: Bool = false
    ) async throws -> RunReport {
        let options = RunOptions(
            scheduling: .threaded(workers: 2), faults: faults, commit: .every(bytes: 1, seconds: 1000),
            allowedRejects: allowed, restarts: restarts)
        return try await JobRunner(ledger: ledger, options: options).run(Job("copy", try load()))
    }

    private func rows(_ rejects: [RejectRecord]) -> [Int] { rejects.map(\.reject.place.row) }

    private static let points = [
        "commit.begin", "commit.settled", "commit.rejectsDurable", "commit.prepared", "commit.sinkCommitted",
        "commit.ledgerCommitted", "commit.recorded",
    ]

    @Test(
        "Run again, an interrupted run counts the rows and rejects of what was committed before",
        arguments: points, [1, 2, 4, 5, 7])
    func goesOn(point: String, time: Int) async throws {
        await #expect(throws: HeadraceError.self) { try await run(PlannedFault(point, time)) }
        let interrupted = try #require(await ledger.runs(job: nil, limit: 1).first).identifier
        let isCommitted = ["sinkCommitted", "ledgerCommitted", "recorded"].contains { point.hasSuffix($0) }
        let committed = isCommitted ? time : time - 1
        let report = try await run()
        #expect(report.state == .completeWithErrors && report.rejected == 2)
        #expect(report.accounts.map(\.input) == [20, 18] && report.accounts.allSatisfy { $0.isBalanced })
        #expect(report.accounts.last?.written == WriteCounts(inserted: 18))
        #expect(sink.rows.count == 18)
        #expect(rows(await ledger.rejects(of: report.run, after: 0, limit: 9)) == [2, 11])
        #expect(await ledger.rejectSummary(of: report.run).map(\.count) == [2])
        // The interrupted run keeps the account and the rejects of its own epochs, and of no other.
        let before = min(committed * 3, 20)
        #expect(await ledger.accounts(of: interrupted).first?.input ?? 0 == before)
        #expect(await ledger.accounts(of: interrupted).allSatisfy { $0.isBalanced })
        #expect(rows(await ledger.rejects(of: interrupted, after: 0, limit: 9)) == [2, 11].filter { $0 <= before })
    }

    @Test("A third run goes on after two, and each reject is listed once")
    func goesOnTwice() async throws {
        await #expect(throws: HeadraceError.self) { try await run(PlannedFault("commit.ledgerCommitted", 1)) }
        await #expect(throws: HeadraceError.self) { try await run(PlannedFault("commit.rejectsDurable", 3)) }
        await #expect(throws: HeadraceError.self) { try await run(PlannedFault("commit.sinkCommitted", 2)) }
        let report = try await run(allowed: .rows(2))
        #expect(report.state == .complete && report.rejected == 2)
        #expect(rows(await ledger.rejects(of: report.run, after: 0, limit: 9)) == [2, 11])
        #expect(sink.rows.count == 18)
    }

    @Test("Interrupted after its last commit, a run that is run again reports what was loaded")
    func wasComplete() async throws {
        await #expect(throws: HeadraceError.self) { try await run(PlannedFault("run.ending", 1)) }
        let report = try await run()
        #expect(report.state == .completeWithErrors && report.rejected == 2)
        #expect(report.accounts.map(\.input) == [20, 18])
        #expect(sink.rows.count == 18)
    }

    @Test(
        "Rows that were appended are not doubled by beginning afresh: that is refused, and the run can still go on",
        arguments: ["commit.sinkCommitted", "commit.ledgerCommitted", "run.ending"])
    func restarts(point: String) async throws {
        await #expect(throws: HeadraceError.self) { try await run(PlannedFault(point, 1)) }
        let rows = sink.rows.count
        for _ in 0..<2 {
            let error = await #expect(throws: HeadraceError.self) { try await run(restarts: true) }
            #expect(error?.code == .unsupported)
            #expect(error?.message.hasPrefix("\(rows) rows") == true, "\(error?.message ?? "")")
            #expect(error?.hint?.contains("without --restart") == true)
        }
        #expect(sink.rows.count == rows)
        let report = try await run()
        #expect(report.rejected == 2 && sink.rows.count == 18)
        #expect(self.rows(await ledger.rejects(of: report.run, after: 0, limit: 9)) == [2, 11])
        _ = try await run(restarts: true)
        #expect(sink.rows.count == 36, "a load that came to its end is done again, as without the option")
    }

    @Test("Where nothing was committed, beginning afresh is as good as going on")
    func restartsFromNothing() async throws {
        await #expect(throws: HeadraceError.self) { try await run(PlannedFault("commit.prepared", 1)) }
        let report = try await run(restarts: true)
        #expect(report.rejected == 2 && sink.rows.count == 18)
    }

    @Test("Rejects of an epoch that was never committed are not replayed, before the next run and after it")
    func phantoms() async throws {
        await #expect(throws: HeadraceError.self) { try await run(PlannedFault("commit.rejectsDurable", 1)) }
        let interrupted = try #require(await ledger.runs(job: nil, limit: 1).first).identifier
        #expect(try await ledger.openRejects(of: interrupted).isEmpty)
        let next = try await run()
        #expect(try await ledger.openRejects(of: interrupted).isEmpty)
        #expect(rows(try await ledger.openRejects(of: next.run)) == [2, 11])
    }
}
