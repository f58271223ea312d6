import HeadraceColumnar
import Testing

@Suite struct SortTests {
    static let orders: [SortOrder] = [
        .ascending, .descending, SortOrder(ascending: true, nullsFirst: true),
        SortOrder(ascending: false, nullsFirst: true),
    ]

    @Test(arguments: RandomColumns.allTypes, Shape.allCases)
    func `one key sorts stably`(_ type: DataType, _ shape: Shape) {
        var random = SeededRandom(8)
        for order in Self.orders {
            for count in [0, 1, 30, 200] {
                let column = RandomColumns.column(type, count: count, shape: shape, &random)
                let sorted = Kernels.sortIndices([column], by: [order]).indices
                #expect(sorted == reference([column], [order]))
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `several keys sort stably`(_ seed: UInt64) {
        var random = SeededRandom(seed)
        for _ in 0..<10 {
            let count = Int(random.next() % 250)
            let keys = (0..<1 + Int(random.next() % 3)).map { _ in
                (
                    RandomColumns.column(
                        RandomColumns.allTypes[Int(random.next() % UInt64(RandomColumns.allTypes.count))], count: count,
                        shape: Shape.allCases[Int(random.next() % 5)], &random),
                    Self.orders[Int(random.next() % 4)]
                )
            }
            let sorted = Kernels.sortIndices(keys.map(\.0), by: keys.map(\.1)).indices
            #expect(sorted == reference(keys.map(\.0), keys.map(\.1)))
        }
    }

    @Test func `long random keys sort as numbers and as text`() throws {
        var random = SeededRandom(9)
        let numbers = (0..<5000).map { _ in Scalar.integer(Int128(Int64(bitPattern: random.next()))) }
        let texts = (0..<5000).map { _ in Scalar.utf8("common prefix \(random.next() % 3000)") }
        for (type, values) in [(DataType.int64, numbers), (.utf8, texts)] {
            let column = try #require(ColumnVector.of(type, values))
            for order in Self.orders.prefix(2) {
                let sorted = Kernels.take(column, Kernels.sortIndices([column], by: [order])).scalars
                let expected = values.sorted { Reference.compare($0, $1) < 0 }
                #expect(sorted == (order.ascending ? expected : expected.reversed()))
            }
        }
    }

    @Test func `texts that differ late, in length or by zero bytes sort by their bytes`() throws {
        var random = SeededRandom(11)
        let ends = ["", "\0", "\0\0", "a", "\0a", "-12345678", "-12345678x", "-12345678\0", "é"]
        let values = (0..<600).map { _ -> Scalar in
            let end = ends[Int(random.next() % UInt64(ends.count))]
            return .utf8((random.chance(80) ? "12345678" : "12345678abcdefgh") + end)
        }
        let numbers = (0..<600).map { _ in Scalar.integer(Int128(random.next() % 3)) }
        let keys = [try #require(ColumnVector.of(.utf8, values)), try #require(ColumnVector.of(.int8, numbers))]
        for order in Self.orders {
            #expect(
                Kernels.sortIndices(keys, by: [order, .descending]).indices == reference(keys, [order, .descending]))
            #expect(Kernels.sortIndices([keys[0]], by: [order]).indices == reference([keys[0]], [order]))
        }
    }

    @Test func `a batch is sorted by columns of it`() throws {
        let schema = Schema([Field("a", .int32), Field("b", .utf8)])
        let batch = try #require(
            RecordBatch(
                schema: schema,
                rows: [[.integer(2), .utf8("x")], [.integer(1), .utf8("x")], [.integer(3), .utf8("a")]]))
        let rows = Kernels.sortIndices(batch, by: [(column: 1, order: .descending), (column: 0, order: .ascending)])
        #expect(rows.indices == [1, 0, 2])
        #expect(Kernels.sortIndices(batch, by: []).indices == [0, 1, 2])
    }

    @Test(arguments: RandomColumns.allTypes)
    func `row order compares rows of two batches`(_ type: DataType) {
        var random = SeededRandom(10)
        let left = RandomColumns.column(type, count: 30, shape: .encodedSlice, &random)
        let right = RandomColumns.column(type, count: 30, shape: .foreign, &random)
        for order in Self.orders {
            let rowOrder = RowOrder([left], [right], orders: [order])
            for row in 0..<30 {
                for other in 0..<30 {
                    #expect(
                        rowOrder.compare(row, other).signum()
                            == compare(left.scalar(at: row), right.scalar(at: other), order).signum())
                }
            }
        }
    }

    private func compare(_ left: Scalar, _ right: Scalar, _ order: SortOrder) -> Int {
        switch (left.isNull, right.isNull) {
        case (true, true): 0
        case (true, false): order.nullsFirst ? -1 : 1
        case (false, true): order.nullsFirst ? 1 : -1
        case (false, false): Reference.compare(left, right) * (order.ascending ? 1 : -1)
        }
    }

    private func reference(_ columns: [ColumnVector], _ orders: [SortOrder]) -> [Int32] {
        let values = columns.map(\.scalars)
        return (0..<Int32(columns[0].count)).sorted { one, other in
            for (index, order) in orders.enumerated() {
                let result = compare(values[index][Int(one)], values[index][Int(other)], order)
                if result != 0 { return result < 0 }
            }
            return one < other
        }
    }
}
