import HeadraceColumnar
import Testing

@Suite struct TakeTests {
    @Test(arguments: RandomColumns.allTypes, Shape.allCases)
    func `take picks the values of any type and layout`(_ type: DataType, _ shape: Shape) {
        var random = SeededRandom(1)
        for count in [1, 7, 64, 65, 300] {
            let column = RandomColumns.column(type, count: count, shape: shape, &random)
            let rows = (0..<count * 2).map { _ in Int32(random.next() % UInt64(count)) }
            let taken = Kernels.take(column, RowSelection(rows))
            let expected = rows.map { column.scalar(at: Int($0)) }
            #expect(Reference.equal(taken.scalars, expected))
            #expect(taken.type == type)
            #expect(taken.nullCount == expected.count { $0.isNull })
            #expect((taken.dictionary == nil) == (column.dictionary == nil))
        }
    }

    @Test(arguments: RandomColumns.allTypes, Shape.allCases)
    func `takeNullable puts null at minus one`(_ type: DataType, _ shape: Shape) {
        var random = SeededRandom(2)
        let column = RandomColumns.column(type, count: 40, nullPercent: 10, shape: shape, &random)
        let rows = (0..<200).map { _ in Int32(random.next() % 41) - 1 }
        let taken = rows.withUnsafeBufferPointer { Kernels.takeNullable(column, indices: $0) }
        let expected = rows.map { $0 < 0 ? Scalar.null : column.scalar(at: Int($0)) }
        #expect(Reference.equal(taken.scalars, expected))
        #expect(taken.nullCount == expected.count { $0.isNull })
    }

    @Test(arguments: RandomColumns.allTypes)
    func `takeNullable of an empty column gives nulls`(_ type: DataType) {
        let column = ColumnVector.nulls(type, count: 0)
        let taken = [Int32](repeating: -1, count: 5).withUnsafeBufferPointer {
            Kernels.takeNullable(column, indices: $0)
        }
        #expect(taken.scalars == [.null, .null, .null, .null, .null])
    }

    @Test(arguments: RandomColumns.allTypes, Shape.allCases)
    func `filter keeps the rows where the mask is true`(_ type: DataType, _ shape: Shape) {
        var random = SeededRandom(3)
        for (count, percent) in [(1, 50), (64, 100), (200, 0), (200, 5), (777, 50), (640, 99)] {
            let column = RandomColumns.column(type, count: count, shape: shape, &random)
            let bits = (0..<count + 3).map { _ in
                random.chance(5) ? Scalar.null : .bool(random.chance(percent))
            }
            guard let mask = ColumnVector.of(.bool, bits)?.slice(from: 3, count: count) else {
                Issue.record("no mask")
                return
            }
            let kept = (0..<count).filter { bits[$0 + 3] == .bool(true) }
            #expect(Reference.equal(Kernels.filter(column, where: mask).scalars, kept.map { column.scalar(at: $0) }))
            let rest = RowSelection(whereNot: mask).indices
            #expect((RowSelection(where: mask).indices + rest).sorted() == (0..<Int32(count)).map { $0 })
        }
    }

    @Test func `filter keeps the rows of a batch together`() throws {
        let schema = Schema([Field("id", .int64), Field("name", .utf8)])
        let batch = try #require(
            RecordBatch(schema: schema, rows: (0..<100).map { [.integer(Int128($0)), .utf8("row \($0)")] }))
        let mask = try #require(ColumnVector.of(.bool, (0..<100).map { .bool($0 % 7 == 0) }))
        let kept = Kernels.filter(batch, where: mask)
        #expect(kept.count == 15)
        #expect(kept.row(at: 2) == [.integer(14), .utf8("row 14")])
        #expect(Kernels.filter(batch, keeping: RowSelection(all: 100)).columns[0] === batch.columns[0])
    }

    @Test func `rows outside the column end the process`() async {
        await #expect(processExitsWith: .failure) {
            let column = ColumnVector.nulls(.int64, count: 3)
            _ = Kernels.take(column, RowSelection([0, 3]))
        }
        await #expect(processExitsWith: .failure) {
            let column = ColumnVector.nulls(.int64, count: 3)
            _ = Kernels.take(column, RowSelection([-1]))
        }
    }
}
