import HeadraceColumnar
import HeadraceCore
import Synchronization
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    @Suite struct JoinBreakerTests {
        static let left = Schema([
            Field("order", .int64, nullable: false), Field("product", .utf8), Field("shop", .int32),
            Field("flag", .bool),
        ])
        static let right = Schema([
            Field("name", .utf8), Field("shop", .int16), Field("price", .decimal(precision: 12, scale: 2)),
            Field("isOld", .bool), Field("tags", .list(Field("element", .utf8))),
        ])

        // MARK: - Reference

        struct Expected {
            var rows: [TestRow] = []
            var refused: [TestRow] = []
            var rightAccount = BreakerAccount()
            var leftAccount = BreakerAccount()
        }

        /// Every left row against every right row.
        static func reference(
            _ left: [TestRow], _ right: [TestRow], _ kind: JoinKind, leftKeys: [Int], rightKeys: [Int],
            isUnique: Bool
        ) -> Expected {
            var expected = Expected()
            var byKey: [[Scalar]: [TestRow]] = [:]
            for row in right.sorted(by: { TestRow.compare($0, $1, []) < 0 }) {
                let key = rightKeys.map { row.values[$0].normal }
                if !key.contains(.null) {
                    if isUnique, byKey[key] != nil {
                        expected.refused.append(row)
                        continue
                    }
                    byKey[key, default: []].append(row)
                }
                expected.rightAccount.merged += 1
            }
            expected.rightAccount.input = right.count
            expected.rightAccount.rejected = expected.refused.count
            expected.leftAccount.input = left.count
            let added = right.first.map { row in row.values.indices.filter { !rightKeys.contains($0) } } ?? []
            for row in left {
                let key = leftKeys.map { row.values[$0].normal }
                let matches = key.contains(.null) ? [] : byKey[key] ?? []
                var values: [[Scalar]] = []
                switch kind {
                case .inner: values = matches.map { match in row.values + added.map { match.values[$0] } }
                case .left:
                    values = matches.map { match in row.values + added.map { match.values[$0] } }
                    if matches.isEmpty { values = [row.values + added.map { _ in .null }] }
                case .semi: values = matches.isEmpty ? [] : [row.values]
                case .anti: values = matches.isEmpty ? [row.values] : []
                }
                if values.isEmpty { expected.leftAccount.filtered += 1 }
                expected.leftAccount.added += max(0, values.count - 1)
                expected.rows += values.map {
                    TestRow(source: row.source, ordinal: row.ordinal, values: $0.map(\.normal))
                }
            }
            return expected
        }

        static func sorted(_ rows: [TestRow]) -> [TestRow] {
            rows.map(\.normal).sorted { TestRow.compare($0, $1, []) < 0 }
        }

        // MARK: - Tests

        struct Case: Sendable, CustomTestStringConvertible {
            var kind: JoinKind
            var isUnique: Bool
            var threads: Int
            var budget: Int
            var testDescription: String { "\(kind), unique \(isUnique), \(threads) threads, \(budget) bytes" }
        }
        static let cases: [Case] = [JoinKind.inner, .left, .semi, .anti].flatMap { kind in
            [false, true].flatMap { isUnique in
                [(1, 1 << 30), (4, 1 << 30), (2, 100_000), (1, 1)].map {
                    Case(kind: kind, isUnique: isUnique, threads: $0.0, budget: $0.1)
                }
            }
        }

        @Test("a join does not depend on threads, batches, arrival, or memory", arguments: cases)
        func random(_ test: Case) async throws {
            var maker = RandomRows(seed: UInt64(test.threads))
            let left = maker.rows(Self.left, count: 700, kinds: [1000, 40, 4, 2], repeats: true)
            let right = maker.rows(Self.right, count: 250, kinds: [60, 4, 50, 2, 3], repeats: true)
            let harness = try OperatorHarness(budget: test.budget)
            let breaker = try JoinBreaker(
                JoinSpecification(
                    step: "join", kind: test.kind, leftKeys: ["product", "shop"], rightKeys: ["name", "shop"],
                    rightIsUnique: test.isUnique),
                left: Self.left, right: Self.right, context: harness.context)
            let output = try await harness.run(
                breaker, [try maker.batches(Self.right, right, most: 60), try maker.batches(Self.left, left)],
                threads: test.threads)
            let expected = Self.reference(
                left, right, test.kind, leftKeys: [1, 2], rightKeys: [0, 1], isUnique: test.isUnique)
            #expect(Self.sorted(output.rows) == Self.sorted(expected.rows))
            #expect(breaker.inputAccounts == [expected.rightAccount, expected.leftAccount])
            #expect(
                output.rejects.map(\.place.row).sorted() == expected.refused.map(\.ordinal).sorted())
            #expect(output.rejects.allSatisfy { $0.code == "duplicate" })
            for (partition, rows) in output.partitions where partition >= 0 {
                #expect(rows.map(\.key) == rows.map(\.key).sorted())
            }
            #expect(output.partitions.keys.contains(-1) == (test.budget == 1 << 30))
        }

        @Test("in memory the left order stays, and matches follow in the right side's source order")
        func order() async throws {
            let left = Schema([Field("id", .int64), Field("key", .utf8)])
            let right = Schema([Field("key", .utf8), Field("value", .int64)])
            let leftRows = ["b", "a", "none", "b"].enumerated().map { index, key in
                TestRow(source: 0, ordinal: index + 1, values: [.integer(Int128(index)), .utf8(key)])
            }
            let rightRows = ["a", "b", "b", "a", "b"].enumerated().map { index, key in
                TestRow(source: 1, ordinal: index + 1, values: [.utf8(key), .integer(Int128(index))])
            }
            let harness = try OperatorHarness()
            let breaker = try JoinBreaker(
                JoinSpecification(step: "join", kind: .left, leftKeys: ["key"], rightKeys: ["key"]), left: left,
                right: right, context: harness.context)
            var maker = RandomRows(seed: 1)
            var random = SeededRandom(2)
            let output = try await harness.run(
                breaker,
                [
                    try maker.batches(right, rightRows, most: 2),
                    try OperatorHarness.batches(left, leftRows, most: 4, encoding: false, random: &random),
                ], threads: 1)
            #expect(output.rows.map(\.ordinal) == [1, 1, 1, 2, 2, 3, 4, 4, 4])
            let values: [Int128?] = [1, 2, 4, 0, 3, nil, 1, 2, 4]
            #expect(output.rows.map { $0.values[2] } == values.map { $0.map { Scalar.integer($0) } ?? .null })
            #expect(
                output.schema.fields == [
                    Field("id", .int64), Field("key", .utf8), Field("value", .int64, nullable: true),
                ])
        }

        @Test("every type can be a key, with and without dictionaries", arguments: RandomRows.types)
        func keyTypes(type: DataType) async throws {
            var maker = RandomRows(seed: 6)
            let left = Schema([Field("key", type), Field("value", .int32)])
            let right = Schema([Field("other", type), Field("text", .utf8)])
            let leftRows = maker.rows(left, count: 150, kinds: [9, 50])
            let rightRows = maker.rows(right, count: 40, kinds: [9, 50])
            for budget in [1 << 30, 1] {
                let harness = try OperatorHarness(budget: budget)
                let breaker = try JoinBreaker(
                    JoinSpecification(step: "join", kind: .inner, leftKeys: ["key"], rightKeys: ["other"]), left: left,
                    right: right, context: harness.context)
                let output = try await harness.run(
                    breaker,
                    [try maker.batches(right, rightRows, most: 9), try maker.batches(left, leftRows, most: 50)],
                    threads: 2)
                let expected = Self.reference(
                    leftRows, rightRows, .inner, leftKeys: [0], rightKeys: [0], isUnique: false)
                #expect(!expected.rows.isEmpty)
                #expect(Self.sorted(output.rows) == Self.sorted(expected.rows))
            }
        }

        @Test(
            "keys of different types are compared by value",
            arguments: [
                (
                    DataType.int8, DataType.int64, [Scalar.integer(7), .integer(-3)],
                    [Scalar.integer(7), .integer(1 << 40)], 1
                ),
                (.uint64, .int32, [.integer(Int128(UInt64.max)), .integer(5)], [.integer(-1), .integer(5)], 1),
                (
                    .decimal(precision: 5, scale: 1), .decimal(precision: 12, scale: 3),
                    [
                        .decimal(DecimalValue(coefficient: 15, scale: 1)),
                        .decimal(DecimalValue(coefficient: 20, scale: 1)),
                    ],
                    [
                        .decimal(DecimalValue(coefficient: 1500, scale: 3)),
                        .decimal(DecimalValue(coefficient: 2001, scale: 3)),
                    ],
                    1
                ),
                (
                    .decimal(precision: 38, scale: 0), .decimal(precision: 38, scale: 30),
                    [
                        .decimal(DecimalValue(coefficient: Int128(10).power(37), scale: 0)),
                        .decimal(DecimalValue(coefficient: 3, scale: 0)),
                    ],
                    [.decimal(DecimalValue(coefficient: 3 * Int128(10).power(30), scale: 30)), .null], 1
                ),
                (
                    .int64, .decimal(precision: 12, scale: 2), [.integer(4), .integer(Int128(Int64.min))],
                    [
                        .decimal(DecimalValue(coefficient: 400, scale: 2)),
                        .decimal(DecimalValue(coefficient: 401, scale: 2)),
                    ], 1
                ),
                (.float32, .float64, [.double(0.5), .double(.nan)], [.double(0.5), .double(.nan)], 2),
                (.utf8, .json, [.utf8("1"), .utf8("x")], [.utf8("1"), .utf8("2")], 1),
                (
                    .timestamp(zone: "UTC"), .timestamp(zone: "Europe/Paris"), [.timestamp(5), .timestamp(6)],
                    [.timestamp(6), .null], 1
                ),
            ])
        func mixedKeys(
            leftType: DataType, rightType: DataType, leftValues: [Scalar], rightValues: [Scalar], matches: Int
        ) async throws {
            let left = Schema([Field("key", leftType)])
            let right = Schema([Field("key", rightType)])
            var random = SeededRandom(2)
            for budget in [1 << 30, 1] {
                let harness = try OperatorHarness(budget: budget)
                let breaker = try JoinBreaker(
                    JoinSpecification(step: "join", kind: .semi, leftKeys: ["key"], rightKeys: ["key"]), left: left,
                    right: right, context: harness.context)
                let inputs = try [(right, rightValues), (left, leftValues)].map { schema, values in
                    try OperatorHarness.batches(
                        schema, values.enumerated().map { TestRow(source: 0, ordinal: $0 + 1, values: [$1]) }, most: 2,
                        encoding: false, random: &random)
                }
                let output = try await harness.run(breaker, inputs, threads: 1)
                #expect(output.rows.count == matches)
                #expect(output.account.filtered == leftValues.count - matches)
            }
        }

        @Test("one key with very many matches comes out in bounded batches", arguments: [1 << 30, 200_000])
        func fanOut(budget: Int) async throws {
            let left = Schema([Field("key", .int64)])
            let right = Schema([Field("key", .int64), Field("value", .int64)])
            let leftRows = (1...300).map { TestRow(source: 0, ordinal: $0, values: [.integer(1)]) }
            let rightRows = (1...200).map {
                TestRow(source: 0, ordinal: $0, values: [.integer(1), .integer(Int128($0))])
            }
            let harness = try OperatorHarness(budget: budget)
            let breaker = try JoinBreaker(
                JoinSpecification(step: "join", kind: .inner, leftKeys: ["key"], rightKeys: ["key"]), left: left,
                right: right, context: harness.context)
            var maker = RandomRows(seed: 1)
            let most = Mutex(0)
            let watched = WatchedBreaker(breaker) { count in most.withLock { $0 = max($0, count) } }
            let output = try await harness.run(
                watched, [try maker.batches(right, rightRows), try maker.batches(left, leftRows)], threads: 2)
            #expect(output.rows.count == 60_000)
            #expect(output.account.added == 60_000 - 300)
            #expect(most.withLock { $0 } <= 20_000)
            let pairs = Set(output.rows.map { [Scalar.integer(Int128($0.ordinal)), $0.values[1]] })
            #expect(pairs.count == 60_000)
        }

        @Test("empty sides", arguments: [JoinKind.inner, .left, .semi, .anti], [1 << 30, 1])
        func empty(kind: JoinKind, budget: Int) async throws {
            var maker = RandomRows(seed: 3)
            let left = maker.rows(Self.left, count: 50, kinds: [1000, 40, 4, 2])
            let right = maker.rows(Self.right, count: 50, kinds: [60, 4, 50, 2, 3])
            for (leftRows, rightRows) in [(left, []), ([], right), ([], [])] {
                let harness = try OperatorHarness(budget: budget)
                let breaker = try JoinBreaker(
                    JoinSpecification(
                        step: "join", kind: kind, leftKeys: ["product", "shop"], rightKeys: ["name", "shop"],
                        rightIsUnique: true),
                    left: Self.left, right: Self.right, context: harness.context)
                let output = try await harness.run(
                    breaker, [try maker.batches(Self.right, rightRows), try maker.batches(Self.left, leftRows)],
                    threads: 2)
                #expect(output.rows.count == (kind.keepsUnmatched ? leftRows.count : 0))
            }
        }

        @Test("a reject names the right row that is kept")
        func rejectText() async throws {
            let left = Schema([Field("key", .utf8)])
            let right = Schema([Field("code", .utf8), Field("name", .utf8)])
            let rows = [("a", "one"), ("b", "two"), ("a", "three")].enumerated().map { index, row in
                TestRow(source: 1, ordinal: index + 1, values: [.utf8(row.0), .utf8(row.1)])
            }
            let harness = try OperatorHarness()
            let breaker = try JoinBreaker(
                JoinSpecification(
                    step: "join", kind: .inner, leftKeys: ["key"], rightKeys: ["code"], rightIsUnique: true),
                left: left, right: right, context: harness.context)
            var maker = RandomRows(seed: 1)
            let output = try await harness.run(breaker, [try maker.batches(right, rows, most: 1), []], threads: 1)
            let reject = try #require(output.rejects.first)
            #expect(reject.rule == "one right row a key")
            #expect(reject.message == "source1.csv line 2 (byte 10) has the same code and is kept")
            #expect(reject.place.line == 4)
            #expect(reject.row == #"{"code":"a","name":"three"}"#)
        }

        @Test(
            "sides that do not fit are refused before any row",
            arguments: [
                (["product"], ["name", "shop"], "joins 1 left keys with 2 right keys"),
                ([], [], "joins 0 left keys with 0 right keys"),
                (["product"], ["shop"], "cannot compare left key \"product\" (utf8) with right key \"shop\" (int16)"),
                (["nothing"], ["name"], "has no column \"nothing\" in its left input"),
                (["product"], ["nothing"], "has no column \"nothing\" in its right input"),
                (["product"], ["name"], "would give out two columns called \"shop\""),
            ])
        func refusals(leftKeys: [String], rightKeys: [String], text: String) throws {
            let harness = try OperatorHarness()
            defer { _ = harness.leftovers() }
            let error = #expect(throws: HeadraceError.self) {
                _ = try JoinBreaker(
                    JoinSpecification(step: "join", kind: .inner, leftKeys: leftKeys, rightKeys: rightKeys),
                    left: Self.left, right: Self.right, context: harness.context)
            }
            #expect(error?.code == .schemaMismatch)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        }
    }
}

/// Tells the size of every batch that comes out of an operator.
private final class WatchedBreaker: Breaker {
    private let inner: any Breaker
    private let watch: @Sendable (Int) -> Void

    init(_ inner: any Breaker, _ watch: @escaping @Sendable (Int) -> Void) {
        self.inner = inner
        self.watch = watch
    }

    var inputs: Int { inner.inputs }
    var schema: Schema { inner.schema }
    func consume(_ batch: Batch, input: Int, emit: (Batch) throws -> Void) throws {
        try inner.consume(batch, input: input) {
            watch($0.count)
            try emit($0)
        }
    }
    func finishInput(_ input: Int) throws { try inner.finishInput(input) }
    var partitions: Int { inner.partitions }
    func produce(partition: Int, emit: (Batch) throws -> Void) throws {
        try inner.produce(partition: partition) {
            watch($0.count)
            try emit($0)
        }
    }
    var account: BreakerAccount { inner.account }
    func discard() { inner.discard() }
}
