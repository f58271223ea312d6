import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    @Suite struct AggregateBreakerTests {
        typealias Aggregate = AggregateSpecification.Aggregate

        static let schema = Schema([
            Field("shop", .utf8), Field("day", .date32), Field("price", .decimal(precision: 12, scale: 2)),
            Field("wide", .decimal(precision: 38, scale: 4)), Field("count", .int32), Field("weight", .float64),
            Field("name", .utf8), Field("isNew", .bool), Field("small", .float32), Field("big", .uint64),
        ])
        static let aggregates: [Aggregate] = [
            Aggregate("rows", .count), Aggregate("prices", .count, "price"), Aggregate("names", .countDistinct, "name"),
            Aggregate("days", .countDistinct, "day"), Aggregate("price", .sum, "price"),
            Aggregate("wide", .sum, "wide"),
            Aggregate("count", .sum, "count"), Aggregate("weight", .sum, "weight"), Aggregate("small", .sum, "small"),
            Aggregate("big", .sum, "big"), Aggregate("meanPrice", .mean(scale: 3), "price"),
            Aggregate("meanCount", .mean(scale: 0), "count"), Aggregate("meanWide", .mean(scale: 2), "wide"),
            Aggregate("meanWeight", .mean(scale: 2), "weight"), Aggregate("low", .minimum, "name"),
            Aggregate("high", .maximum, "name"), Aggregate("least", .minimum, "price"),
            Aggregate("most", .maximum, "weight"), Aggregate("widest", .maximum, "wide"),
            Aggregate("first", .first, "name"), Aggregate("last", .last, "price"), Aggregate("any", .any, "isNew"),
            Aggregate("all", .all, "isNew"),
        ]

        // MARK: - Reference

        static func value(_ aggregate: Aggregate, _ rows: [TestRow], _ schema: Schema) -> Scalar {
            guard let name = aggregate.column, let column = schema.index(of: name) else {
                return .integer(Int128(rows.count))
            }
            let all = rows.map { $0.values[column] }
            let values = all.filter { !$0.isNull }
            switch aggregate.function {
            case .count: return .integer(Int128(values.count))
            case .countDistinct: return .integer(Int128(Set(values.map(\.normal)).count))
            case .first: return all.first ?? .null
            case .last: return all.last ?? .null
            case _ where values.isEmpty: return .null
            case .sum: return sum(values)
            case .mean(let scale):
                switch sum(values) {
                case .double(let sum): return .double(sum / Double(values.count))
                case .integer(let sum):
                    let mean = DecimalMath.divide(sum, by: Int128(values.count), appending: scale, .halfEven)
                    return mean.map { .decimal(DecimalValue(coefficient: $0, scale: scale)) } ?? .null
                case .decimal(let sum):
                    let mean = DecimalMath.divide(
                        sum.coefficient, by: Int128(values.count), appending: scale - sum.scale, .halfEven)
                    return mean.map { .decimal(DecimalValue(coefficient: $0, scale: scale)) } ?? .null
                default: return .null
                }
            case .minimum: return values.reduce(values[0]) { Scalar.compare($1, $0) < 0 ? $1 : $0 }
            case .maximum: return values.reduce(values[0]) { Scalar.compare($1, $0) > 0 ? $1 : $0 }
            case .any: return .bool(values.contains(.bool(true)))
            case .all: return .bool(!values.contains(.bool(false)))
            }
        }

        /// The values are multiples of a quarter, so that sums of doubles are exact in any order.
        static func sum(_ values: [Scalar]) -> Scalar {
            var integer: Int128 = 0
            var double = 0.0
            var scale = 0
            for value in values {
                switch value {
                case .integer(let number): integer += number
                case .decimal(let number):
                    integer += number.coefficient
                    scale = number.scale
                case .double(let number): double += number
                default: preconditionFailure("\(value) is no number")
                }
            }
            switch values[0] {
            case .integer: return .integer(integer)
            case .decimal: return .decimal(DecimalValue(coefficient: integer, scale: scale))
            default: return .double(double)
            }
        }

        /// One row a group: its first ordinal, its keys, its aggregates.
        static func reference(
            _ rows: [TestRow], _ schema: Schema, keys: [Int], _ aggregates: [Aggregate]
        ) -> [TestRow] {
            let ordered = rows.sorted { TestRow.compare($0, $1, []) < 0 }
            var groups: [[Scalar]: [TestRow]] = [:]
            for row in ordered { groups[keys.map { row.values[$0].normal }, default: []].append(row) }
            return groups.map { key, rows in
                TestRow(
                    source: rows[0].source, ordinal: rows[0].ordinal,
                    values: (key + aggregates.map { value($0, rows, schema) }).map(\.normal))
            }.sorted { $0.key < $1.key }
        }

        // MARK: - Tests

        @Test(
            "aggregates do not depend on threads, batches, arrival, or memory", arguments: [1, 2, 4],
            [1 << 30, 150_000])
        func random(threads: Int, budget: Int) async throws {
            var maker = RandomRows(seed: UInt64(threads))
            let rows = maker.rows(
                Self.schema, count: 1200, kinds: [6, 7, 50, 70, 90, 60, 30, 2, 9, 40])
            for keys in [["shop", "day"], ["name"], []] {
                let harness = try OperatorHarness(budget: budget)
                let breaker = try AggregateBreaker(
                    AggregateSpecification(step: "group", keys: keys, aggregates: Self.aggregates),
                    input: Self.schema, context: harness.context)
                let output = try await harness.run(
                    breaker, [try maker.batches(Self.schema, rows)], threads: threads)
                let expected = Self.reference(
                    rows, Self.schema, keys: keys.compactMap { Self.schema.index(of: $0) }, Self.aggregates)
                let found = output.rows.map(\.normal).sorted { $0.key < $1.key }
                #expect(found.count == expected.count)
                for (one, other) in zip(found, expected) { #expect(one == other) }
                for part in output.partitions.values { #expect(part.map(\.key) == part.map(\.key).sorted()) }
                #expect(output.account.merged == rows.count - expected.count)
            }
        }

        @Test("every type has a least and a greatest value and can be a key", arguments: RandomRows.types)
        func types(type: DataType) async throws {
            var maker = RandomRows(seed: 4)
            let schema = Schema([Field("key", type), Field("value", type)])
            let rows = maker.rows(schema, count: 300, kinds: [6, 12], repeats: false)
            let aggregates = [
                Aggregate("low", .minimum, "value"), Aggregate("high", .maximum, "value"),
                Aggregate("first", .first, "value"), Aggregate("last", .last, "value"),
                Aggregate("different", .countDistinct, "value"),
            ]
            for budget in [1 << 30, 20_000] {
                let harness = try OperatorHarness(budget: budget)
                let breaker = try AggregateBreaker(
                    AggregateSpecification(step: "group", keys: ["key"], aggregates: aggregates), input: schema,
                    context: harness.context)
                let output = try await harness.run(breaker, [try maker.batches(schema, rows, most: 40)], threads: 2)
                let expected = Self.reference(rows, schema, keys: [0], aggregates)
                #expect(output.rows.map(\.normal).sorted { $0.key < $1.key } == expected)
            }
        }

        @Test("an empty input gives no groups, and one row without keys")
        func empty() async throws {
            for keys in [["shop"], []] {
                let harness = try OperatorHarness()
                let breaker = try AggregateBreaker(
                    AggregateSpecification(
                        step: "group", keys: keys,
                        aggregates: [
                            Aggregate("rows", .count), Aggregate("names", .countDistinct, "name"),
                            Aggregate("sum", .sum, "price"), Aggregate("mean", .mean(scale: 2), "count"),
                            Aggregate("weight", .mean(scale: 2), "weight"), Aggregate("low", .minimum, "name"),
                            Aggregate("first", .first, "day"), Aggregate("all", .all, "isNew"),
                        ]), input: Self.schema, context: harness.context)
                let output = try await harness.run(breaker, [[]], threads: 2)
                if keys.isEmpty {
                    #expect(output.values == [[.integer(0), .integer(0), .null, .null, .null, .null, .null, .null]])
                    #expect(output.account == BreakerAccount(added: 1))
                } else {
                    #expect(output.rows.isEmpty)
                }
            }
        }

        @Test("the types of results follow those of the arguments")
        func resultTypes() throws {
            let harness = try OperatorHarness()
            defer { _ = harness.leftovers() }
            let breaker = try AggregateBreaker(
                AggregateSpecification(step: "group", keys: ["shop"], aggregates: Self.aggregates),
                input: Self.schema, context: harness.context)
            defer { breaker.discard() }
            #expect(
                breaker.schema.fields.dropFirst().map(\.type.description) == [
                    "int64", "int64", "int64", "int64", "decimal(38,2)", "decimal(38,4)", "int64", "float64", "float64",
                    "uint64", "decimal(13,3)", "decimal(10,0)", "decimal(37,2)", "float64", "utf8", "utf8",
                    "decimal(12,2)", "float64", "decimal(38,4)", "utf8", "decimal(12,2)", "bool", "bool",
                ])
            #expect(breaker.schema["rows"]?.isNullable == false)
            #expect(breaker.schema["price"]?.isNullable == true)
        }

        @Test("a sum beyond its type refuses the group, one that comes back does not", arguments: [1 << 30, 1])
        func overflow(budget: Int) async throws {
            let schema = Schema([
                Field("key", .utf8), Field("number", .int64), Field("wide", .decimal(precision: 38, scale: 0)),
            ])
            let large = Int128(10).power(38) - 1
            let values: [(String, Int128, Int128)] = [
                ("good", Int128(Int64.max), large), ("good", 5, large), ("good", -6, -large),
                ("long", Int128(Int64.max), 1), ("long", 1, 1), ("wide", 1, -large), ("wide", 2, -1),
            ]
            let rows = values.enumerated().map { index, value in
                TestRow(
                    source: 0, ordinal: index + 1,
                    values: [
                        .utf8(value.0), .integer(value.1), .decimal(DecimalValue(coefficient: value.2, scale: 0)),
                    ])
            }
            for seed in 0..<4 {
                let harness = try OperatorHarness(budget: budget)
                let breaker = try AggregateBreaker(
                    AggregateSpecification(
                        step: "group", keys: ["key"],
                        aggregates: [Aggregate("number", .sum, "number"), Aggregate("wide", .sum, "wide")]),
                    input: schema, context: harness.context)
                var maker = RandomRows(seed: UInt64(seed))
                let output = try await harness.run(breaker, [try maker.batches(schema, rows, most: 2)], threads: 2)
                #expect(
                    output.values == [
                        [
                            .utf8("good"), .integer(Int128(Int64.max) - 1),
                            .decimal(DecimalValue(coefficient: large, scale: 0)),
                        ]
                    ])
                let rejects = output.rejects.sorted { $0.place.row < $1.place.row }
                #expect(rejects.map(\.field) == ["number", "wide"])
                #expect(rejects.map(\.code) == ["overflow", "overflow"])
                #expect(rejects.first?.message == "the sum number does not fit int64")
                #expect(rejects.first?.row == #"{"key":"long","number":null,"wide":2}"#)
                #expect(rejects.first?.place == Place(source: "group", row: 4))
                #expect(output.account.rejected == 2)
            }
        }

        @Test("memory stays near the number of groups", arguments: [[], ["key"]])
        func bounded(keys: [String]) async throws {
            let schema = Schema([Field("key", .int64), Field("text", .utf8)])
            let rows = (1...30_000).map { index in
                TestRow(
                    source: 0, ordinal: index,
                    values: [.integer(Int128(index % 40)), .utf8("some text that takes its place \(index)")])
            }
            let harness = try OperatorHarness()
            let breaker = try AggregateBreaker(
                AggregateSpecification(
                    step: "group", keys: keys,
                    aggregates: [Aggregate("last", .last, "text"), Aggregate("rows", .count)]),
                input: schema, context: harness.context)
            var random = SeededRandom(3)
            let batches = try OperatorHarness.batches(schema, rows, most: 2000, encoding: false, random: &random)
            let output = try await harness.run(breaker, [batches], threads: 2)
            #expect(output.rows.count == (keys.isEmpty ? 1 : 40))
            #expect(harness.context.memory.peakBytes < batches.reduce(0) { $0 + $1.records.byteSize } / 2)
        }

        @Test(
            "an argument of a type that has no sum is refused before any row",
            arguments: [
                (Aggregate("x", .sum, "name"), "cannot use column \"name\" (utf8) for a sum"),
                (Aggregate("x", .mean(scale: 2), "isNew"), "cannot use column \"isNew\" (bool) for a mean"),
                (Aggregate("x", .any, "count"), "cannot use column \"count\" (int32) for any or all"),
                (Aggregate("x", .sum, "nothing"), "has no column \"nothing\" in its input"),
                (Aggregate("x", .sum), "has an aggregate \"x\" without a column"),
                (Aggregate("x", .mean(scale: 39), "price"), "rounds the mean \"x\" to 39 digits"),
                (Aggregate("shop", .count), "would give out two columns called \"shop\""),
            ])
        func refusals(aggregate: Aggregate, text: String) throws {
            let harness = try OperatorHarness()
            defer { _ = harness.leftovers() }
            let error = #expect(throws: HeadraceError.self) {
                _ = try AggregateBreaker(
                    AggregateSpecification(step: "group", keys: ["shop"], aggregates: [aggregate]),
                    input: Self.schema, context: harness.context)
            }
            #expect(error?.code == .schemaMismatch)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        }
    }
}
