import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Testing

/// A table in memory to look rows up in.
private struct MemoryLookup: TableLookup {
    let rows: RecordBatch
    func lookup(_ table: String, keys: RecordBatch, returning: [String], in context: RunContext) async throws
        -> RecordBatch
    {
        let wanted = keys.columns[0].scalars
        let key = rows[keys.schema.names[0]]?.scalars ?? []
        let found = key.indices.filter { wanted.contains(key[$0]) }.map { Int32($0) }
        return found.withUnsafeBufferPointer { Kernels.take(rows, indices: $0) }
    }
}

@Suite struct RowWiseTests {
    private let quantity = Column<Int64>("quantity")

    private func source() throws -> MemorySource {
        let schema = Schema([Field("id", .int64), Field("quantity", .int64)])
        let rows: [[Scalar]] = [
            [.integer(1), .integer(10)], [.integer(2), .integer(0)], [.integer(3), .null], [.integer(4), .integer(5)],
        ]
        return MemorySource("in", try #require(RecordBatch(schema: schema, rows: rows)), chunkSize: 2)
    }

    private func run(_ pipeline: Pipeline, _ sink: MemorySink, allowing rejects: Int = 10) async throws -> RunReport {
        try await JobRunner(ledger: MemoryLedger(), options: RunOptions(allowedRejects: .rows(rejects)))
            .run(Job("test", pipeline.loading(into: sink, mode: .append)))
    }

    @Test("A filter keeps what is true, filters the rest and refuses what cannot be computed")
    func filters() async throws {
        let sink = MemorySink("out")
        let ratio = Expr<Int64>.literal(100) / quantity
        let report = try await run(Pipeline("p", from: try source()).filter(ratio < 15), sink)
        #expect(sink.rows.map { $0[0] } == [.integer(1)])
        let account = try #require(report.accounts.first { $0.step == "filter" })
        #expect((account.input, account.output, account.filtered, account.rejected) == (4, 1, 2, 1))
    }

    @Test("A projection computes columns and refuses rows it cannot compute, once each")
    func projects() async throws {
        let sink = MemorySink("out")
        let ratio = Expr<Int64>.literal(100) / quantity
        let pipeline = Pipeline("p", from: try source())
            .project(Column<Int64>("id").named("id"), ratio.named("ratio"), (ratio + 1).named("more"))
        let report = try await run(pipeline, sink)
        #expect(
            sink.rows == [
                [.integer(1), .integer(10), .integer(11)], [.integer(3), .null, .null],
                [.integer(4), .integer(20), .integer(21)],
            ])
        #expect(report.rejected == 1)
    }

    @Test("A lookup adds columns, or refuses, filters or keeps rows by whether the key is there")
    func looksUp() async throws {
        let schema = Schema([Field("key", .int64), Field("label", .utf8)])
        let table = try #require(
            RecordBatch(schema: schema, rows: [[.integer(1), .utf8("one")], [.integer(4), .utf8("four")]]))
        func pipeline(_ missing: LookupSpecification.Missing) throws -> Pipeline {
            Pipeline("p", from: try source()).lookup(
                LookupSpecification(
                    step: "look", lookup: MemoryLookup(rows: table), table: "labels", keys: ["id"], tableKeys: ["key"],
                    returning: [("label", Field("name", .utf8))], missing: missing))
        }
        let nulls = MemorySink("nulls")
        _ = try await run(try pipeline(.null), nulls)
        #expect(nulls.rows.map { $0[2] } == [.utf8("one"), .null, .null, .utf8("four")])
        let refused = MemorySink("refused")
        let report = try await run(try pipeline(.rejected(rule: "known id")), refused)
        #expect(refused.rows.count == 2 && report.rejected == 2)
        let alone = MemorySink("alone")
        _ = try await run(try pipeline(.keptAlone), alone)
        #expect(alone.rows.map { $0[0] } == [.integer(2), .integer(3)])
    }
}
