import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    @Suite struct MemoryBudgetTests {
        static let schema = Schema([Field("id", .int64), Field("text", .utf8)])
        static let right = Schema([Field("key", .int64), Field("name", .utf8)])

        static func batches(_ schema: Schema, count: Int, seed: UInt64) throws -> [Batch] {
            let rows = (1...count).map { index in
                TestRow(
                    source: 0, ordinal: index,
                    values: [
                        .integer(Int128((index &* 7919) % count)),
                        .utf8("text of row \(index) that takes some place in memory, and some more of it"),
                    ])
            }
            var maker = RandomRows(seed: seed)
            return try maker.batches(schema, rows, most: 500)
        }

        @Test("peak memory stays near the budget, however many rows there are", arguments: 0..<5, [1, 3])
        func peak(kind: Int, threads: Int) async throws {
            let budget = 2 << 20
            let harness = try OperatorHarness(budget: budget)
            let context = harness.context
            let batches = try Self.batches(Self.schema, count: 30_000, seed: UInt64(kind))
            #expect(batches.reduce(0) { $0 + $1.records.byteSize } > budget)
            var inputs = [batches]
            let breaker: any Breaker
            switch kind {
            case 0:
                breaker = try DistinctBreaker(
                    DistinctSpecification(step: "dedup", keys: ["id"]), input: Self.schema, context: context)
            case 1:
                breaker = try AggregateBreaker(
                    AggregateSpecification(
                        step: "group", keys: ["id"], aggregates: [.init("last", .last, "text")]),
                    input: Self.schema, context: context)
            case 2:
                breaker = try SortBreaker(
                    step: "sort", keys: [SortKey("text")], limit: nil, input: Self.schema, context: context)
            case 3:
                breaker = try WindowBreaker(
                    WindowSpecification(
                        step: "window", partition: ["id"], order: [], columns: [("number", .rowNumber)]),
                    input: Self.schema, context: context)
            default:
                breaker = try JoinBreaker(
                    JoinSpecification(step: "join", kind: .inner, leftKeys: ["id"], rightKeys: ["key"]),
                    left: Self.schema, right: Self.right, context: context)
                inputs = [try Self.batches(Self.right, count: 30_000, seed: 9), batches]
            }
            let output = try await harness.run(breaker, inputs, threads: threads)
            #expect(output.rows.count == 30_000)
            // What a worker takes beyond the budget while it rearranges rows is counted in `BudgetShare.chunkBytes`.
            #expect(context.memory.peakBytes < budget + threads * budget / 4)
        }

        @Test("rows sorted while others hold the whole budget make no runs of a few rows")
        func crowded() throws {
            let budget = 2 << 20
            let harness = try OperatorHarness(budget: budget)
            let context = harness.context
            let state = OperatorState(step: "sort", context: context)
            let rows = try CarriedRows(Self.schema, keys: nil, step: "sort", files: context.files)
            let sorter = ExternalSorter(schema: rows.schema, ordering: RowOrdering([], in: rows), state: state)
            state.budget.force(budget)
            for batch in try Self.batches(Self.schema, count: 6_000, seed: 3).flatMap({ batch in
                stride(from: 0, to: batch.count, by: 10).map { start in
                    let rows = (Int32(start)..<Int32(min(start + 10, batch.count))).map { $0 }
                    return rows.withUnsafeBufferPointer { batch.taking($0) }
                }
            }) {
                try sorter.add(rows.carry(batch, hash: nil))
            }
            var found: [Int64] = []
            try sorter.finish { block in
                let keys = block.columns[rows.row].unsafeView.values(as: Int64.self)
                found += (0..<block.count).map { keys[$0] }
            }
            #expect(found.count == 6_000 && found == found.sorted())
            // All rows together are some twenty chunks, of which the merge may hold eight.
            #expect(context.memory.peakBytes < budget + budget / 4)
            #expect(state.spill.byteCount > budget / 4)
            state.discard()
            #expect(context.memory.usedBytes == 0)
            #expect(harness.leftovers().isEmpty)
        }
    }
}
