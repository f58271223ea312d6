import HeadraceColumnar
import HeadraceCore
import Synchronization
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    /// Partitions that do not fit into memory even one at a time.
    @Suite struct PartitionSplitTests {
        static let schema = Schema([Field("id", .int64), Field("text", .utf8), Field("price", .int64)])

        /// Rows of some hundred bytes each.
        static func rows(_ count: Int, keys: Int, seed: UInt64) -> [TestRow] {
            var random = SeededRandom(seed)
            return (1...count).map { index in
                let key = Int.random(in: 0..<keys, using: &random)
                let text = String(repeating: "text \(key) ", count: 50 + index % 7)
                return TestRow(
                    source: 0, ordinal: index,
                    values: [.integer(Int128(key)), .utf8(text), .integer(Int128(index))])
            }
        }

        /// Counts how often a fault point is reached.
        final class Visits: FaultPoints {
            private let point: String
            private let visits = Mutex(0)
            init(_ point: String) { self.point = point }
            var count: Int { visits.withLock { $0 } }
            func reach(_ point: String) throws { if point == self.point { visits.withLock { $0 += 1 } } }
        }

        /// The output in memory and, with splits, in next to none. With just enough memory, where rows are packed early, it
        /// must be the same too.
        static func both(
            inputs: [[Batch]], threads: Int, splits: Bool = true, joins: Bool = false,
            _ make: (RunContext) throws -> any Breaker
        ) async throws -> (memory: OperatorOutput, split: OperatorOutput) {
            let roomy = try OperatorHarness()
            let memory = try await roomy.run(try make(roomy.context), inputs, threads: threads)
            let snug = try OperatorHarness(budget: 4 << 20)
            let packed = try await snug.run(try make(snug.context), inputs, threads: threads)
            // A join in memory gives rows as they come, parted rows leave by partitions.
            let isSame =
                joins
                ? JoinBreakerTests.sorted(packed.rows) == JoinBreakerTests.sorted(memory.rows)
                : packed.partitions == memory.partitions
            #expect(isSame)
            #expect(packed.account == memory.account)
            let visits = Visits("spill split")
            let tight = try OperatorHarness(budget: 20_000, faults: visits)
            let split = try await tight.run(try make(tight.context), inputs, threads: threads)
            #expect((visits.count > 0) == splits)
            return (memory, split)
        }

        @Test("a deduplication gives the same rows and rejects", arguments: [false, true], [1, 3])
        func distinct(rejects: Bool, threads: Int) async throws {
            var maker = RandomRows(seed: 1)
            let batches = try maker.batches(Self.schema, Self.rows(2500, keys: 2000, seed: 1))
            let (memory, split) = try await Self.both(inputs: [batches], threads: threads) { context in
                try DistinctBreaker(
                    DistinctSpecification(
                        step: "dedup", keys: ["id"], order: [SortKey("price", ascending: false)],
                        others: rejects ? .rejected(rule: "unique") : .merged),
                    input: Self.schema, context: context)
            }
            #expect(memory.partitions == split.partitions)
            #expect(memory.account == split.account)
            #expect(
                Set(memory.rejects.map { "\($0.place) \($0.message)" })
                    == Set(split.rejects.map { "\($0.place) \($0.message)" }))
        }

        @Test("an aggregation gives the same groups", arguments: [1, 3])
        func aggregate(threads: Int) async throws {
            var maker = RandomRows(seed: 2)
            let batches = try maker.batches(Self.schema, Self.rows(2500, keys: 2000, seed: 2))
            let (memory, split) = try await Self.both(inputs: [batches], threads: threads) { context in
                try AggregateBreaker(
                    AggregateSpecification(
                        step: "group", keys: ["id"],
                        aggregates: [
                            .init("last", .last, "text"), .init("sum", .sum, "price"),
                            .init("texts", .countDistinct, "text"),
                        ]),
                    input: Self.schema, context: context)
            }
            #expect(memory.partitions == split.partitions)
            #expect(memory.account == split.account)
        }

        @Test("a count of very many different values of few groups gives the same numbers")
        func manyValues() async throws {
            var maker = RandomRows(seed: 3)
            let rows = Self.rows(2500, keys: 3, seed: 3).map { row in
                var row = row
                row.values[1] = .utf8(String(repeating: "\(row.ordinal % 1200) ", count: 80))
                return row
            }
            let batches = try maker.batches(Self.schema, rows)
            let (memory, split) = try await Self.both(inputs: [batches], threads: 2) { context in
                try AggregateBreaker(
                    AggregateSpecification(
                        step: "group", keys: ["id"], aggregates: [.init("texts", .countDistinct, "text")]),
                    input: Self.schema, context: context)
            }
            #expect(memory.partitions == split.partitions)
            for row in memory.rows {
                let texts = Set(rows.filter { $0.values[0] == row.values[0] }.map { $0.values[1] })
                #expect(row.values[1] == .integer(Int128(texts.count)))
            }
        }

        @Test(
            "a join gives the same pairs and rejects", arguments: [JoinKind.inner, .left, .semi, .anti], [false, true])
        func join(kind: JoinKind, isUnique: Bool) async throws {
            var maker = RandomRows(seed: 4)
            let right = Schema([Field("key", .int64), Field("name", .utf8), Field("cost", .int64)])
            let rightRows = try maker.batches(right, Self.rows(2500, keys: 1500, seed: 5))
            let leftRows = try maker.batches(Self.schema, Self.rows(600, keys: 2000, seed: 6))
            // Of right rows that only have to be there the keys are kept, and these fit.
            let splits = isUnique || kind.addsColumns
            let (memory, split) = try await Self.both(
                inputs: [rightRows, leftRows], threads: 2, splits: splits, joins: true
            ) { context in
                try JoinBreaker(
                    JoinSpecification(
                        step: "join", kind: kind, leftKeys: ["id"], rightKeys: ["key"], rightIsUnique: isUnique),
                    left: Self.schema, right: right, context: context)
            }
            #expect(JoinBreakerTests.sorted(memory.rows) == JoinBreakerTests.sorted(split.rows))
            #expect(memory.account == split.account)
            #expect(
                Set(memory.rejects.map { "\($0.place) \($0.message)" })
                    == Set(split.rejects.map { "\($0.place) \($0.message)" }))
            for (partition, rows) in split.partitions where partition >= 0 {
                #expect(rows.map(\.key) == rows.map(\.key).sorted())
            }
        }
    }
}
