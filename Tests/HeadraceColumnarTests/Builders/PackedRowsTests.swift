import Testing

@testable import HeadraceColumnar

@Suite struct PackedRowsTests {
    let arena = PackedArena()

    static let types = RandomColumns.fixedTypes + RandomColumns.byteTypes

    /// Columns of a batch in any order of types, so that each has others before it.
    static func batch(_ types: [DataType], count: Int, shape: Shape, _ random: inout SeededRandom) -> RecordBatch {
        let columns = types.map {
            RandomColumns.column($0, count: count, nullPercent: random.chance(50) ? 0 : 20, shape: shape, &random)
        }
        let schema = Schema(types.enumerated().map { Field("column \($0)", $1) })
        return RecordBatch(schema: schema, columns: columns, count: count)
    }

    static func expectSame(_ unpacked: RecordBatch, _ batches: [RecordBatch]) {
        let wanted = Kernels.concat(batches)
        #expect(unpacked.count == wanted.count)
        for (one, other) in zip(unpacked.columns, wanted.columns) {
            #expect(one.type == other.type)
            #expect(one.nullCount == other.nullCount)
            // Described, because NaN is not equal to itself and zero has two signs.
            let pairs = (0..<wanted.count).map { ("\(one.scalar(at: $0))", "\(other.scalar(at: $0))") }
            #expect(pairs.allSatisfy { $0 == $1 }, "\(one.type)")
        }
    }

    @Test("come back as they were, whatever their layout", arguments: Shape.allCases, [0, 1, 2, 63, 64, 65, 300])
    func roundTrip(shape: Shape, count: Int) throws {
        var random = SeededRandom(UInt64(count))
        for _ in 0..<8 {
            let batch = Self.batch(Self.types.shuffled(using: &random), count: count, shape: shape, &random)
            let packed = try #require(PackedRows(batch, in: arena))
            #expect(packed.count == count)
            Self.expectSame(PackedRows.unpack([packed]), [batch])
        }
    }

    @Test("come back side by side from parts of any layout", arguments: 0..<20)
    func parts(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let types = Self.types.shuffled(using: &random)
        let batches = (0..<5).map { _ in
            let shape = Shape.allCases.randomElement(using: &random) ?? .plain
            return Self.batch(types, count: Int.random(in: 0..<200, using: &random), shape: shape, &random)
        }
        let packed = try batches.map { try #require(PackedRows($0, in: arena)) }
        Self.expectSame(PackedRows.unpack(packed), batches)
    }

    @Test("integers of any range come back", arguments: [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 62, 63, 64])
    func ranges(bits: UInt64) throws {
        var random = SeededRandom(bits)
        let mask: UInt64 = bits == 64 ? .max : (1 << bits) - 1
        func numbers(_ base: Int64) -> [Int64] {
            var numbers = [base, base &+ Int64(bitPattern: mask)]
            for _ in 0..<98 { numbers.append(base &+ Int64(bitPattern: random.next() & mask)) }
            return numbers
        }
        func column(_ values: [Int64]) throws -> ColumnVector {
            let scalars: [Scalar] = values.map { .integer(Int128($0)) }
            return try #require(ColumnVector.of(.int64, scalars))
        }
        for base: Int64 in [0, .min, .max, -1, 1 << 51 | 12345] {
            let first = numbers(base)
            // Near the column before, going along with it, and far from it.
            let near = first.map { $0 &+ 1 }
            let along = first.indices.map { first[$0] &* 3 &+ Int64($0 * 7) }
            var vectors = try [first, near, along, numbers(~base)].map(column)
            let factor: Int128 = bits > 32 ? 1 : 1 << 60
            let wide: [Scalar] = first.map { .decimal(DecimalValue(coefficient: Int128($0) * factor, scale: 0)) }
            let wideType = DataType.decimal(precision: 38, scale: 0)
            vectors.append(try #require(ColumnVector.of(wideType, wide)))
            let fields = ["a", "b", "c", "d"].map { Field($0, .int64) } + [Field("wide", wideType)]
            let batch = RecordBatch(schema: Schema(fields), columns: vectors, count: 100)
            Self.expectSame(PackedRows.unpack([try #require(PackedRows(batch, in: arena))]), [batch])
        }
    }

    @Test("hold what places, prices and short texts need, not what they have room for")
    func size() throws {
        let count = 1000
        func column(_ type: DataType, _ value: (Int) -> Scalar) throws -> ColumnVector {
            try #require(.of(type, (0..<count).map(value)))
        }
        let batch = RecordBatch(
            schema: Schema([
                Field("row", .int64), Field("line", .int64), Field("offset", .int64), Field("text", .utf8),
            ]),
            columns: [
                try column(.int64) { .integer(1 << 51 | Int128($0) * 64) },
                try column(.int64) { .integer(7 << 40 | Int128($0) * 64 + 2) },
                try column(.int64) { .integer(4_000_000_000 + Int128($0) * 7300) },
                try column(.utf8) { .utf8("name \($0 % 10)") },
            ], count: count)
        let packed = try #require(PackedRows(batch, in: arena))
        // Two bytes of ordinal, none of line, four of offset, six of text and none of its length.
        #expect(packed.byteCount < 13 * count)
        #expect(batch.byteSize > 34 * count)
        Self.expectSame(PackedRows.unpack([packed]), [batch])
    }

    @Test("a dictionary is shared", arguments: [false, true])
    func dictionary(isSame: Bool) throws {
        func encoded(_ texts: [String]) throws -> ColumnVector {
            let plain = try #require(ColumnVector.of(.utf8, texts.map { .utf8($0) }))
            return try #require(Kernels.dictionaryEncoded(plain, limit: .max))
        }
        let schema = Schema([Field("text", .utf8)])
        let whole = try encoded((0..<400).map { "text \($0 % 7)" })
        let columns = [
            whole.slice(from: 3, count: 200), isSame ? whole : try encoded((0..<90).map { "text \($0 % 9)" }),
        ]
        let batches = columns.map { RecordBatch(schema: schema, columns: [$0], count: $0.count) }
        let packed = try batches.map { try #require(PackedRows($0, in: arena)) }
        #expect(packed[0].byteCount < 200 + 400)
        let unpacked = PackedRows.unpack(packed)
        Self.expectSame(unpacked, batches)
        #expect(unpacked.columns[0].dictionary != nil)
        #expect((unpacked.columns[0].dictionary === whole.dictionary) == isSame)
    }

    @Test("lists and structs are not packed", arguments: RandomColumns.nestedTypes)
    func nested(type: DataType) {
        var random = SeededRandom(1)
        #expect(PackedRows(Self.batch([.int32, type], count: 10, shape: .plain, &random), in: arena) == nil)
    }
}
