import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadraceSQLite

/// Fails the fault point that is reached as number `call`, from 0.
private final class FaultAt: FaultPoints {
    private let left: Mutex<Int>
    init(call: Int) { left = Mutex(call) }

    func reach(_ point: String) throws {
        let isNow = left.withLock { left in
            left -= 1
            return left == -1
        }
        if isNow { throw HeadraceError(.init("fault"), "planned fault at \(point)") }
    }

    /// Whether the run ended before the call came.
    var isUnused: Bool { left.withLock { $0 >= 0 } }
}

private let schema = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

@Suite struct SQLiteJobTests {
    let bench: Workbench
    init() throws { bench = try Workbench() }

    private func numbered(_ count: Int) throws -> RecordBatch {
        try .of(schema, (0..<count).map { [.integer(Int128($0)), .utf8("row \($0)")] })
    }

    enum Mode: CaseIterable { case append, replace, upsert }

    private func job(_ mode: Mode, _ records: RecordBatch) -> Job {
        let sink = SQLiteSink(path: bench.path, table: "t")
        let pipeline = Pipeline("p", from: MemorySource("in", records))
        return switch mode {
        case .append: Job("copy", pipeline.loading(into: sink, mode: .append))
        case .replace: Job("copy", pipeline.loading(into: sink, mode: .replace))
        case .upsert: Job("copy", pipeline.loading(into: sink, mode: .upsert(on: "id")))
        }
    }

    @Test("Failed at any point of a run and run again, every row is there once", arguments: Mode.allCases)
    func resumes(mode: Mode) async throws {
        let records = try numbered(9)
        var call = 0
        while true {
            let bench = try Workbench()
            let test = try SQLiteJobTests(bench)
            let faults = FaultAt(call: call)
            let ledger = try await SQLiteLedger.open(at: bench.folder + "/ledger.db")
            let broken = RunOptions(
                scheduling: .threaded(workers: 2), faults: faults, commit: .every(bytes: 1, seconds: 1000))
            _ = try? await JobRunner(ledger: ledger, options: broken).run(test.job(mode, records))
            let whole = RunOptions(scheduling: .threaded(workers: 2), commit: .every(bytes: 1, seconds: 1000))
            if !faults.isUnused {
                let report = try await JobRunner(ledger: ledger, options: whole).run(test.job(mode, records))
                #expect(report.state == .complete, "fault \(call)")
            }
            let found = try bench.sqlite("SELECT count(*), count(DISTINCT id), sum(id) FROM t")
            #expect(found == ["9,9,36"], "fault \(call)")
            await ledger.close()
            #expect(bench.files == ["ledger.db", "w.db"], "fault \(call)")
            if faults.isUnused { break }
            call += 1
        }
        #expect(call > (mode == .replace ? 10 : 30))
    }

    @Test("Begun afresh after an interruption, rows are there once, or it is refused", arguments: Mode.allCases)
    func restarts(mode: Mode) async throws {
        let records = try numbered(9)
        let ledger = try await SQLiteLedger.open(at: bench.folder + "/ledger.db")
        func options(_ faults: any FaultPoints = NoFaults(), restarts: Bool) -> RunOptions {
            RunOptions(
                scheduling: .threaded(workers: 2), faults: faults, commit: .every(bytes: 1, seconds: 1000),
                restarts: restarts)
        }
        _ = try? await JobRunner(ledger: ledger, options: options(FaultAt(call: 12), restarts: false)).run(
            job(mode, records))
        let again = try? await JobRunner(ledger: ledger, options: options(restarts: true)).run(job(mode, records))
        #expect((again == nil) == (mode == .append))
        if mode == .append {
            _ = try await JobRunner(ledger: ledger, options: options(restarts: false)).run(job(mode, records))
        }
        #expect(try bench.sqlite("SELECT count(*), count(DISTINCT id), sum(id) FROM t") == ["9,9,36"])
        await ledger.close()
    }

    private init(_ bench: Workbench) throws { self.bench = bench }

    @Test("A table is copied into a table of the same database with equal rows and a balanced account")
    func copiesWithin() async throws {
        try await SQLiteSink(path: bench.path, table: "from").load(
            [try numbered(10_000)], schema: schema, mode: .append)
        let ledger = try await SQLiteLedger.open(at: bench.folder + "/ledger.db")
        let load = Pipeline("p", from: .sqlite(path: bench.path, table: "from"))
            .loading(into: .sqlite(path: bench.path, table: "into"), mode: .append)
        let options = RunOptions(scheduling: .threaded(workers: 3), commit: .every(bytes: 1, seconds: 1000))
        let report = try await JobRunner(ledger: ledger, options: options).run(Job("copy", load))
        #expect(report.state == .complete)
        #expect(
            try bench.sqlite("SELECT count(*) FROM (SELECT * FROM \"from\" EXCEPT SELECT * FROM \"into\")") == ["0"])
        let accounts = try await ledger.accounts(of: report.run)
        #expect(accounts.allSatisfy { $0.isBalanced })
        #expect(accounts.last?.written == WriteCounts(inserted: 10_000))
        await ledger.close()
    }

    @Test("A branch into two tables of one database commits both or none")
    func branches() async throws {
        let records = try numbered(20)
        var call = 0
        while true {
            let bench = try Workbench()
            let faults = FaultAt(call: call)
            let ledger = try await SQLiteLedger.open(at: bench.folder + "/ledger.db")
            func job() -> Job {
                let trunk = Pipeline("p", from: MemorySource("in", records)).shared()
                return Job(
                    "branch",
                    trunk.loading(into: .sqlite(path: bench.path, table: "a"), mode: .append)
                        .and(trunk.loading(into: .sqlite(path: bench.path, table: "b"), mode: .replace)))
            }
            _ = try? await JobRunner(
                ledger: ledger, options: RunOptions(scheduling: .threaded(workers: 2), faults: faults)
            ).run(job())
            let tables = try bench.sqlite("SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')")
            #expect(tables == ["0"] || tables == ["2"], "fault \(call)")
            if !faults.isUnused { _ = try await JobRunner(ledger: ledger).run(job()) }
            #expect(
                try bench.sqlite("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)") == ["20,20"],
                "fault \(call)")
            await ledger.close()
            if faults.isUnused { break }
            call += 1
        }
        #expect(call > 10)
    }
}
