import Foundation
import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

@Suite struct SQLiteLedgerTests {
    let bench: Workbench
    var path: String { bench.folder + "/state/deep/ledger.db" }

    init() throws { bench = try Workbench() }

    private func run(_ identifier: String, job: String = "j", started: Int64 = 1) -> RunRecord {
        RunRecord(
            identifier: identifier, job: job, parameters: ["from": "a.csv", "n": [1, 2.5, .null]], started: started,
            fence: 9)
    }

    private func reject(_ row: Int, rule: String = "price > 0") -> Reject {
        Reject(
            rule: rule, code: "outOfRange", field: "price", value: "-1", message: "it's \"bad\"",
            place: Place(source: "s", file: "f.csv", line: row + 1, byteOffset: row * 10, row: row),
            original: [0, 255, 10, UInt8(truncatingIfNeeded: row)], row: #"{"price":-1}"#, step: "validate")
    }

    private func epoch(_ checkpoint: Checkpoint, accounts: [StepAccount] = []) -> PreparedEpoch {
        PreparedEpoch(
            checkpoint: checkpoint, job: "j", sinks: ["t", "u"], run: "a", steps: "", accounts: accounts)
    }

    // MARK: - The file

    @Test("The ledger and its folder are readable for their owner only, the files beside it too")
    func permissions() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        try await ledger.begin(run("a"))
        for name in ["", "/ledger.db", "/ledger.db-wal", "/ledger.db-shm"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: bench.folder + "/state/deep" + name)
            let mode = try #require(attributes[.posixPermissions] as? Int)
            #expect(mode == (name.isEmpty ? 0o700 : 0o600), "\(name)")
        }
        await ledger.close()
        #expect(
            try bench.sqlite("PRAGMA journal_mode; PRAGMA user_version; PRAGMA application_id", file: path) == [
                "'wal'", "2", "1212437068",
            ])
    }

    @Test("A file of a later version and a database that is no ledger are refused and stay as they are")
    func refusesOthers() async throws {
        let file = bench.folder + "/l.db"
        try bench.sqlite("PRAGMA user_version = 99", file: file)
        let later = await #expect(throws: HeadraceError.self) { _ = try await SQLiteLedger.open(at: file) }
        #expect(later?.code == .unsupported)
        try bench.sqlite("PRAGMA user_version = 0; CREATE TABLE t (a)", file: file)
        let other = await #expect(throws: HeadraceError.self) { _ = try await SQLiteLedger.open(at: file) }
        #expect(other?.message.contains("no ledger") == true)
        #expect(try bench.sqlite("SELECT name FROM sqlite_schema", file: file) == ["'t'"])
    }

    @Test("Many connections open a new ledger at once, and each finds it whole")
    func opensAtOnce() async throws {
        let path = self.path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<12 {
                group.addTask {
                    let ledger = try await SQLiteLedger.open(at: path)
                    try await ledger.set("k\(index)", to: .integer(index), job: "j", run: "r")
                    await ledger.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(try bench.sqlite("SELECT count(*) FROM job_values", file: path) == ["12"])
    }

    // MARK: - Runs

    @Test("Runs come back newest first, whole, and by job")
    func runs() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        try await ledger.begin(run("a", started: 10))
        try await ledger.begin(run("b", job: "other", started: 20))
        try await ledger.begin(run("c", started: 30))
        try await ledger.end("a", state: .completeWithErrors, at: 15, error: "one source failed")
        let other = try await SQLiteLedger.open(at: path)
        #expect(try await other.runs(job: nil, limit: 10).map(\.identifier) == ["c", "b", "a"])
        #expect(try await other.runs(job: "j", limit: 1).map(\.identifier) == ["c"])
        #expect(try await other.run("none") == nil)
        var expected = run("a", started: 10)
        expected.state = .completeWithErrors
        expected.ended = 15
        expected.error = "one source failed"
        #expect(try await other.run("a") == expected)
        let unknown = await #expect(throws: HeadraceError.self) {
            try await ledger.end("none", state: .failed, at: 1, error: nil)
        }
        #expect(unknown?.code == .notFound)
        let twice = await #expect(throws: HeadraceError.self) { try await ledger.begin(run("a")) }
        #expect(twice?.code == .constraintViolated)
        await ledger.close()
        await other.close()
    }

    @Test("Accounts are replaced by step and listed in order; inputs are kept")
    func accountsAndInputs() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        let load = StepAccount(
            step: "load", ordinal: 1, input: 5, output: 4, rejected: 1,
            written: WriteCounts(inserted: 1, updated: 2, unchanged: 1), nanoseconds: 7)
        try await ledger.record(StepAccount(step: "load", ordinal: 1, input: 1), of: "a")
        try await ledger.record(load, of: "a")
        let read = StepAccount(step: "read", ordinal: 0, input: 6, output: 5, filtered: 1)
        try await ledger.record(read, of: "a")
        try await ledger.record(read, of: "b")
        #expect(try await ledger.accounts(of: "a") == [read, load])
        let input = InputRecord(step: "read", name: "f.csv", bytes: 12, sha256: "ab", rows: 3)
        try await ledger.record(input, of: "a")
        #expect(try await ledger.inputs(of: "a") == [input])
        #expect(try await ledger.inputs(of: "b") == [])
        await ledger.close()
    }

    @Test("Values are set, replaced and removed by job")
    func values() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        try await ledger.set("k", to: ["a": [1, "2"]], job: "j", run: "r")
        try await ledger.set("k", to: "other", job: "i", run: "r")
        #expect(try await ledger.value("k", job: "j") == ["a": [1, "2"]])
        try await ledger.set("k", to: nil, job: "j", run: "r")
        #expect(try await ledger.value("k", job: "j") == nil)
        #expect(try await ledger.value("k", job: "i") == "other")
        await ledger.close()
    }

    // MARK: - Checkpoints

    @Test("The last committed checkpoint is that of the newest committed epoch, prepared ones left aside")
    func checkpoints() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        let first = Checkpoint.testing(epoch: 1, final: false, positions: ["a": 1])
        let second = Checkpoint.testing(epoch: 2, final: false, positions: ["a": 2])
        #expect(try await ledger.lastCommitted(job: "j", sink: "t") == nil)
        try await ledger.prepare(epoch(first))
        #expect(try await ledger.lastCommitted(job: "j", sink: "t") == nil)
        try await ledger.committed(first, job: "j", sink: "t", counts: WriteCounts(inserted: 3))
        try await ledger.prepare(epoch(second))
        #expect(try await ledger.lastCommitted(job: "j", sink: "t") == first)
        #expect(try await ledger.lastCommitted(job: "j", sink: "u") == nil)
        // Repaired from the sink: committed though never prepared here.
        let later = Checkpoint.testing(epoch: 1, run: "run-2")
        try await ledger.committed(later, job: "j", sink: "t", counts: WriteCounts())
        #expect(try await ledger.lastCommitted(job: "j", sink: "t") == later)
        await ledger.close()
    }

    // MARK: - Rejects

    @Test("Rejects come back whole and in order, by pages, and change their state")
    func rejects() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        try await ledger.add((1...5).map { reject($0) }, run: "a", epoch: 1)
        try await ledger.add([reject(6, rule: "other")], run: "a", epoch: 2)
        try await ledger.add([reject(7)], run: "b", epoch: 1)
        let first = try await ledger.rejects(of: "a", after: 0, limit: 4)
        let rest = try await ledger.rejects(of: "a", after: first.last?.number ?? 0, limit: 100)
        #expect((first + rest).map(\.reject.place.row) == [1, 2, 3, 4, 5, 6])
        let kept = try #require(first.first)
        let original = reject(1)
        #expect(kept.reject.original == original.original && kept.reject.row == original.row)
        #expect(kept.reject.place == original.place && kept.reject.message == original.message)
        #expect(kept.reject.step == "validate" && kept.reject.field == "price" && kept.state == .open)
        try await ledger.mark([first[0].number, first[1].number], as: .replayed(run: "r2"))
        try await ledger.mark([first[2].number], as: .discarded)
        let states = try await ledger.rejects(of: "a", after: 0, limit: 4).map(\.state)
        #expect(states == [.replayed(run: "r2"), .replayed(run: "r2"), .discarded, .open])
        let summary = try await ledger.rejectSummary(of: "a")
        #expect(summary.map(\.rule) == ["other", "price > 0"] && summary.map(\.count) == [1, 5])
        await ledger.close()
    }

    @Test("An epoch is committed with its accounts and rejects once all its sinks have it, and not before")
    func settles() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        let read = StepAccount(step: "read", ordinal: 3, input: 6, output: 5, rejected: 1, nanoseconds: 9)
        let load = StepAccount(
            step: "load", ordinal: 4, input: 5, added: 1, output: 3, rejected: 1, filtered: 1, merged: 1,
            written: WriteCounts(inserted: 1, updated: 1, deleted: 1))
        let first = Checkpoint.testing(epoch: 1, final: false)
        try await ledger.add([reject(1)], run: "a", epoch: 1)
        try await ledger.prepare(epoch(first, accounts: [read, load]))
        try await ledger.committed(first, job: "j", sink: "t", counts: WriteCounts())
        #expect(try await ledger.accounts(of: "a").isEmpty)
        #expect(try await ledger.rejects(of: "a", after: 0, limit: 9).map(\.isCommitted) == [false])
        try await ledger.committed(first, job: "j", sink: "u", counts: WriteCounts())
        #expect(try await ledger.accounts(of: "a") == [read, load])
        #expect(try await ledger.rejects(of: "a", after: 0, limit: 9).map(\.isCommitted) == [true])
        await ledger.close()
    }

    @Test("What the sinks hold decides which rejects of an interrupted run stay, and a later run lists them too")
    func reconciles() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        let read = StepAccount(step: "s/read", ordinal: 0, input: 6, output: 5, rejected: 1)
        func refused(_ row: Int, in step: String) -> Reject {
            var reject = reject(row)
            reject.step = step
            return reject
        }
        try await ledger.add([refused(1, in: "s/read"), refused(2, in: "sx/read")], run: "a", epoch: 1)
        try await ledger.add([refused(3, in: "s/read")], run: "a", epoch: 2)
        let first = Checkpoint.testing(epoch: 1, final: false)
        var prepared = epoch(first, accounts: [read])
        prepared.steps = "s"
        try await ledger.prepare(prepared)
        // The sinks committed it, and the process ended before the ledger could say so.
        let found = try await ledger.reconcile(first, job: "j", sinks: ["t", "u"], steps: "s", earlier: ["a"])
        #expect(found == [read])
        #expect(try await ledger.accounts(of: "a") == [read])
        let kept = try await ledger.rejects(of: "a", after: 0, limit: 9)
        #expect(kept.map(\.reject.place.row) == [1, 2] && kept.map(\.isCommitted) == [true, false])
        try await ledger.add([refused(4, in: "s/read")], run: "b", epoch: 2)
        try await ledger.adopt(["a"], by: "b", steps: "s", through: 1)
        #expect(try await ledger.rejects(of: "b", after: 0, limit: 9).map(\.reject.place.row) == [1, 4])
        #expect(try await ledger.rejects(of: "b", after: 1, limit: 9).map(\.run) == ["b"])
        #expect(try await ledger.rejectSummary(of: "b").map(\.count) == [2])
        #expect(try await ledger.reconcile(nil, job: "j", sinks: ["t"], steps: "", earlier: ["a"]).isEmpty)
        #expect(try await ledger.rejects(of: "a", after: 0, limit: 9).map(\.reject.place.row) == [1])
        await ledger.close()
    }

    @Test("A ledger of the first version is brought up to date and keeps its runs, epochs and rejects")
    func migrates() async throws {
        let file = bench.folder + "/old.db"
        try bench.sqlite(
            LedgerSchema.migrations[0].joined(separator: ";")
                + """
                ; PRAGMA user_version = 1; INSERT INTO runs VALUES (1, 'a', 'j', '{}', 'complete', 1, 2, NULL, 3);
                INSERT INTO rejects (run, epoch, step, rule, code, message, source, source_row, state)
                    VALUES ('a', 1, 's', 'r', 'c', 'm', 'src', 7, 'open')
                """, file: file)
        let ledger = try await SQLiteLedger.open(at: file)
        #expect(try await ledger.run("a")?.state == .complete)
        let kept = try await ledger.rejects(of: "a", after: 0, limit: 9)
        #expect(kept.map(\.reject.place.row) == [7] && kept.map(\.isCommitted) == [true])
        await ledger.close()
        #expect(try bench.sqlite("PRAGMA user_version", file: file) == ["2"])
    }

    @Test("A writer in another process is waited for")
    func waitsForProcess() async throws {
        let ledger = try await SQLiteLedger.open(at: path)
        let (bench, path) = (self.bench, self.path)
        let other = Task.detached {
            try bench.sqlite(
                """
                BEGIN IMMEDIATE; INSERT INTO job_values VALUES ('j', 'other', '1', 'r');
                .shell touch \(bench.folder)/locked; sleep 0.3
                COMMIT
                """, file: path)
        }
        while !bench.files.contains("locked") { try await Task.sleep(for: .milliseconds(5)) }
        try await ledger.set("mine", to: 2, job: "j", run: "r")
        _ = try await other.value
        #expect(try await ledger.value("other", job: "j") == 1)
        #expect(try await ledger.value("mine", job: "j") == 2)
        await ledger.close()
    }

    @Test("Two connections write at once and lose nothing")
    func concurrentWriters() async throws {
        let ledgers = [try await SQLiteLedger.open(at: path), try await SQLiteLedger.open(at: path)]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, ledger) in ledgers.enumerated() {
                group.addTask {
                    for number in 0..<40 {
                        try await ledger.add(
                            [Reject(rule: "r", code: "c", message: "m", place: Place(source: "s", row: number))],
                            run: "r\(index)", epoch: 1)
                    }
                }
            }
            try await group.waitForAll()
        }
        for index in 0..<2 {
            #expect(
                try await ledgers[index].rejects(of: "r\(1 - index)", after: 0, limit: 100).map(\.reject.place.row)
                    == Array(0..<40))
        }
        for ledger in ledgers { await ledger.close() }
    }
}
