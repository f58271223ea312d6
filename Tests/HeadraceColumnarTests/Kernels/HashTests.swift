import HeadraceColumnar
import Testing

@Suite struct HashTests {
    @Test(arguments: RandomColumns.allTypes, Shape.allCases)
    func `equal values have equal hashes and others do not`(_ type: DataType, _ shape: Shape) {
        var random = SeededRandom(6)
        let column = RandomColumns.column(type, count: 70, shape: shape, &random)
        let plain = Kernels.take(Kernels.decoded(column), RowSelection(all: 70))
        let hashes = Kernels.hash([column])
        #expect(hashes == Kernels.hash([plain]))
        for row in 0..<70 {
            for other in 0..<row {
                let equal = Reference.equal(column.scalar(at: row), column.scalar(at: other))
                #expect(
                    (hashes[row] == hashes[other]) == equal, "\(column.scalar(at: row)) \(column.scalar(at: other))")
            }
        }
    }

    @Test func `a dictionary longer than the column hashes as plain text does`() throws {
        let texts = (0..<500).map { Scalar.utf8("value \($0)") }
        let plain = try #require(ColumnVector.of(.utf8, texts))
        let encoded = try #require(Kernels.dictionaryEncoded(plain, limit: .max))
        #expect(
            Kernels.hash([encoded.slice(from: 490, count: 10)]) == Kernels.hash([plain.slice(from: 490, count: 10)]))
    }

    @Test func `integers hash alike in every width and decimals in every precision`() throws {
        let values: [Scalar] = [.integer(0), .integer(5), .integer(-7), .null].map { $0 }
        let wide = Kernels.hash([try #require(ColumnVector.of(.int64, values))])
        for type in [DataType.int8, .int16, .int32] {
            #expect(Kernels.hash([try #require(ColumnVector.of(type, values))]) == wide)
        }
        let cents: [Scalar] = [0, 125, -125].map { .decimal(DecimalValue(coefficient: $0, scale: 2)) }
        let narrow = try #require(ColumnVector.of(.decimal(precision: 9, scale: 2), cents))
        let broad = try #require(ColumnVector.of(.decimal(precision: 38, scale: 2), cents))
        #expect(Kernels.hash([narrow]) == Kernels.hash([broad]))
    }

    @Test func `hashes over several columns depend on the order of columns and the seed`() throws {
        let one = try #require(ColumnVector.of(.int64, [1, 2, 2, 1].map { .integer($0) }))
        let other = try #require(ColumnVector.of(.int64, [2, 1, 2, 1].map { .integer($0) }))
        let forward = Kernels.hash([one, other])
        #expect(Set(forward).count == 4)
        #expect(forward[0] == Kernels.hash([other, one])[1])
        #expect(forward != Kernels.hash([other, one]))
        #expect(forward != Kernels.hash([one, other], seed: 1))
    }

    @Test func `hashes are the same in every run`() throws {
        let text = try #require(
            ColumnVector.of(.utf8, ["", "abc", "a text of more than sixteen bytes"].map { .utf8($0) }))
        #expect(Kernels.hash([text]) == Self.golden)
    }

    /// Written down once; partitions on disk and tests elsewhere rely on it.
    private static let golden: [UInt64] = [
        18_027_973_888_215_709_232, 12_726_384_215_068_811_358, 8_951_497_829_466_931_492,
    ]

    @Test func `hash bits are spread evenly over buckets`() throws {
        let rows = 1 << 14
        let columns = [
            try #require(ColumnVector.of(.int64, (0..<rows).map { .integer(Int128($0)) })),
            try #require(ColumnVector.of(.int64, (0..<rows).map { .integer(Int128($0) << 40) })),
            try #require(ColumnVector.of(.utf8, (0..<rows).map { .utf8("product-\($0)") })),
            try #require(ColumnVector.of(.utf8, (0..<rows).map { .utf8("https://example.com/a/long/path/\($0)/end") })),
        ]
        for column in columns {
            let hashes = Kernels.hash([column])
            #expect(Set(hashes).count == rows)
            for shift in [0, 24, 58] {
                var buckets = [Int](repeating: 0, count: 64)
                for hash in hashes { buckets[Int(truncatingIfNeeded: hash >> UInt64(shift)) & 63] += 1 }
                // 256 expected in each; 6 standard deviations are 96.
                #expect(buckets.allSatisfy { (160...352).contains($0) })
            }
        }
    }

    @Test(arguments: RandomColumns.allTypes, Shape.allCases)
    func `row equality follows the values`(_ type: DataType, _ shape: Shape) {
        var random = SeededRandom(7)
        let left = [
            RandomColumns.column(type, count: 40, shape: shape, &random),
            RandomColumns.column(.int8, count: 40, nullPercent: 50, &random),
        ]
        let right = [
            RandomColumns.column(type, count: 40, &random),
            RandomColumns.column(.int8, count: 40, nullPercent: 50, &random),
        ]
        let grouping = RowEquality(left, right)
        let joining = RowEquality(left, right, nullsEqual: false)
        for row in 0..<40 {
            for other in 0..<40 {
                let one = left.map { $0.scalar(at: row) }
                let two = right.map { $0.scalar(at: other) }
                let equal = Reference.equal(one, two)
                #expect(grouping(row, other) == equal)
                #expect(joining(row, other) == (equal && !one.contains(.null)))
            }
        }
        #expect(RowEquality([left[0]], [left[0]])(3, 3))
    }
}
