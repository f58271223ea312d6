import HeadraceColumnar
import HeadraceTesting
import Testing

@testable import HeadraceCore
@testable import HeadraceRuntime

private enum Shop {
    static let id = Column<Int64>("id")
    static let tags = Column<String>("tags")
    static let price = Column<DecimalValue>("price")
    static let label = Column<String>("label")
    static let total = Column<DecimalValue>("total")
    static let tag = Column<String>("tag")
}

private struct Refused: Error, CustomStringConvertible {
    let description: String
}

@Suite struct RowClosureTests {
    private static let schema = Schema([
        Field("id", .int32, nullable: false), Field("tags", .utf8), Field("price", .decimal(precision: 8, scale: 2)),
    ])

    private func source() throws -> MemorySource {
        func row(_ id: Int128, _ tags: String?, _ cents: Int128?) -> [Scalar] {
            [
                .integer(id), tags.map { .utf8($0) } ?? .null,
                cents.map { .decimal(DecimalValue(coefficient: $0, scale: 2)) } ?? .null,
            ]
        }
        let rows = [
            row(1, "red,blue", 1050), row(2, nil, 299), row(3, "", nil), row(4, "green", 100_000), row(5, "a,b,c", 1),
        ]
        return MemorySource("shop", try #require(RecordBatch(schema: Self.schema, rows: rows)), chunkSize: 2)
    }

    private struct Outcome {
        var rows: [[Scalar]]
        var account: StepAccount
        var rejects: [Reject]
    }

    /// Runs a pipeline and gives its rows in the order of their sources, with the account of `step`.
    private func run(_ pipeline: Pipeline, step: String) async throws -> Outcome {
        let sink = MemorySink("out")
        let ledger = MemoryLedger()
        let report = try await JobRunner(ledger: ledger, options: RunOptions(allowedRejects: .unlimited))
            .run(Job("test", pipeline.loading(into: sink, mode: .append)))
        let rejects = await ledger.rejects(of: report.run, after: 0, limit: 100)
        return Outcome(
            rows: sink.rows, account: try #require(report.accounts.first { $0.step == step }),
            rejects: rejects.map(\.reject).sorted { $0.place.row < $1.place.row })
    }

    @Test("A filter keeps the rows its closure is true for, and refuses those it throws for with place and text")
    func filters() async throws {
        let pipeline = Pipeline("p", from: try source()).filter(step: "plausible") { columns in
            let id = try columns.readFilled(Shop.id)
            let price = try columns.read(Shop.price)
            return { row in
                if row[id] == 5 { throw Refused(description: "five is right out") }
                return try row.required(price) < 100
            }
        }
        let outcome = try await run(pipeline, step: "plausible")
        #expect(outcome.rows.map { $0[0] } == [.integer(1), .integer(2)])
        let account = outcome.account
        #expect((account.input, account.output, account.filtered, account.rejected) == (5, 2, 1, 2))
        #expect(outcome.rejects.map(\.place) == [Place(source: "shop", row: 3), Place(source: "shop", row: 5)])
        #expect(outcome.rejects.map(\.code) == ["missing", "failed"])
        #expect(outcome.rejects.map(\.message) == ["column price has no value", "five is right out"])
        #expect(outcome.rejects.map(\.field) == ["price", nil])
        #expect(outcome.rejects.map(\.rule) == ["plausible", "plausible"])
        #expect(outcome.rejects.last?.row == #"{"id":5,"tags":"a,b,c","price":0.01}"#)
    }

    @Test("A map writes, replaces and keeps columns; what is not set is null, what does not fit refuses the row")
    func maps() async throws {
        let pipeline = Pipeline("p", from: try source()).map(step: "label") { columns in
            let id = try columns.read(Shop.id)
            let price = try columns.read(Shop.price)
            let tags = try columns.read(Shop.tags)
            columns.keepAll()
            let total = try columns.write(Shop.total, precision: 5, scale: 2)
            let label = columns.write(Shop.tags)
            return { row, out in
                out.set(label, "to be overwritten by something shorter")
                out.set(label, row[tags])
                if row[id] == 2 { out.set(label, "#\(try row.required(id))") }
                if let price = row[price] { out.set(total, price) }
            }
        }
        let outcome = try await run(pipeline, step: "label")
        func money(_ cents: Int128) -> Scalar { .decimal(DecimalValue(coefficient: cents, scale: 2)) }
        #expect(
            outcome.rows == [
                [.integer(1), .utf8("red,blue"), money(1050), money(1050)],
                [.integer(2), .utf8("#2"), money(299), money(299)], [.integer(3), .utf8(""), .null, .null],
                [.integer(5), .utf8("a,b,c"), money(1), money(1)],
            ])
        let account = outcome.account
        #expect((account.input, account.added, account.output, account.rejected) == (5, 0, 4, 1))
        let reject = try #require(outcome.rejects.first)
        #expect(reject.code == "outOfRange" && reject.field == "total" && reject.place.row == 4)
        #expect(reject.message == "1000.00 does not fit column total, which is decimal(5,2)")
    }

