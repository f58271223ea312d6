import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    @Suite struct SortBreakerTests {
        static let schema = Schema([
            Field("name", .utf8), Field("price", .decimal(precision: 30, scale: 2)), Field("weight", .float64),
            Field("tags", .list(Field("element", .utf8))), Field("id", .int64, nullable: false),
        ])

        static func run(
            _ keys: [SortKey], limit: Int? = nil, _ schema: Schema, _ batches: [Batch], threads: Int, budget: Int
        ) async throws -> OperatorOutput {
            let harness = try OperatorHarness(budget: budget)
            let breaker = try SortBreaker(
                step: "sort", keys: keys, limit: limit, input: schema, context: harness.context)
            return try await harness.run(breaker, [batches], threads: threads)
        }

        @Test(
            "the order does not depend on threads, batches, arrival, or memory", arguments: [1, 2, 4],
            [1 << 30, 300_000, 20_000, 1])
        func random(threads: Int, budget: Int) async throws {
            var maker = RandomRows(seed: UInt64(threads + budget))
            let rows = maker.rows(Self.schema, count: 500, kinds: [9, 12, 8, 4, 1000], repeats: true)
            for keys in [
                [SortKey("name", ascending: false), SortKey("weight", nullsFirst: true)], [SortKey("tags")],
                [SortKey("price"), SortKey("name", nullsFirst: true)], [],
            ] {
                let places = try keys.map { (column: try #require(Self.schema.index(of: $0.column)), key: $0) }
                let expected = rows.sorted { TestRow.compare($0, $1, places) < 0 }.map(\.normal)
                for limit in [nil, 0, 17, 499, 5000] {
                    if budget < 300_000 && limit != nil && limit != 17 { continue }
                    let output = try await Self.run(
                        keys, limit: limit, Self.schema, try maker.batches(Self.schema, rows), threads: threads,
                        budget: budget)
                    #expect(output.rows.map(\.normal) == Array(expected.prefix(limit ?? 500)))
                    #expect(output.account.filtered == rows.count - output.rows.count)
                }
            }
        }

        @Test("every type can be sorted by, in both directions", arguments: RandomRows.types)
        func types(type: DataType) async throws {
            var maker = RandomRows(seed: 2)
            let schema = Schema([Field("key", type), Field("id", .int64)])
            let rows = maker.rows(schema, count: 200, kinds: [30, 1000])
            for key in [SortKey("key"), SortKey("key", ascending: false), SortKey("key", nullsFirst: true)] {
                let expected = rows.sorted { TestRow.compare($0, $1, [(0, key)]) < 0 }.map(\.normal)
                for budget in [1 << 30, 10_000] {
                    let output = try await Self.run(
                        [key], schema, try maker.batches(schema, rows, most: 30), threads: 2, budget: budget)
                    #expect(output.rows.map(\.normal) == expected)
                }
            }
        }

        @Test("more runs than are merged at a time, and runs of many pieces")
        func manyRuns() async throws {
            let schema = Schema([Field("key", .int64), Field("text", .utf8)])
            var maker = RandomRows(seed: 2)
            let rows = maker.rows(schema, count: 9000, kinds: [5000, 40])
            let expected = rows.sorted { TestRow.compare($0, $1, [(0, SortKey("key"))]) < 0 }.map(\.normal)
            for (most, budget) in [(40, 1), (2000, 700_000)] {
                let output = try await Self.run(
                    [SortKey("key")], schema, try maker.batches(schema, rows, most: most), threads: 2, budget: budget)
                #expect(output.rows.map(\.normal) == expected)
            }
        }

        @Test("with a limit memory is bounded by the limit")
        func bounded() async throws {
            let schema = Schema([Field("key", .int64), Field("text", .utf8)])
            let rows = (1...30_000).map { index in
                TestRow(
                    source: 0, ordinal: index,
                    values: [.integer(Int128((index &* 7919) % 30_000)), .utf8("text that takes its place \(index)")])
            }
            var random = SeededRandom(1)
            let batches = try OperatorHarness.batches(schema, rows, most: 4000, encoding: false, random: &random)
            let harness = try OperatorHarness()
            let breaker = try SortBreaker(
                step: "top", keys: [SortKey("key", ascending: false)], limit: 10, input: schema,
                context: harness.context)
            let output = try await harness.run(breaker, [batches], threads: 2)
            #expect(output.rows.map { $0.values[0] } == (0..<10).map { .integer(Int128(29_999 - $0)) })
            #expect(harness.context.memory.peakBytes < 60_000)
        }

        @Test("a missing column and a negative limit are refused before any row")
        func refusals() throws {
            let harness = try OperatorHarness()
            defer { _ = harness.leftovers() }
            let missing = #expect(throws: HeadraceError.self) {
                _ = try SortBreaker(
                    step: "sort", keys: [SortKey("nothing")], limit: nil, input: Self.schema, context: harness.context)
            }
            #expect(missing?.code == .schemaMismatch)
            let negative = #expect(throws: HeadraceError.self) {
                _ = try SortBreaker(step: "sort", keys: [], limit: -1, input: Self.schema, context: harness.context)
            }
            #expect(negative?.code == .badOption)
        }
    }
}
