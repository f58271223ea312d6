import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    @Suite struct WindowBreakerTests {
        typealias Function = WindowSpecification.Function
        typealias Column = (name: String, function: Function)

        static let schema = Schema([
            Field("shop", .utf8), Field("day", .date32), Field("price", .decimal(precision: 12, scale: 2)),
            Field("count", .int32), Field("weight", .float64), Field("name", .utf8),
            Field("tags", .list(Field("element", .int32))),
        ])
        static let columns: [Column] = [
            ("number", .rowNumber), ("rank", .rank), ("dense", .denseRank),
            ("before", .lag(column: "price", offset: 1)),
            ("before3", .lag(column: "name", offset: 3)), ("self", .lag(column: "tags", offset: 0)),
            ("after", .lead(column: "name", offset: 1)), ("after9", .lead(column: "count", offset: 9)),
            ("never", .lead(column: "count", offset: .max)), ("total", .sum(column: "price", preceding: nil)),
            ("sum3", .sum(column: "count", preceding: 3)), ("sum0", .sum(column: "weight", preceding: 0)),
            ("weights", .sum(column: "weight", preceding: nil)), ("weights2", .sum(column: "weight", preceding: 2)),
            ("mean", .mean(column: "price", scale: 4, preceding: nil)),
            ("mean1", .mean(column: "count", scale: 1, preceding: 1)),
            ("meanWeight", .mean(column: "weight", scale: 1, preceding: 4)),
            ("low", .minimum(column: "name", preceding: nil)), ("low2", .minimum(column: "price", preceding: 2)),
            ("high", .maximum(column: "weight", preceding: 5)), ("high0", .maximum(column: "tags", preceding: 0)),
            ("rows", .count(preceding: nil)), ("rows2", .count(preceding: 2)), ("first", .firstValue(column: "name")),
            ("last", .lastValue(column: "price")),
        ]

        // MARK: - Reference

        static func value(_ function: Function, _ rows: [TestRow], _ index: Int, _ order: [Int]) -> Scalar {
            func column(_ name: String) -> [Scalar] {
                let place = schema.index(of: name) ?? 0
                return rows.map { $0.values[place] }
            }
            func frame(_ name: String, _ preceding: Int?) -> [TestRow] {
                Array(rows[max(0, index - (preceding ?? index))...index])
            }
            func aggregate(_ function: AggregateSpecification.Function, _ name: String, _ preceding: Int?) -> Scalar {
                AggregateBreakerTests.value(
                    AggregateSpecification.Aggregate("x", function, name), frame(name, preceding), schema)
            }
            func isPeer(_ one: Int, _ other: Int) -> Bool {
                order.allSatisfy { rows[one].values[$0].normal == rows[other].values[$0].normal }
            }
            switch function {
            case .rowNumber: return .integer(Int128(index + 1))
            case .rank:
                return .integer(Int128((0...index).first { isPeer($0, index) }.map { $0 + 1 } ?? 0))
            case .denseRank: return .integer(Int128(1 + (0..<index).count { !isPeer($0, $0 + 1) }))
            case .lag(let name, let offset): return column(name)[safe: index - offset] ?? .null
            case .lead(let name, let offset):
                return column(name)[safe: index.addingReportingOverflow(offset).partialValue] ?? .null
            case .sum(let name, let preceding): return aggregate(.sum, name, preceding)
            case .mean(let name, let scale, let preceding): return aggregate(.mean(scale: scale), name, preceding)
            case .minimum(let name, let preceding): return aggregate(.minimum, name, preceding)
            case .maximum(let name, let preceding): return aggregate(.maximum, name, preceding)
            case .count(let preceding): return .integer(Int128(min(index, preceding ?? index) + 1))
            case .firstValue(let name): return column(name)[0]
            case .lastValue(let name): return column(name)[rows.count - 1]
            }
        }

        static func reference(
            _ rows: [TestRow], partition: [Int], order: [(column: Int, key: SortKey)], _ columns: [Column]
        ) -> [TestRow] {
            let groups = Dictionary(grouping: rows) { row in partition.map { row.values[$0].normal } }
            return groups.values.flatMap { group -> [TestRow] in
                let sorted = group.sorted { TestRow.compare($0, $1, order) < 0 }
                return sorted.indices.map { index in
                    var row = sorted[index]
                    row.values += columns.map { value($0.function, sorted, index, order.map(\.column)) }
                    return row.normal
                }
            }
        }

        // MARK: - Tests

        @Test(
            "window functions do not depend on threads, batches, arrival, or memory", arguments: [1, 2, 4],
            [1 << 30, 100_000, 15_000])
        func random(threads: Int, budget: Int) async throws {
            var maker = RandomRows(seed: UInt64(threads))
            let rows = maker.rows(Self.schema, count: 350, kinds: [6, 5, 30, 50, 40, 9, 4], repeats: true)
            for (partition, keys) in [
                (["shop", "name"], [SortKey("day"), SortKey("count", ascending: false)]),
                (["day"], []), ([], [SortKey("weight", nullsFirst: true)]),
            ] {
                if partition.isEmpty && budget < 1 << 30 { continue }
                let harness = try OperatorHarness(budget: budget)
                let breaker = try WindowBreaker(
                    WindowSpecification(step: "window", partition: partition, order: keys, columns: Self.columns),
                    input: Self.schema, context: harness.context)
                let output = try await harness.run(
                    breaker, [try maker.batches(Self.schema, rows)], threads: threads)
                let places = try partition.map { try #require(Self.schema.index(of: $0)) }
                let order = try keys.map { (column: try #require(Self.schema.index(of: $0.column)), key: $0) }
                let expected = Self.reference(rows, partition: places, order: order, Self.columns)
                #expect(
                    output.rows.map(\.normal).sorted { TestRow.compare($0, $1, []) < 0 }
                        == expected.sorted { TestRow.compare($0, $1, []) < 0 })
                // Within a partition of the operator: window partitions by their keys, rows in their order.
                let sorts = places.map { (column: $0, key: SortKey(Self.schema.fields[$0].name)) } + order
                for part in output.partitions.values {
                    #expect(part.map(\.normal) == part.map(\.normal).sorted { TestRow.compare($0, $1, sorts) < 0 })
                }
            }
        }

        @Test("every type can partition and order", arguments: RandomRows.types)
        func types(type: DataType) async throws {
            var maker = RandomRows(seed: 12)
            let schema = Schema([Field("key", type), Field("value", type)])
            let rows = maker.rows(schema, count: 150, kinds: [4, 9])
            let columns: [Column] = [
                ("rank", .rank), ("before", .lag(column: "value", offset: 1)),
                ("least", .minimum(column: "value", preceding: 3)),
            ]
            let harness = try OperatorHarness()
            let breaker = try WindowBreaker(
                WindowSpecification(step: "window", partition: ["key"], order: [SortKey("value")], columns: columns),
                input: schema, context: harness.context)
            let output = try await harness.run(breaker, [try maker.batches(schema, rows, most: 30)], threads: 2)
            #expect(output.rows.count == rows.count)
            let groups = Dictionary(grouping: output.rows) { $0.values[0].normal }
            for group in groups.values {
                let sorted = group.sorted { TestRow.compare($0, $1, [(1, SortKey("value"))]) < 0 }
                for (index, row) in sorted.enumerated() {
                    let values = sorted.map { $0.values[1].normal }
                    let rank = values.firstIndex { $0 == values[index] } ?? 0
                    #expect(row.values[2] == .integer(Int128(rank + 1)))
                    #expect(row.values[3].normal == (index == 0 ? .null : values[index - 1]))
                    let frame = values[max(0, index - 3)...index].filter { !$0.isNull }
                    let least = frame.min { Scalar.compare($0, $1) < 0 } ?? .null
                    #expect(row.values[4].normal == least || Scalar.compare(row.values[4], least) == 0)
                }
            }
        }

        @Test("partitions of many thousand rows, one after the other")
        func large() async throws {
            let schema = Schema([Field("key", .int64), Field("value", .int64)])
            let rows = (1...20_000).map { index in
                TestRow(
                    source: 0, ordinal: index,
                    values: [.integer(Int128(index % 3)), .integer(Int128((index &* 7919) % 20_000))])
            }
            let harness = try OperatorHarness(budget: 3_000_000)
            let breaker = try WindowBreaker(
                WindowSpecification(
                    step: "window", partition: ["key"], order: [SortKey("value")],
                    columns: [("number", .rowNumber), ("total", .sum(column: "value", preceding: nil))]),
                input: schema, context: harness.context)
            var maker = RandomRows(seed: 1)
            let output = try await harness.run(breaker, [try maker.batches(schema, rows, most: 3000)], threads: 2)
            #expect(output.rows.count == 20_000)
            for group in Dictionary(grouping: output.rows, by: { $0.values[0] }).values {
                var total: Int128 = 0
                for (index, row) in group.enumerated() {
                    guard case .integer(let value) = row.values[1] else { continue }
                    total += value
                    #expect(row.values[2] == .integer(Int128(index + 1)))
                    #expect(row.values[3] == .integer(total))
                }
            }
        }

        @Test("a sum beyond its type refuses its row and no other")
        func overflow() async throws {
            let schema = Schema([Field("value", .int64)])
            let rows = [1, Int128(Int64.max), -5, 7].enumerated().map { index, value in
                TestRow(source: 0, ordinal: index + 1, values: [.integer(value)])
            }
            let harness = try OperatorHarness()
            let breaker = try WindowBreaker(
                WindowSpecification(
                    step: "window", partition: [], order: [],
                    columns: [("total", .sum(column: "value", preceding: nil))]),
                input: schema, context: harness.context)
            var maker = RandomRows(seed: 1)
            let output = try await harness.run(breaker, [try maker.batches(schema, rows, most: 2)], threads: 1)
            #expect(output.rows.map(\.ordinal) == [1, 3])
            #expect(output.rows.map { $0.values[1] } == [.integer(1), .integer(Int128(Int64.max) - 4)])
            #expect(output.rejects.map(\.place.row) == [2, 4])
            #expect(output.rejects.allSatisfy { $0.code == "overflow" && $0.field == "total" })
        }

        @Test("a partition that does not fit into memory is named")
        func tooLarge() async throws {
            let schema = Schema([Field("key", .utf8), Field("text", .utf8)])
            let rows = (1...3000).map { index in
                TestRow(
                    source: 0, ordinal: index,
                    values: [.utf8("the key"), .utf8("some text that takes its place in memory \(index)")])
            }
            let harness = try OperatorHarness(budget: 60_000)
            let breaker = try WindowBreaker(
                WindowSpecification(
                    step: "trend", partition: ["key"], order: [], columns: [("number", .rowNumber)]),
                input: schema, context: harness.context)
            var maker = RandomRows(seed: 1)
            let batches = try maker.batches(schema, rows)
            let error = await #expect(throws: HeadraceError.self) {
                _ = try await harness.run(breaker, [batches], threads: 1)
            }
            #expect(
                error?.description == """
                    error: step trend has a window partition that does not fit into memory [outOfBudget]
                      partition: key = the key
                      try: give the run a larger memory budget, or partition by more columns
                    """)
            #expect(harness.context.memory.usedBytes == 0)
            #expect(harness.leftovers().isEmpty)
        }

        @Test("an empty input gives no rows", arguments: [["shop"], []])
        func empty(partition: [String]) async throws {
            let harness = try OperatorHarness()
            let breaker = try WindowBreaker(
                WindowSpecification(step: "window", partition: partition, order: [], columns: Self.columns),
                input: Self.schema, context: harness.context)
            let output = try await harness.run(breaker, [[]], threads: 2)
            #expect(output.rows.isEmpty)
        }

        @Test(
            "what a function cannot use is refused before any row",
            arguments: [
                (Function.sum(column: "name", preceding: nil), "cannot use column \"name\" (utf8) for a sum"),
                (
                    .mean(column: "tags", scale: 2, preceding: nil),
                    "cannot use column \"tags\" (list<int32>) for a mean"
                ),
                (.mean(column: "price", scale: -1, preceding: nil), "rounds the mean \"x\" to -1 digits"),
                (.lag(column: "price", offset: -1), "gives \"x\" an offset of -1 rows"),
                (.count(preceding: -2), "gives \"x\" a frame of -2 rows"),
                (.lead(column: "nothing", offset: 1), "has no column \"nothing\" in its input"),
            ])
        func refusals(function: Function, text: String) throws {
            let harness = try OperatorHarness()
            defer { _ = harness.leftovers() }
            let error = #expect(throws: HeadraceError.self) {
                _ = try WindowBreaker(
                    WindowSpecification(step: "window", partition: [], order: [], columns: [("x", function)]),
                    input: Self.schema, context: harness.context)
            }
            #expect(error?.code == .schemaMismatch)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        }
    }
}
