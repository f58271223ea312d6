import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    @Suite struct DistinctBreakerTests {
        static let schema = Schema([
            Field("id", .int64), Field("name", .utf8), Field("price", .decimal(precision: 12, scale: 2)),
            Field("seen", .timestamp(zone: nil)),
        ])

        /// The rows that should stay, in the order of their sources.
        static func reference(
            _ rows: [TestRow], keys: [Int], order: [(column: Int, key: SortKey)], latestFirst: Bool
        ) -> [TestRow] {
            var best: [[Scalar]: TestRow] = [:]
            for row in rows {
                let key = keys.map { row.values[$0].normal }
                guard let known = best[key] else {
                    best[key] = row
                    continue
                }
                if TestRow.compare(row, known, order, latestFirst: latestFirst) < 0 { best[key] = row }
            }
            return best.values.sorted { TestRow.compare($0, $1, []) < 0 }.map(\.normal)
        }

        struct Case: Sendable, CustomTestStringConvertible {
            var seed: UInt64
            var threads: Int
            var budget: Int
            var rejects: Bool
            var testDescription: String { "seed \(seed), \(threads) threads, \(budget) bytes, rejects \(rejects)" }
        }
        static let cases: [Case] = [1, 2, 4].flatMap { threads in
            [1 << 30, 100_000].flatMap { budget in
                [false, true].map { Case(seed: UInt64(threads), threads: threads, budget: budget, rejects: $0) }
            }
        }

        @Test("the row kept does not depend on threads, batches, arrival, or memory", arguments: cases)
        func random(_ test: Case) async throws {
            var maker = RandomRows(seed: test.seed)
            let rows = maker.rows(Self.schema, count: 1500, kinds: [40, 12, 5, 4], repeats: true)
            let order = [SortKey("seen", ascending: false), SortKey("price", nullsFirst: true)]
            let places = [(column: 3, key: order[0]), (column: 2, key: order[1])]
            for (sortKeys, latest) in [(order, false), ([], false), ([], true)] {
                let harness = try OperatorHarness(budget: test.budget)
                let breaker = try DistinctBreaker(
                    DistinctSpecification(
                        step: "dedup", keys: ["id", "name"], order: sortKeys, keepsLast: latest,
                        others: test.rejects ? .rejected(rule: "one a key") : .merged),
                    input: Self.schema, context: harness.context)
                let output = try await harness.run(
                    breaker, [try maker.batches(Self.schema, rows)], threads: test.threads)
                let expected = Self.reference(
                    rows, keys: [0, 1], order: sortKeys.isEmpty ? [] : places, latestFirst: latest)
                #expect(output.rows.map(\.normal).sorted { TestRow.compare($0, $1, []) < 0 } == expected)
                for part in output.partitions.values {
                    #expect(part == part.sorted { TestRow.compare($0, $1, []) < 0 })
                }
                #expect(output.account.merged == (test.rejects ? 0 : rows.count - expected.count))
                #expect(output.account.rejected == (test.rejects ? rows.count - expected.count : 0))
            }
        }

        @Test("the same rows leave the same partitions in the same order, in memory and spilled", arguments: [1, 3])
        func stableOrder(threads: Int) async throws {
            var maker = RandomRows(seed: 11)
            let rows = maker.rows(Self.schema, count: 1000, kinds: [400, 12, 5, 4])
            var outputs: [[Int: [TestRow]]] = []
            for budget in [1 << 30, 100_000, 1] {
                let harness = try OperatorHarness(budget: budget)
                let breaker = try DistinctBreaker(
                    DistinctSpecification(step: "dedup", keys: ["id", "name"]), input: Self.schema,
                    context: harness.context)
                let output = try await harness.run(
                    breaker, [try maker.batches(Self.schema, rows)], threads: threads)
                outputs.append(output.partitions.mapValues { $0.map(\.normal) })
            }
            #expect(outputs[0] == outputs[1])
            #expect(outputs[0] == outputs[2])
            #expect(outputs[0].count > 50)
        }

        @Test("every type can be a key, with and without dictionaries", arguments: RandomRows.types)
        func keyTypes(type: DataType) async throws {
            var maker = RandomRows(seed: 5)
            let schema = Schema([Field("key", type), Field("value", .int32)])
            let rows = maker.rows(schema, count: 300, kinds: [9, 50])
            for budget in [1 << 30, 20_000] {
                let harness = try OperatorHarness(budget: budget)
                let breaker = try DistinctBreaker(
                    DistinctSpecification(step: "dedup", keys: ["key"], others: .rejected(rule: "unique")),
                    input: schema,
                    context: harness.context)
                let output = try await harness.run(breaker, [try maker.batches(schema, rows, most: 60)], threads: 2)
                let expected = Self.reference(rows, keys: [0], order: [], latestFirst: false)
                #expect(output.rows.map(\.normal).sorted { TestRow.compare($0, $1, []) < 0 } == expected)
            }
        }

        @Test("a reject names the row that was kept and its own line")
        func rejectText() async throws {
            let harness = try OperatorHarness()
            let schema = Schema([Field("order_id", .utf8), Field("quantity", .int32)])
            let rows = [("a", 1), ("b", 2), ("a", 3), (nil, 4), (nil, 5)].enumerated().map { index, row in
                TestRow(
                    source: 0, ordinal: index + 1,
                    values: [row.0.map { Scalar.utf8($0) } ?? .null, .integer(Int128(row.1))])
            }
            let breaker = try DistinctBreaker(
                DistinctSpecification(step: "dedup", keys: ["order_id"], others: .rejected(rule: "one row an order")),
                input: schema, context: harness.context)
            var random = SeededRandom(1)
            let batches = try OperatorHarness.batches(schema, rows, most: 2, encoding: false, random: &random)
            let output = try await harness.run(breaker, [batches], threads: 1)
            #expect(output.rows.map(\.ordinal).sorted() == [1, 2, 4])
            let rejects = output.rejects.sorted { $0.place.row < $1.place.row }
            #expect(rejects.map(\.place.row) == [3, 5])
            let reject = try #require(rejects.first)
            #expect(reject.rule == "one row an order")
            #expect(reject.code == "duplicate")
            #expect(reject.field == "order_id")
            #expect(reject.value == "a")
            #expect(reject.message == "source0.csv line 2 (byte 10) has the same order_id and is kept")
            #expect(reject.place == Place(source: "source0", file: "source0.csv", line: 4, byteOffset: 30, row: 3))
            #expect(reject.row == #"{"order_id":"a","quantity":3}"#)
            #expect(rejects.last?.value == "null")
        }

        @Test("an empty input gives no rows")
        func empty() async throws {
            let harness = try OperatorHarness()
            let breaker = try DistinctBreaker(
                DistinctSpecification(step: "dedup", keys: ["id"]), input: Self.schema, context: harness.context)
            let output = try await harness.run(breaker, [[]], threads: 2)
            #expect(output.rows.isEmpty)
            #expect(output.account == BreakerAccount())
        }

        @Test("memory stays near the number of keys when others are merged", arguments: [1, 2])
        func bounded(threads: Int) async throws {
            let schema = Schema([Field("id", .int64), Field("text", .utf8)])
            let rows = (1...60_000).map { index in
                TestRow(
                    source: 0, ordinal: index,
                    values: [.integer(Int128(index % 50)), .utf8("some text that takes its place \(index)")])
            }
            let harness = try OperatorHarness(budget: 1 << 30)
            let breaker = try DistinctBreaker(
                DistinctSpecification(step: "dedup", keys: ["id"], keepsLast: true), input: schema,
                context: harness.context)
            var random = SeededRandom(3)
            let batches = try OperatorHarness.batches(schema, rows, most: 2000, encoding: false, random: &random)
            let output = try await harness.run(breaker, [batches], threads: threads)
            #expect(output.rows.count == 50)
            #expect(output.rows.allSatisfy { $0.ordinal > 59_950 })
            let all = batches.reduce(0) { $0 + $1.records.byteSize }
            #expect(harness.context.memory.peakBytes < all / 2)
        }

        @Test("a missing key names the columns that there are")
        func missingKey() throws {
            let harness = try OperatorHarness()
            defer { _ = harness.leftovers() }
            let error = #expect(throws: HeadraceError.self) {
                _ = try DistinctBreaker(
                    DistinctSpecification(step: "dedup", keys: ["ID"]), input: Self.schema, context: harness.context)
            }
            #expect(
                error?.description == """
                    error: step dedup has no column "ID" in its input, which it needs as a key [schemaMismatch]
                      columns: id, name, price, seen
                      try: names are exact, the column is called "id"
                    """)
        }

        @Test("a column cannot take the name of a hidden one")
        func hiddenName() throws {
            let harness = try OperatorHarness()
            defer { _ = harness.leftovers() }
            let schema = Schema([Field("_headrace_row", .int64)])
            let error = #expect(throws: HeadraceError.self) {
                _ = try DistinctBreaker(
                    DistinctSpecification(step: "dedup", keys: ["_headrace_row"]), input: schema,
                    context: harness.context)
            }
            #expect(error?.code == .schemaMismatch)
        }
    }
}