    @Test("A column that must not be null refuses the rows that leave it empty")
    func leavesEmpty() async throws {
        let pipeline = Pipeline("p", from: try source()).map(step: "tag") { columns in
            let tags = try columns.read(Shop.tags)
            let tag = columns.write(Shop.tag, nullable: false)
            return { row, out in out.set(tag, row[tags]) }
        }
        let outcome = try await run(pipeline, step: "tag")
        #expect(outcome.rows == [[.utf8("red,blue")], [.utf8("")], [.utf8("green")], [.utf8("a,b,c")]])
        #expect(outcome.rejects.map(\.message) == ["column tag has no value"])
        #expect(outcome.rejects.map(\.place.row) == [2])
    }

    private func splitting(failingAt bad: String? = nil) throws -> Pipeline {
        Pipeline("p", from: try source()).flatMap(step: "split") { columns in
            let tags = try columns.read(Shop.tags)
            try columns.keep("id")
            let tag = columns.write(Shop.tag)
            return { row, out in
                for part in row[tags]?.string.split(separator: ",") ?? [] {
                    if let bad, part == bad { throw RowError("badTag", "a bad tag", field: "tags") }
                    out.set(tag, String(part))
                    out.emit()
                }
                // What is set and not emitted is of no row.
                out.set(tag, "left over")
            }
        }
    }

