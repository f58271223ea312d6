import HeadraceColumnar
import Testing

@Suite struct ComparisonTests {
    @Test(arguments: RandomColumns.allTypes, Shape.allCases)
    func `columns of one type compare value by value`(_ type: DataType, _ shape: Shape) throws {
        var random = SeededRandom(11)
        for count in [1, 64, 200] {
            let left = RandomColumns.column(type, count: count, shape: shape, &random)
            for other in Shape.allCases {
                let right = RandomColumns.column(type, count: count, shape: other, &random)
                for comparison in Comparison.allCases {
                    let result = try Kernels.compare(left, comparison, right)
                    #expect(
                        result.scalars == zip(left.scalars, right.scalars).map { Self.expected($0, comparison, $1) })
                }
            }
        }
    }

    static let numbers = RandomColumns.fixedTypes.filter(\.isNumeric)

    @Test(arguments: numbers, numbers)
    func `numbers of different types compare by exact value`(_ leftType: DataType, _ rightType: DataType) throws {
        var random = SeededRandom(12)
        let left = RandomColumns.column(leftType, count: 150, shape: .sliced, &random)
        let right = RandomColumns.column(rightType, count: 150, &random)
        for comparison in Comparison.allCases {
            let result = try Kernels.compare(left, comparison, right)
            #expect(result.scalars == zip(left.scalars, right.scalars).map { Self.expected($0, comparison, $1) })
        }
        for row in 0..<40 where !right.scalar(at: row).isNull {
            let value = right.scalar(at: row)
            let result = try Kernels.compare(left, .less, value)
            #expect(result.scalars == left.scalars.map { Self.expected($0, .less, value) })
        }
    }

    @Test(arguments: RandomColumns.allTypes, Shape.allCases)
    func `a column compares with one value`(_ type: DataType, _ shape: Shape) throws {
        var random = SeededRandom(13)
        let column = RandomColumns.column(type, count: 130, shape: shape, &random)
        for _ in 0..<6 {
            let value = RandomColumns.scalar(type, &random)
            for comparison in Comparison.allCases {
                let result = try Kernels.compare(column, comparison, value)
                #expect(result.scalars == column.scalars.map { Self.expected($0, comparison, value) })
            }
        }
        #expect(try Kernels.compare(column, .equal, .null).nullCount == 130)
        #expect(try Kernels.compare(column, .distinct, .null).scalars == column.scalars.map { .bool(!$0.isNull) })
        #expect(try Kernels.compare(column, .notDistinct, .null).scalars == column.scalars.map { .bool($0.isNull) })
    }

    @Test func `floats and decimals compare to the last bit`() throws {
        // 0.1 as a double is a little more than one tenth; 2^63 is beyond every int64.
        let tenth = try #require(
            ColumnVector.of(.decimal(precision: 2, scale: 1), [.decimal(.init(coefficient: 1, scale: 1))]))
        let double = try #require(ColumnVector.of(.float64, [.double(0.1)]))
        #expect(try Kernels.compare(double, .greater, tenth).scalars == [.bool(true)])
        #expect(try Kernels.compare(tenth, .equal, .double(0.1)).scalars == [.bool(false)])
        let largest = try #require(ColumnVector.of(.int64, [.integer(Int128(Int64.max))]))
        #expect(try Kernels.compare(largest, .less, .double(0x1p63)).scalars == [.bool(true)])
        #expect(try Kernels.compare(largest, .equal, .integer(Int128(Int64.max))).scalars == [.bool(true)])
        #expect(try Kernels.compare(largest, .less, .integer(Int128(Int64.max) + 1)).scalars == [.bool(true)])
        let tiny = try #require(
            ColumnVector.of(.float64, [.double(.leastNonzeroMagnitude), .double(-.leastNonzeroMagnitude)]))
        let zero = Scalar.decimal(DecimalValue(coefficient: 0, scale: 38))
        #expect(try Kernels.compare(tiny, .greater, zero).scalars == [.bool(true), .bool(false)])
    }

    @Test func `a value that saturates a common scale still compares`() throws {
        let nines = (0..<38).reduce(Int128(0)) { value, _ in value * 10 + 9 }
        let wide = try #require(
            ColumnVector.of(
                .decimal(precision: 38, scale: 0),
                [.decimal(.init(coefficient: nines, scale: 0)), .decimal(.init(coefficient: -nines, scale: 0))]))
        let fine = try #require(
            ColumnVector.of(
                .decimal(precision: 38, scale: 38),
                [.decimal(.init(coefficient: nines, scale: 38)), .decimal(.init(coefficient: -nines, scale: 38))]))
        #expect(try Kernels.compare(wide, .greater, fine).scalars == [.bool(true), .bool(false)])
    }

    @Test func `types that have no common order are refused`() throws {
        let number = ColumnVector.nulls(.int64, count: 1)
        let text = ColumnVector.nulls(.utf8, count: 1)
        #expect(throws: KernelError.self) { try Kernels.compare(number, .equal, text) }
        #expect(throws: KernelError.self) { try Kernels.compare(number, .equal, .utf8("1")) }
        let wall = ColumnVector.nulls(.timestamp(zone: nil), count: 1)
        #expect(throws: KernelError.self) { try Kernels.compare(wall, .less, .nulls(.instant, count: 1)) }
        let message = #expect(throws: KernelError.self) { try Kernels.compare(number, .equal, text) }
        #expect(message?.description == "a comparison is not defined for int64 and utf8 [unsupportedTypes]")
    }

    @Test func `logic is three-valued`() throws {
        let values: [Scalar] = [.bool(true), .bool(false), .null]
        var pairs: [(Scalar, Scalar)] = []
        for left in values { for right in values { pairs.append((left, right)) } }
        pairs = (0..<20).flatMap { _ in pairs }
        let left = try #require(ColumnVector.of(.bool, pairs.map(\.0)))
        let right = try #require(ColumnVector.of(.bool, [.null] + pairs.map(\.1))).slice(from: 1, count: pairs.count)
        #expect(
            try Kernels.and(left, right).scalars
                == pairs.map { one, other in
                    one == .bool(false) || other == .bool(false)
                        ? .bool(false) : one.isNull || other.isNull ? .null : .bool(true)
                })
        #expect(
            try Kernels.or(left, right).scalars
                == pairs.map { one, other in
                    one == .bool(true) || other == .bool(true)
                        ? .bool(true) : one.isNull || other.isNull ? .null : .bool(false)
                })
        #expect(
            try Kernels.not(right).scalars
                == pairs.map { $0.1.isNull ? .null : .bool($0.1 == .bool(false)) })
        #expect(try Kernels.and(left, right).nullCount == 60)
        #expect(Kernels.isNull(right).scalars == pairs.map { .bool($0.1.isNull) })
        #expect(Kernels.isNotNull(right).scalars == pairs.map { .bool(!$0.1.isNull) })
    }

    @Test(arguments: RandomColumns.allTypes)
    func `coalesce takes the first value and ifElse the first true case`(_ type: DataType) {
        var random = SeededRandom(14)
        let columns = Shape.allCases.map { RandomColumns.column(type, count: 90, nullPercent: 60, shape: $0, &random) }
        let rows = (0..<90).map { row in columns.map { $0.scalar(at: row) } }
        #expect(Reference.equal(Kernels.coalesce(columns).scalars, rows.map { $0.first { !$0.isNull } ?? .null }))
        let conditions = (0..<4).map { _ in RandomColumns.column(.bool, count: 90, shape: .sliced, &random) }
        let cases = zip(conditions, columns).map { (condition: $0, value: $1) }
        for otherwise in [nil, columns[4]] {
            let expected = rows.indices.map { row in
                conditions.firstIndex { $0.scalar(at: row) == .bool(true) }.map { rows[row][$0] }
                    ?? otherwise?.scalar(at: row) ?? .null
            }
            #expect(Reference.equal(Kernels.ifElse(cases, otherwise: otherwise).scalars, expected))
        }
    }

    static func expected(_ left: Scalar, _ comparison: Comparison, _ right: Scalar) -> Scalar {
        let order = Reference.compare(left, right)
        switch comparison {
        case .distinct: return .bool(order != 0)
        case .notDistinct: return .bool(order == 0)
        default: if left.isNull || right.isNull { return .null }
        }
        switch comparison {
        case .equal: return .bool(order == 0)
        case .notEqual: return .bool(order != 0)
        case .less: return .bool(order < 0)
        case .lessOrEqual: return .bool(order <= 0)
        case .greater: return .bool(order > 0)
        default: return .bool(order >= 0)
        }
    }
}
