import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Testing

private let schema = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])

private func numbered(_ range: Range<Int>) throws -> RecordBatch {
    try #require(RecordBatch(schema: schema, rows: range.map { [.integer(Int128($0)), .utf8("row \($0)")] }))
}

private func identifiers(_ sink: MemorySink) -> [Int] {
    sink.rows.map { row in if case .integer(let value) = row[0] { Int(value) } else { -1 } }
}

/// Drops rows without accounting for them.
private struct Leaky: RowTransform {
    let name = "leaky"
    func schema(from input: Schema) throws -> Schema { input }
    func makeStage(for input: Schema, in context: RunContext) throws -> LeakyStage { LeakyStage() }
}

private final class LeakyStage: Stage {
    func process(_ batch: Batch) throws -> StageResult {
        let kept = (0..<Int32(batch.count - 1)).map { $0 }
        return StageResult(kept.withUnsafeBufferPointer { batch.taking($0) })
    }
}

/// Takes 10 ms for every row.
private struct SlowSource: Source {
    let name = "slow"
    let records: RecordBatch

    func schema(in context: RunContext) async throws -> Schema { records.schema }
    func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader {
        Reader(try await MemorySource("in", records, chunkSize: 1).openReader(for: schema, from: position, in: context))
    }

    final class Reader: SourceReader {
        private let base: MemorySource.Reader
        init(_ base: MemorySource.Reader) { self.base = base }
        func next() async throws -> Read<Range<Int>> {
            try await Task.sleep(for: .milliseconds(10))
            return try await base.next()
        }
        func decode(_ chunk: Range<Int>, sequence: UInt64) throws -> Batch {
            try base.decode(chunk, sequence: sequence)
        }
        func close() async {}
    }
}

@Suite struct EngineTests {
    @Test("A load writes every row once and in order, whatever the number of workers", arguments: [1, 2, 4, 7])
    func copies(workers: Int) async throws {
        let sink = MemorySink("out")
        let source = MemorySource("in", try numbered(0..<1000))
        let report = try await JobRunner(
            ledger: MemoryLedger(), options: RunOptions(scheduling: .threaded(workers: workers))
        ).run(Job("copy", Pipeline("p", from: source).loading(into: sink, mode: .append)))
        #expect(report.state == .complete)
        #expect(identifiers(sink) == Array(0..<1000))
        #expect(report.accounts.allSatisfy { $0.isBalanced })
        #expect(sink.openWriters == 0)
    }

    @Test("Stepped by a seed, a run gives the same rows", arguments: 0..<20)
    func stepped(seed: UInt64) async throws {
        let sink = MemorySink("out")
        let source = MemorySource("in", try numbered(0..<100))
        let options = RunOptions(seed: 1, scheduling: .stepped(seed: seed, workers: 3))
        _ = try await JobRunner(ledger: MemoryLedger(), options: options)
            .run(Job("copy", Pipeline("p", from: source).loading(into: sink, mode: .append)))
        #expect(identifiers(sink) == Array(0..<100))
    }