    @Test("A flat map makes none, one or many rows of a row, and accounts for each")
    func expands() async throws {
        let outcome = try await run(try splitting(), step: "split")
        #expect(
            outcome.rows == [
                [.integer(1), .utf8("red")], [.integer(1), .utf8("blue")], [.integer(4), .utf8("green")],
                [.integer(5), .utf8("a")], [.integer(5), .utf8("b")], [.integer(5), .utf8("c")],
            ])
        let account = outcome.account
        #expect((account.input, account.added, account.output, account.filtered) == (5, 3, 6, 2))
        #expect(account.isBalanced && account.rejected == 0)
    }

    @Test("A row that a flat map throws for leaves nothing of what was made of it")
    func takesBack() async throws {
        let outcome = try await run(try splitting(failingAt: "b"), step: "split")
        #expect(outcome.rows.map { $0[1] } == [.utf8("red"), .utf8("blue"), .utf8("green")])
        let account = outcome.account
        #expect(
            (account.input, account.added, account.output, account.filtered, account.rejected) == (5, 1, 3, 2, 1))
        let reject = try #require(outcome.rejects.first)
        #expect(reject.code == "badTag" && reject.field == "tags" && reject.value == "a,b,c" && reject.place.row == 5)
    }

    @Test("Rows made of a row keep its place, through what follows")
    func keepsPlaces() async throws {
        let pipeline = try splitting().filter(step: "short") { columns in
            let tag = try columns.read(Shop.tag)
            return { row in
                let text = try row.required(tag)
                if text == "blue" || text == "c" { throw Refused(description: text.string) }
                return true
            }
        }
        let outcome = try await run(pipeline, step: "short")
        #expect(outcome.rejects.map(\.message) == ["blue", "c"])
        #expect(outcome.rejects.map(\.place) == [Place(source: "shop", row: 1), Place(source: "shop", row: 5)])
    }

    @Test("The plan refuses columns that are not there, of another type, or that may be null, before any row moves")
    func refusesPlans() async throws {
        let pipeline = Pipeline("p", from: try source())
        let failing: [(Pipeline, String)] = [
            (
                pipeline.filter(step: "s") { columns in
                    let label = try columns.read(Shop.label)
                    return { row in row[label] != nil }
                }, "there is no column \"label\""
            ),
            (
                pipeline.filter(step: "s") { columns in
                    let tags = try columns.read(Column<Int64>("tags"))
                    return { row in row[tags] != nil }
                }, "column \"tags\" does not read as Int64"
            ),
            (
                pipeline.map(step: "s") { columns in
                    let price = try columns.readFilled(Shop.price)
                    let total = try columns.write(Shop.total, precision: 8, scale: 2)
                    return { row, out in out.set(total, row[price]) }
                }, "column \"price\" may be null and is read as one that is not"
            ),
            (
                pipeline.map(step: "s") { columns in
                    try columns.keep("label")
                    return { _, _ in }
                }, "there is no column \"label\""
            ),
            (
                pipeline.flatMap(step: "s") { _ in { _, out in out.emit() } },
                "a closure over rows neither keeps nor writes a column"
            ),
        ]
        for (pipeline, message) in failing {
            let error = await #expect(throws: HeadraceError.self) {
                try await pipeline.loading(into: MemorySink("out"), mode: .append).plan(in: .looking())
            }
            #expect(error?.code == .schemaMismatch && error?.message == message)
            #expect(error?.trail == ["step s"])
        }
    }

    @Test("A run that is cancelled inside a closure is cancelled, and no row is blamed")
    func cancels() throws {
        let harness = try OperatorHarness()
        defer { _ = harness.leftovers() }
        let batch = try #require(try batches(1, DataType.int64).first)
        for error: any Error in [CancellationError(), HeadraceError.cancelled] {
            let stage = try RowFilter("s") { _ in { _ in throw error } }
                .makeStage(for: batch.records.schema, in: harness.context)
            #expect(throws: (any Error).self) { try stage.process(batch) }
        }
    }

    private func batches(_ seed: UInt64, _ types: DataType...) throws -> [Batch] {
        let schema = Schema(types.enumerated().map { Field("c\($0)", $1) })
        var maker = RandomRows(seed: seed)
        let rows = maker.rows(schema, count: 300, kinds: types.map { _ in 40 })
        return try OperatorHarness.batches(schema, rows, most: 100, encoding: true, random: &maker.random)
    }

    /// Reads a column of each batch row by row and writes it again.
    private func copied<V: RowValue>(
        _ type: DataType, seed: UInt64, write: @escaping @Sendable (RowMapping) throws -> RowOutput<V>,
        value: @escaping @Sendable (V.View) -> V
    ) throws -> (before: [Scalar], after: [Scalar], type: DataType?) {
        let harness = try OperatorHarness()
        defer { _ = harness.leftovers() }
        var before: [Scalar] = []
        var after: [Scalar] = []
        var written: DataType?
        let map = RowMap("copy") { columns in
            let input = try columns.read(Column<V>("c0"))
            let output = try write(columns)
            return { row, out in out.set(output, row[input].map(value)) }
        }
        for batch in try batches(seed, type) {
            // A slice of a batch has values that do not begin at the start of their memory.
            let half = batch.records.slice(from: batch.count / 3, count: batch.count - batch.count / 3)
            let rest = Batch(
                half, provenance: .derived("test"), stream: batch.stream, sequence: 0, recordsRead: half.count)
            let stage = try map.makeStage(for: half.schema, in: harness.context)
            for batch in [rest, rest] {
                let result = try stage.process(batch)
                before += batch.records.columns[0].scalars.map(\.normal)
                after += result.batch.records.columns[0].scalars.map(\.normal)
                written = result.batch.records.schema.fields[0].type
                #expect(result.batch.rejects.isEmpty && result.batch.count == batch.count)
            }
        }
        return (before, after, written)
    }

    @Test(
        "Values of every type come back from a closure as they went in, nulls included",
        arguments: 0..<4 as Range<UInt64>)
    func roundTrips(seed: UInt64) throws {
        let output = Column<Int64>("c0")
        for type: DataType in [.int8, .int16, .int32, .int64, .uint8, .uint16, .uint32] {
            let copy = try copied(type, seed: seed, write: { $0.write(output) }, value: { $0 as Int64 })
            #expect(copy.before == copy.after && copy.type == .int64 && copy.after.contains(.null), "\(type)")
        }
        for type: DataType in [.float32, .float64] {
            let copy = try copied(
                type, seed: seed, write: { $0.write(Column<Double>("c0")) }, value: { $0 as Double })
            #expect(copy.before == copy.after, "\(type)")
        }
        for type: DataType in [.utf8, .json] {
            let copy = try copied(
                type, seed: seed, write: { $0.write(Column<String>("c0")) }, value: { $0.string })
            #expect(copy.before == copy.after, "\(type)")
        }
        let flags = try copied(.bool, seed: seed, write: { $0.write(Column<Bool>("c0")) }, value: { $0 as Bool })
        #expect(flags.before == flags.after)
        let days = try copied(
            .date32, seed: seed, write: { $0.write(Column<DateValue>("c0")) }, value: { $0 as DateValue })
        #expect(days.before == days.after)
        let times = try copied(
            .instant, seed: seed, write: { $0.write(Column<InstantValue>("c0")) }, value: { $0 as InstantValue })
        #expect(times.before == times.after)
        for (precision, scale) in [(12, 2), (30, 4)] {
            let copy = try copied(
                .decimal(precision: precision, scale: scale), seed: seed,
                write: { try $0.write(Column<DecimalValue>("c0"), precision: precision, scale: scale) },
                value: { $0 as DecimalValue })
            #expect(copy.before == copy.after, "decimal(\(precision),\(scale))")
        }
    }

    @Test("Rows far beyond those of their batch come out whole", arguments: [1, 7, 400])
    func growth(copies: Int) throws {
        let harness = try OperatorHarness()
        defer { _ = harness.leftovers() }
        let expand = RowFlatMap("copies") { columns in
            let text = try columns.read(Column<String>("c0"))
            try columns.keep("c1")
            let number = columns.write(Column<Int64>("number"), nullable: false)
            let flag = columns.write(Column<Bool>("flag"))
            let copy = columns.write(Column<String>("copy"))
            return { row, out in
                for index in 0..<copies {
                    out.set(number, Int64(index))
                    if index % 3 != 0 { out.set(flag, index % 3 == 1) }
                    out.set(copy, row[text])
                    out.emit()
                }
            }
        }
        for batch in try batches(5, .utf8, .int32) {
            let result = try expand.makeStage(for: batch.records.schema, in: harness.context).process(batch)
            var expected: [[Scalar]] = []
            for row in 0..<batch.count {
                let values = batch.records.row(at: row)
                for index in 0..<copies {
                    let flag: Scalar = index % 3 == 0 ? .null : .bool(index % 3 == 1)
                    expected.append([values[1], .integer(Int128(index)), flag, values[0]])
                }
            }
            #expect((0..<result.batch.count).map { result.batch.records.row(at: $0) } == expected)
            #expect(result.added == batch.count * (copies - 1))
        }
    }

    @Test("A handle of another declaration stops the program instead of reading other memory")
    func refusesForeignHandles() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let schema = Schema([Field("c0", .int64)])
            let harness = try OperatorHarness()
            let batch = try #require(RecordBatch(schema: schema, rows: [[.integer(1)]]))
            let foreign = try RowInputs(schema).read(Column<Int64>("c0"))
            let stage = try RowFilter("s") { columns in
                _ = try columns.read(Column<Int64>("c0"))
                return { row in row[foreign] == 1 }
            }
            .makeStage(for: schema, in: harness.context)
            _ = try stage.process(
                Batch(batch, provenance: .derived("t"), stream: StreamID("t"), sequence: 0, recordsRead: 1))
        }
        let words = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(words.contains("a handle was used outside the closure it was made for"))
    }
}
