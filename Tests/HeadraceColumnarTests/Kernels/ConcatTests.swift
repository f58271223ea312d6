import HeadraceColumnar
import Testing

@Suite struct ConcatTests {
    @Test(arguments: RandomColumns.allTypes)
    func `concat joins columns of any layout`(_ type: DataType) {
        var random = SeededRandom(4)
        for _ in 0..<30 {
            let columns = (0..<1 + Int(random.next() % 5)).map { _ in
                RandomColumns.column(
                    type, count: Int(random.next() % 150), nullPercent: random.chance(50) ? 0 : 30,
                    shape: Shape.allCases[Int(random.next() % 5)], &random)
            }
            let joined = Kernels.concat(columns)
            let expected = columns.flatMap(\.scalars)
            #expect(Reference.equal(joined.scalars, expected))
            #expect(joined.nullCount == expected.count { $0.isNull })
        }
    }

    @Test func `concat merges dictionaries without repeating a value`() throws {
        let first = try #require(encoded(["a", "b", nil, "a"]))
        let second = try #require(encoded(["c", "b", "b", nil]))
        let joined = Kernels.concat([first, second, first])
        #expect(joined.dictionary?.scalars == [.utf8("a"), .utf8("b"), .utf8("c")])
        #expect(joined.scalars == first.scalars + second.scalars + first.scalars)
        #expect(Kernels.concat([first, first]).dictionary === first.dictionary)
        #expect(Kernels.concat([first, try #require(texts(["z"]))]).dictionary == nil)
    }

    @Test func `concat of batches keeps the rows`() throws {
        let schema = Schema([Field("n", .int32), Field("t", .utf8)])
        let one = try #require(RecordBatch(schema: schema, rows: [[.integer(1), .utf8("x")], [.null, .null]]))
        let joined = Kernels.concat([one, one.slice(from: 1, count: 1), RecordBatch(empty: schema)])
        #expect((0..<joined.count).map { joined.row(at: $0) } == [one.row(at: 0), one.row(at: 1), one.row(at: 1)])
    }

    @Test(arguments: RandomColumns.allTypes)
    func `interleave picks rows of several columns`(_ type: DataType) {
        var random = SeededRandom(5)
        for shapes: [Shape] in [[.plain, .sliced, .foreign], [.encoded, .plain, .encodedSlice], [.encoded]] {
            let columns = shapes.map {
                RandomColumns.column(type, count: 50, nullPercent: 15, shape: $0, &random)
            }
            let sources = (0..<130).map { _ in Int32(random.next() % UInt64(columns.count)) }
            let rows = (0..<130).map { _ in Int32(random.next() % 50) }
            let mixed = sources.withUnsafeBufferPointer { sources in
                rows.withUnsafeBufferPointer { Kernels.interleave(columns, sources: sources, rows: $0) }
            }
            let expected = zip(sources, rows).map { columns[Int($0)].scalar(at: Int($1)) }
            #expect(Reference.equal(mixed.scalars, expected))
            #expect(mixed.nullCount == expected.count { $0.isNull })
        }
    }

    private func texts(_ values: [String?]) -> ColumnVector? {
        ColumnVector.of(.utf8, values.map { $0.map(Scalar.utf8) ?? .null })
    }

    private func encoded(_ values: [String?]) -> ColumnVector? {
        texts(values).flatMap { Kernels.dictionaryEncoded($0, limit: .max) }
    }
}
