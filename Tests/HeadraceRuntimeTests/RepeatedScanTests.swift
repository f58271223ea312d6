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

/// A table in memory in which every row is found.
private struct EveryKey: TableLookup {
    func lookup(_ table: String, keys: RecordBatch, returning: [String], in context: RunContext) async throws
        -> RecordBatch
    {
        let schema = Schema([Field("key", .int64), Field("label", .utf8)])
        let rows = (keys.columns.first?.scalars ?? []).map { [$0, .utf8("label")] }
        return try #require(RecordBatch(schema: schema, rows: rows))
    }
}

/// Numbers as text, one a record; records that are no numbers are refused with their bytes.
private struct Numbers: ReplayableSource {
    let name: String
    let records: [String]

    func schema(in context: RunContext) async throws -> Schema { Schema([Field("id", .int64)]) }
    func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader {
        Reader(self)
    }
    func replaying(_ records: [[UInt8]], in context: RunContext) async throws -> any Source {
        Numbers(name: name, records: records.map { String(decoding: $0, as: UTF8.self).replacing("x", with: "") })
    }

    final class Reader: SourceReader, @unchecked Sendable {
        let source: Numbers
        var isRead = false
        init(_ source: Numbers) { self.source = source }
        func next() async throws -> Read<[String]> {
            defer { isRead = true }
            return isRead ? .end : .chunk(source.records, Position(.null))
        }
        func decode(_ chunk: [String], sequence: UInt64) throws -> Batch {
            let good = chunk.compactMap { Int64($0) }
            let rows = good.map { [Scalar.integer(Int128($0))] }
            let records = try #require(RecordBatch(schema: Schema([Field("id", .int64)]), rows: rows))
            let rejects = chunk.filter { Int64($0) == nil }.map {
                Reject(
                    rule: "decode", code: "unreadable", message: "no number", place: Place(source: "n", row: 1),
                    original: Array($0.utf8))
            }
            return Batch(
                records, provenance: .derived("numbers"), rejects: rejects, stream: source.stream, sequence: sequence,
                recordsRead: chunk.count)
        }
        func close() async {}
    }
}

/// Two scans of one stream in one load are two scans: each is read in full, each keeps a position of its own.
@Suite struct RepeatedScanTests {
    private func left() throws -> Pipeline { Pipeline("p", from: MemorySource("orders.csv", try numbered(0..<30))) }
    private func right() throws -> Pipeline { Pipeline("q", from: MemorySource("orders.csv", try numbered(10..<50))) }

    private func run(_ pipeline: Pipeline, into sink: MemorySink) async throws -> RunReport {
        let report = try await JobRunner(ledger: MemoryLedger(), options: RunOptions(scheduling: .threaded(workers: 2)))
            .run(Job("load", pipeline.loading(into: sink, mode: .append)))
        #expect(report.state == .complete)
        return report
    }

    private func read(_ report: RunReport) -> [String: Int] {
        let reads = report.accounts.filter { $0.step.hasPrefix("read") }
        return Dictionary(reads.map { ($0.step, $0.input) }) { $0 + $1 }
    }

    @Test("A merge of two sources of one name has the rows of both")
    func merges() async throws {
        let sink = MemorySink("out")
        let report = try await run(try left().merged(with: try right()), into: sink)
        #expect(read(report) == ["read p": 30, "read q": 40])
        #expect(identifiers(sink) == Array(0..<30) + Array(10..<50))
    }

    @Test("A pipeline merged with itself, and again, has its rows three times")
    func mergesWithItself() async throws {
        let (sink, pipeline) = (MemorySink("out"), try left())
        let report = try await run(pipeline.merged(with: pipeline, pipeline), into: sink)
        #expect(read(report) == ["read p": 30, "read p 2": 30, "read p 3": 30])
        #expect(identifiers(sink) == Array(0..<30) + Array(0..<30) + Array(0..<30))
    }

    @Test(
        "A join of a source with itself sees both sides in full",
        arguments: [JoinSpecification.Kind.inner, .left])
    func joins(kind: JoinSpecification.Kind) async throws {
        let sink = MemorySink("out")
        let other = try right().rename([("id", "other"), ("name", "label")])
        let report = try await run(try left().join(other, kind, on: [("id", "other")]), into: sink)
        #expect(read(report) == ["read p": 30, "read q": 40])
        let matched = sink.rows.filter { !$0.contains(.null) }.count
        #expect(matched == 20 && sink.rows.count == (kind == .inner ? 20 : 30))
    }

