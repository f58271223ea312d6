import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Testing

struct MemorySourceTests {
    private func source(_ count: Int, unreadable: Set<Int> = []) throws -> MemorySource {
        let rows = (0..<count).map { [Scalar.integer(Int128($0))] }
        let records = try #require(RecordBatch(schema: Schema([Field("n", .int64)]), rows: rows))
        return MemorySource("numbers", records, chunkSize: 4, unreadable: unreadable)
    }

    /// The rows from a position on, with the position after each chunk.
    private func read(_ source: MemorySource, from start: Position?) async throws -> (rows: [Scalar], after: [Position])
    {
        let context = RunContext.looking()
        let reader = try await source.openReader(for: source.records.schema, from: start, in: context)
        var rows: [Scalar] = []
        var after: [Position] = []
        while case .chunk(let chunk, let position) = try await reader.next() {
            let batch = try reader.decode(chunk, sequence: UInt64(after.count))
            rows += (0..<batch.count).map { batch.records.row(at: $0)[0] }
            after.append(position)
        }
        await reader.close()
        return (rows, after)
    }

    @Test(arguments: [0, 1, 4, 5, 11])
    func `every position gives the rest, nothing twice and nothing left out`(count: Int) async throws {
        let source = try source(count)
        let (all, positions) = try await read(source, from: nil)
        #expect(all == (0..<count).map { .integer(Int128($0)) })
        for (chunk, position) in positions.enumerated() {
            let rest = try await read(source, from: position).rows
            #expect(rest == Array(all.dropFirst((chunk + 1) * 4)))
        }
    }

    @Test func `rows that cannot be read are rejects with their place, and the others arrive`() async throws {
        let source = try source(6, unreadable: [1, 4])
        let sink = MemorySink("table")
        let ledger = MemoryLedger()
        let report = try await JobRunner(ledger: ledger).run(
            Job("numbers", Pipeline("numbers", from: source).loading(into: sink, mode: .append)))
        #expect(sink.rows == [0, 2, 3, 5].map { [.integer($0)] })
        #expect(try await ledger.openRejects(of: report.run).map(\.reject.place.row) == [2, 5])
    }
}