    @Test("A step that loses rows without accounting for them fails the run and commits nothing")
    func leakyStep() async throws {
        let sink = MemorySink("out")
        let load = try Pipeline("p", from: MemorySource("in", try numbered(0..<10))).through(Leaky())
            .loading(into: sink, mode: .append)
        let error = try await #require(throws: HeadraceError.self) {
            try await JobRunner(ledger: MemoryLedger()).run(Job("copy", load))
        }
        #expect(error.code == .accountMismatch)
        #expect(sink.rows.isEmpty && sink.commits == 0 && sink.openWriters == 0)
    }

    @Test("A sink that drops rows is found out before its commit")
    func droppingSink() async throws {
        let sink = MemorySink("out", fault: .dropsRows)
        let error = try await #require(throws: HeadraceError.self) {
            try await JobRunner(ledger: MemoryLedger())
                .run(
                    Job(
                        "copy",
                        Pipeline("p", from: MemorySource("in", try numbered(0..<10))).loading(into: sink, mode: .append)
                    ))
        }
        #expect(error.code == .accountMismatch)
        #expect(sink.rows.isEmpty && sink.commits == 0)
    }

    @Test("Rows that cannot be read and rows that the sink refuses are rejects with their place; the others arrive")
    func rejects() async throws {
        let sink = MemorySink("out", fault: .refuses(.integer(7)))
        let ledger = MemoryLedger()
        let source = MemorySource("in", try numbered(0..<10), unreadable: [2])
        let report = try await JobRunner(ledger: ledger, options: RunOptions(allowedRejects: .rows(2)))
            .run(Job("copy", Pipeline("p", from: source).loading(into: sink, mode: .append)))
        #expect(report.state == .complete && report.rejected == 2)
        #expect(identifiers(sink) == [0, 1, 3, 4, 5, 6, 8, 9])
        let kept = await ledger.rejects(of: report.run, after: 0, limit: 10)
        #expect(kept.map(\.reject.place.row) == [3, 8])
        #expect(kept.map(\.reject.step) == ["read p", "load"])
        #expect(kept.allSatisfy { $0.reject.row?.contains("\"name\":\"row") == true })
    }

    @Test("More rejects than allowed end a run with errors, or at once when it is to stop")
    func budget() async throws {
        let source = MemorySource("in", try numbered(0..<10), unreadable: [2, 3])
        let kept = MemorySink("kept")
        let report = try await JobRunner(ledger: MemoryLedger(), options: RunOptions(allowedRejects: .rows(1)))
            .run(Job("copy", Pipeline("p", from: source).loading(into: kept, mode: .append)))
        #expect(report.state == .completeWithErrors && kept.rows.count == 8)
        let stopped = MemorySink("stopped")
        let error = try await #require(throws: HeadraceError.self) {
            try await JobRunner(
                ledger: MemoryLedger(),
                options: RunOptions(commit: .run, allowedRejects: .rows(1), stopsOnRejects: true)
            ).run(Job("copy", Pipeline("p", from: source).loading(into: stopped, mode: .append)))
        }
        #expect(error.code == .tooManyRejects && stopped.rows.isEmpty)
    }

    @Test(
        "A run that stops on rejects stops at a share too, and whatever settings its loads have",
        arguments: [RejectAllowance.share(0.1), .rows(1)], [nil, LoadSettings(commit: .run, resumes: false)])
    func stops(allowed: RejectAllowance, settings: LoadSettings?) async throws {
        let sink = MemorySink("out")
        let options = RunOptions(
            scheduling: .threaded(workers: 1), commit: .every(bytes: 1, seconds: 1000), allowedRejects: allowed,
            stopsOnRejects: true)
        // The first load refuses one of its ten rows, the second two: more than may be over both.
        let job = Job("two").step("first") { run in
            let source = MemorySource("in", try numbered(0..<10), chunkSize: 5, unreadable: [4])
            try await run.execute(Pipeline("p", from: source).loading(into: sink, mode: .append), settings: settings)
        }.step("second", after: ["first"]) { run in
            let source = MemorySource("in", try numbered(10..<20), chunkSize: 10, unreadable: [4, 7])
            try await run.execute(Pipeline("q", from: source).loading(into: sink, mode: .append), settings: settings)
        }
        let error = await #expect(throws: HeadraceError.self) {
            try await JobRunner(ledger: MemoryLedger(), options: options).run(job)
        }
        #expect(error?.code == .tooManyRejects)
        let committed = allowed == .share(0.1) && settings == nil ? [] : [0, 1, 2, 3, 5, 6, 7, 8, 9]
        #expect(identifiers(sink) == committed, "a share is judged before each commit")
    }

    @Test("The time that a source takes to give its rows counts as work of its step")
    func readingTime() async throws {
        let report = try await JobRunner(ledger: MemoryLedger())
            .run(
                Job(
                    "slow",
                    Pipeline("p", from: SlowSource(records: try numbered(0..<4)))
                        .loading(into: MemorySink("out"), mode: .append)))
        #expect(report.accounts[0].nanoseconds >= 40_000_000)
        #expect(report.accounts[1].nanoseconds < report.accounts[0].nanoseconds)
    }

    @Test("A source cut off after some epochs is resumed after them", arguments: 1..<8)
    func resumes(cut: Int) async throws {
        let (sink, ledger) = (MemorySink("out"), MemoryLedger())
        let records = try numbered(0..<20)
        let options = RunOptions(scheduling: .threaded(workers: 2), commit: .every(bytes: 1, seconds: 1000))
        func job(_ source: MemorySource) -> Job {
            Job("copy", Pipeline("p", from: source).loading(into: sink, mode: .append))
        }
        _ = try? await JobRunner(ledger: ledger, options: options).run(job(MemorySource("in", records, failsAt: cut)))
        #expect(sink.rows.count <= 3 * cut)
        let report = try await JobRunner(ledger: ledger, options: options).run(job(MemorySource("in", records)))
        #expect(report.state == .complete)
        #expect(identifiers(sink) == Array(0..<20))
    }

    @Test("A run whose last commit was not acknowledged is not loaded again")
    func lostAnswer() async throws {
        let (sink, ledger) = (MemorySink("out", fault: .failsAfterCommit), MemoryLedger())
        let job = Job(
            "copy", Pipeline("p", from: MemorySource("in", try numbered(0..<20))).loading(into: sink, mode: .append))
        _ = try? await JobRunner(ledger: ledger).run(job)
        sink.set(nil)
        _ = try await JobRunner(ledger: ledger).run(job)
        #expect(identifiers(sink) == Array(0..<20))
        _ = try await JobRunner(ledger: ledger).run(job)
        #expect(sink.rows.count == 40, "a completed load loads again")
    }

    @Test("A branch computes its trunk once and fills every arm; a merge keeps the order of its inputs")
    func branches() async throws {
        let (left, right) = (MemorySink("left"), MemorySink("right"))
        let trunk = Pipeline("a", from: MemorySource("a", try numbered(0..<50)))
            .merged(with: Pipeline("b", from: MemorySource("b", try numbered(50..<80)))).shared()
        let load = trunk.loading(into: left, mode: .append).and(trunk.loading(into: right, mode: .replace))
        let report = try await JobRunner(ledger: MemoryLedger()).run(Job("branch", load))
        #expect(identifiers(left) == Array(0..<80) && identifiers(right) == Array(0..<80))
        #expect(report.accounts.filter { $0.step.hasPrefix("read") }.map(\.input) == [50, 30])
    }

    @Test("A cancelled run commits nothing more and leaves no writer open")
    func cancels() async throws {
        let sink = MemorySink("out")
        let options = RunOptions()
        options.cancellation.cancel()
        let error = try await #require(throws: HeadraceError.self) {
            try await JobRunner(ledger: MemoryLedger(), options: options)
                .run(
                    Job(
                        "copy",
                        Pipeline("p", from: MemorySource("in", try numbered(0..<10))).loading(into: sink, mode: .append)
                    ))
        }
        #expect(error.code == .cancelled)
        #expect(sink.rows.isEmpty && sink.openWriters == 0)
    }

    @Test("A job held by another run says who holds it")
    func lease() async throws {
        let ledger = MemoryLedger()
        let holder = LeaseHolder(run: "other", host: "h", process: 1, processStart: "")
        _ = try await ledger.acquire("copy", holder: holder, now: SystemClock().now(), duration: 60_000_000)
        let error = try await #require(throws: HeadraceError.self) {
            try await JobRunner(ledger: ledger).run(
                Job(
                    "copy",
                    Pipeline("p", from: MemorySource("in", try numbered(0..<1))).loading(
                        into: MemorySink("o"), mode: .append)))
        }
        #expect(error.code == .leaseHeld && error.description.contains("other"))
    }
}
