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
            // Each worker may hold a little more than the budget while it rearranges rows.
            #expect(context.memory.peakBytes < budget + threads * budget / 4)
        }
    }
}