    @Test("A lookup, a window, a sort and an aggregate over such a merge get the rows of both")
    func feedsOperators() async throws {
        let merged = try left().merged(with: try right())
        let looked = MemorySink("looked")
        _ = try await run(
            merged.lookup(
                LookupSpecification(
                    step: "look", lookup: EveryKey(), table: "labels", keys: ["id"], tableKeys: ["key"],
                    returning: [("label", Field("label", .utf8))], missing: .rejected(rule: "known id"))), into: looked)
        #expect(identifiers(looked) == Array(0..<30) + Array(10..<50))
        let windowed = MemorySink("windowed")
        _ = try await run(
            merged.window(partition: ["id"], order: [.ascending("name")], columns: [("nth", .rowNumber)]),
            into: windowed)
        #expect(windowed.rows.count == 70)
        #expect(windowed.rows.filter { $0.last == .integer(2) }.count == 20, "ids 10 to 29 are there twice")
        let sorted = MemorySink("sorted")
        _ = try await run(merged.sorted(by: .ascending("id")), into: sorted)
        #expect(identifiers(sorted) == (Array(0..<30) + Array(10..<50)).sorted())
        let distinct = MemorySink("distinct")
        _ = try await run(merged.distinct(on: "id"), into: distinct)
        #expect(identifiers(distinct).sorted() == Array(0..<50))
    }

    @Test("Two outputs over scans of one name each get all of theirs")
    func branches() async throws {
        let (one, two) = (MemorySink("one"), MemorySink("two"))
        let load = try left().loading(into: one, mode: .append).and(try right().loading(into: two, mode: .append))
        _ = try await JobRunner(ledger: MemoryLedger()).run(Job("load", load))
        #expect(identifiers(one) == Array(0..<30) && identifiers(two) == Array(10..<50))
    }

    @Test("Each scan is resumed at its own position, wherever the run was cut off", arguments: 0..<26)
    func resumes(cut: Int) async throws {
        let (sink, ledger) = (MemorySink("out"), MemoryLedger())
        let options = RunOptions(scheduling: .threaded(workers: 2), commit: .every(bytes: 1, seconds: 1000))
        func job(leftFails: Int?, rightFails: Int?) throws -> Job {
            let left = MemorySource("in", try numbered(0..<30), failsAt: leftFails)
            let right = MemorySource("in", try numbered(100..<140), failsAt: rightFails)
            return Job(
                "copy",
                Pipeline("p", from: left).merged(with: Pipeline("q", from: right)).loading(into: sink, mode: .append))
        }
        // 11 calls of `next` read the left side to its end, 15 the right.
        let broken = try cut < 11 ? job(leftFails: cut, rightFails: nil) : job(leftFails: nil, rightFails: cut - 11)
        await #expect(throws: HeadraceError.self) { try await JobRunner(ledger: ledger, options: options).run(broken) }
        let before = sink.rows.count
        let report = try await JobRunner(ledger: ledger, options: options)
            .run(try job(leftFails: nil, rightFails: nil))
        #expect(identifiers(sink) == Array(0..<30) + Array(100..<140))
        let first = try #require(await ledger.runs(job: nil, limit: 2).last).identifier
        let read = await ledger.accounts(of: first).filter { $0.step.hasPrefix("read") }.reduce(0) { $0 + $1.input }
        #expect(read == before, "the first run is accountable for what it committed")
        #expect(self.read(report).values.reduce(0, +) == 70, "no row is counted twice over the runs")
    }

    @Test("A position that a ledger holds for a single scan stays that of the first")
    func oldLedgers() async throws {
        let (sink, ledger) = (MemorySink("out"), MemoryLedger())
        let options = RunOptions(scheduling: .threaded(workers: 1), commit: .every(bytes: 1, seconds: 1000))
        let broken = Pipeline("p", from: MemorySource("orders.csv", try numbered(0..<30), failsAt: 5))
        await #expect(throws: HeadraceError.self) {
            try await JobRunner(ledger: ledger, options: options)
                .run(Job("copy", broken.loading(into: sink, mode: .append)))
        }
        let kept = try #require(await ledger.lastCommitted(job: "copy", sink: "out"))
        #expect(kept.positions.keys.map(\.name) == ["orders.csv"])
        let before = sink.rows.count
        #expect(before > 0)
        let report = try await JobRunner(ledger: ledger, options: options)
            .run(Job("copy", try left().merged(with: try right()).loading(into: sink, mode: .append)))
        #expect(read(report) == ["read p": 30, "read q": 40], "\(before) rows were read by the run before")
        #expect(identifiers(sink) == Array(0..<30) + Array(10..<50))
        let names = try #require(await ledger.lastCommitted(job: "copy", sink: "out")).positions.keys.map(\.name)
        #expect(names.sorted() == ["orders.csv", "orders.csv (2)"])
    }

    @Test("A source that has the name of another's second scan keeps its own position")
    func clash() async throws {
        let (sink, ledger) = (MemorySink("out"), MemoryLedger())
        let merged = try left().merged(
            with: try right(), Pipeline("r", from: MemorySource("orders.csv (2)", try numbered(90..<95))))
        _ = try await JobRunner(ledger: ledger).run(Job("copy", merged.loading(into: sink, mode: .append)))
        #expect(identifiers(sink) == Array(0..<30) + Array(10..<50) + Array(90..<95))
        let names = try #require(await ledger.lastCommitted(job: "copy", sink: "out")).positions.keys.map(\.name)
        #expect(names.sorted() == ["orders.csv", "orders.csv (2)", "orders.csv (3)"])
    }

    @Test("A plan shows what a second scan is kept as, and the names its steps will have")
    func plans() async throws {
        let pipeline = try left()
        let lines = try await pipeline.merged(with: pipeline).loading(into: MemorySink("out"), mode: .append)
            .plan(in: .looking())
        #expect(lines[0].hasPrefix("read p: read orders.csv -> "))
        #expect(lines[1].hasPrefix("read p 2: read orders.csv again, as \"orders.csv (2)\" -> "))
        #expect(lines[2].hasPrefix("merge: merge 2 inputs"))
    }

    @Test("Rows refused in steps of one name are replayed each into its own, rows of both scans read again")
    func replays() async throws {
        let (sink, ledger) = (MemorySink("out"), MemoryLedger())
        let options = RunOptions(allowedRejects: .unlimited)
        func load(strict: Bool) -> Load {
            let id = Column<Int64>("id").expression
            func arm(_ records: [String], adding offset: Int) -> Pipeline {
                let ratio = Expr<Int64>.literal(12) / (strict ? id : id + Expr<Int64>.literal(100))
                return Pipeline("n", from: Numbers(name: "numbers", records: records))
                    .filter(ratio > -1, step: "check")
                    .project((id + Expr<Int64>.literal(Int64(offset))).named("id"), step: "shift")
            }
            return arm(["1", "0", "2x"], adding: 0).merged(with: arm(["3", "0", "4x"], adding: 1000))
                .loading(into: sink, mode: .append)
        }
        let first = try await JobRunner(ledger: ledger, options: options).run(Job("load", load(strict: true)))
        #expect(identifiers(sink) == [1, 1003])
        let steps = await ledger.rejects(of: first.run, after: 0, limit: 10).map(\.reject.step)
        #expect(steps.sorted() == ["check", "check 2", "read n", "read n 2"])
        let run = try #require(await ledger.run(first.run))
        let report = try await Replay(of: run, through: load(strict: false), ledger: ledger).perform(with: options)
        #expect(report.rejected == 0)
        #expect(identifiers(sink).sorted() == [0, 1, 2, 1000, 1003, 1004])
    }

    @Test("A replay through a load that has not the step refuses, and leaves the rows open")
    func replaysUnknown() async throws {
        let (sink, ledger) = (MemorySink("out"), MemoryLedger())
        let options = RunOptions(allowedRejects: .unlimited)
        func load(_ step: String) -> Load {
            let ratio = Expr<Int64>.literal(12) / Column<Int64>("id")
            return Pipeline("n", from: Numbers(name: "numbers", records: ["0"])).filter(ratio > -1, step: step)
                .loading(into: sink, mode: .append)
        }
        let first = try await JobRunner(ledger: ledger, options: options).run(Job("load", load("check")))
        let run = try #require(await ledger.run(first.run))
        let error = try await #require(throws: HeadraceError.self) {
            try await Replay(of: run, through: load("test"), ledger: ledger).perform(with: options)
        }
        #expect(error.code == .unsupported && error.description.contains("check"))
        #expect(try await ledger.openRejects(of: first.run).count == 1 && sink.rows.isEmpty)
    }
}
