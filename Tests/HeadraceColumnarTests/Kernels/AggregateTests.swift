import HeadraceColumnar
import Testing

@Suite struct AggregateTests {
    static let functions: [AggregateFunction] = [
        .count, .countDistinct, .sum, .minimum, .maximum, .mean(scale: 0), .mean(scale: 2), .mean(scale: 7), .any, .all,
    ]

    @Test(arguments: RandomColumns.allTypes, functions)
    func `groups give what a loop over their values gives`(_ type: DataType, _ function: AggregateFunction) throws {
        guard let resultType = Kernels.aggregateType(function, over: type) else {
            #expect(throws: KernelError.self) { try Kernels.accumulator(function, over: type) }
            return
        }
        var random = SeededRandom(61)
        for groupCount in [1, 7, 200] {
            let accumulator = try Kernels.accumulator(function, over: type)
            #expect(accumulator.resultType == resultType)
            var values = [[Scalar]](repeating: [], count: groupCount)
            var known = 0
            // Several batches in all layouts, with groups that appear late and groups that never do.
            for shape in Shape.allCases + Shape.allCases {
                let column = RandomColumns.column(type, count: 90, nullPercent: 25, shape: shape, &random)
                known = min(groupCount, known + max(1, groupCount / 5))
                let groups = (0..<90).map { _ in
                    groupCount == 1 ? 0 : Int32(random.next() % UInt64(known) / 2 * 2 % UInt64(groupCount))
                }
                if groupCount == 1 {
                    accumulator.update(column, groups: nil, groupCount: 1)
                } else {
                    groups.withUnsafeBufferPointer {
                        accumulator.update(column, groups: $0.baseAddress, groupCount: known)
                    }
                }
                for (group, value) in zip(groups, column.scalars) where !value.isNull {
                    values[Int(group)].append(value)
                }
            }
            #expect(accumulator.byteSize > 0)
            let result = accumulator.finish(groupCount: groupCount)
            #expect(result.column.type == resultType)
            let expected = values.map { Self.reference(function, $0, resultType) }
            #expect(Self.close(result.column.scalars, expected.map(\.value)))
            #expect(result.failures.map(\.row) == expected.indices.filter { expected[$0].fails }.map { Int32($0) })
            #expect(result.column.nullCount == result.column.scalars.count { $0.isNull })
            // Finished, it starts anew.
            #expect(
                accumulator.finish(groupCount: 1).column.scalars == [Self.reference(function, [], resultType).value])
        }
    }

    private static func reference(
        _ function: AggregateFunction, _ values: [Scalar], _ type: DataType
    ) -> (value: Scalar, fails: Bool) {
        switch function {
        case .count: return (.integer(Int128(values.count)), false)
        case .countDistinct:
            var distinct: [Scalar] = []
            for value in values where !distinct.contains(where: { Reference.equal($0, value) }) {
                distinct.append(value)
            }
            return (.integer(Int128(distinct.count)), false)
        case .minimum: return (values.min { Reference.compare($0, $1) < 0 } ?? .null, false)
        case .maximum: return (values.max { Reference.compare($0, $1) < 0 } ?? .null, false)
        case .any: return (values.isEmpty ? .null : .bool(values.contains(.bool(true))), false)
        case .all: return (values.isEmpty ? .null : .bool(!values.contains(.bool(false))), false)
        case .sum, .mean:
            if values.isEmpty { return (.null, false) }
            if type == .float64 {
                let sum = values.reduce(0.0) { if case .double(let value) = $1 { $0 + value } else { $0 } }
                return (.double(function == .sum ? sum : sum / Double(values.count)), false)
            }
            return number(function, values.map(Self.decimal), type)
        }
    }

    private static func number(
        _ function: AggregateFunction, _ values: [DecimalValue], _ type: DataType
    ) -> (value: Scalar, fails: Bool) {
        var total: DecimalValue? = .zero
        for value in values { total = total.flatMap { $0.adding(value) } }
        guard let total else { return (.null, true) }
        if case .mean(let scale) = function {
            guard let mean = total.divided(by: DecimalValue(values.count), scale: scale),
                case .decimal(let precision, _) = type, mean.precision <= precision
            else { return (.null, true) }
            return (.decimal(mean), false)
        }
        if let range = type.integerRange {
            let fits = range.lowest <= total.coefficient && total.coefficient <= range.highest
            return fits ? (.integer(total.coefficient), false) : (.null, true)
        }
        guard case .decimal(let precision, _) = type, total.precision <= precision else { return (.null, true) }
        return (.decimal(total), false)
    }

    private static func decimal(_ scalar: Scalar) -> DecimalValue {
        switch scalar {
        case .integer(let value): DecimalValue(coefficient: value, scale: 0)
        case .decimal(let value): value
        default: .zero
        }
    }

    /// Equal, floats to twelve digits.
    private static func close(_ left: [Scalar], _ right: [Scalar]) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { one, other in
                if case .double(let first) = one, case .double(let second) = other, first.isFinite, second.isFinite {
                    return abs(first - second) <= 1e-12 * max(abs(first), abs(second))
                }
                return Reference.equal(one, other)
            }
    }

    @Test func `wide decimals fail when their sum passes 38 digits`() throws {
        let nines = DecimalMath.widePowerOfTen(38) - 1
        let column = try #require(
            ColumnVector.of(
                .decimal(precision: 38, scale: 0),
                [nines, nines, 1, -1, nines, -nines].map { .decimal(DecimalValue(coefficient: $0, scale: 0)) }))
        let groups: [Int32] = [0, 0, 1, 1, 2, 2]
        let sums = try groups.withUnsafeBufferPointer { groups throws(KernelError) in
            try Kernels.aggregate(.sum, column, groups: groups, groupCount: 4)
        }
        let zero = Scalar.decimal(.zero)
        #expect(sums.column.scalars == [.null, zero, zero, .null])
        #expect(sums.failures == [RowFailure(row: 0, reason: .outOfRange)])
    }

    @Test func `integer sums that pass 64 bits fail and wide ones do not`() throws {
        let top = Scalar.integer(Int128(Int64.max))
        let signed = try #require(ColumnVector.of(.int64, [top, top]))
        #expect(try Kernels.aggregate(.sum, signed).failures == [RowFailure(row: 0, reason: .outOfRange)])
        #expect(try Kernels.aggregate(.sum, signed.slice(from: 0, count: 1)).column.scalars == [top])
        let most = Int128(UInt64.max)
        let unsigned = try #require(ColumnVector.of(.uint64, [.integer(most), .integer(most)]))
        #expect(
            try Kernels.aggregate(.sum, unsigned).column.scalars
                == [.decimal(DecimalValue(coefficient: 2 * most, scale: 0))])
    }

    @Test func `means are exact and round halves to even`() throws {
        func mean(_ cents: [Int128], _ scale: Int) throws -> [Scalar] {
            let column = try #require(
                ColumnVector.of(
                    .decimal(precision: 9, scale: 2), cents.map { .decimal(DecimalValue(coefficient: $0, scale: 2)) }))
            return try Kernels.aggregate(.mean(scale: scale), column).column.scalars
        }
        func value(_ coefficient: Int128, _ scale: Int) -> [Scalar] {
            [.decimal(DecimalValue(coefficient: coefficient, scale: scale))]
        }
        #expect(try mean([100, 101], 2) == value(100, 2))
        #expect(try mean([101, 102], 2) == value(102, 2))
        #expect(try mean([100, 100, 101], 4) == value(10033, 4))
        #expect(try mean([-100, -101], 2) == value(-100, 2))
        #expect(try mean([999_999_999], 0) == value(10_000_000, 0))
        #expect(
            Kernels.aggregateType(.mean(scale: 0), over: .decimal(precision: 9, scale: 2))
                == .decimal(precision: 8, scale: 0))
        #expect(Kernels.aggregateType(.mean(scale: 39), over: .int8) == nil)
    }

    @Test func `a float sum keeps small values beside great ones`() throws {
        let column = try #require(ColumnVector.of(.float64, [1e100, 1, -1e100, 1].map { .double($0) }))
        #expect(try Kernels.aggregate(.sum, column).column.scalars == [.double(2)])
    }

    @Test func `extremes of long texts do not keep what was beaten`() throws {
        let accumulator = try Kernels.accumulator(.maximum, over: .utf8)
        for round in 0..<200 {
            let texts = (0..<100).map { Scalar.utf8(String(repeating: "a", count: 100 + round) + "\($0)") }
            let column = try #require(ColumnVector.of(.utf8, texts))
            let groups = (0..<100).map { Int32($0) }
            groups.withUnsafeBufferPointer { accumulator.update(column, groups: $0.baseAddress, groupCount: 100) }
        }
        #expect(accumulator.byteSize < 400_000)
        let result = accumulator.finish(groupCount: 100).column
        #expect(result.scalar(at: 42) == .utf8(String(repeating: "a", count: 299) + "42"))
    }

    @Test(arguments: RandomColumns.allTypes)
    func `least and greatest leave nulls out`(_ type: DataType) {
        var random = SeededRandom(62)
        let columns = Shape.allCases.map { RandomColumns.column(type, count: 80, nullPercent: 50, shape: $0, &random) }
        let rows = (0..<80).map { row in columns.map { $0.scalar(at: row) }.filter { !$0.isNull } }
        #expect(
            Reference.equal(
                Kernels.least(columns).scalars, rows.map { $0.min { Reference.compare($0, $1) < 0 } ?? .null }))
        #expect(
            Reference.equal(
                Kernels.greatest(columns).scalars, rows.map { $0.max { Reference.compare($0, $1) < 0 } ?? .null }))
    }

    @Test func `parts of dates and timestamps`() throws {
        // 2024-02-29 was a Thursday; 1969-12-31 a Wednesday.
        let dates = try #require(ColumnVector.of(.date32, [.date(19782), .date(-1), .null]))
        let moments = try #require(
            ColumnVector.of(.instant, [.timestamp(19782 * 86_400_000_000 + 3_723_000_001), .timestamp(-1), .null]))
        func integers(_ values: Int...) -> [Scalar] { values.map { .integer(Int128($0)) } + [.null] }
        for column in [dates, moments] {
            #expect(try Kernels.extract(.year, column).scalars == integers(2024, 1969))
            #expect(try Kernels.extract(.month, column).scalars == integers(2, 12))
            #expect(try Kernels.extract(.day, column).scalars == integers(29, 31))
            #expect(try Kernels.extract(.weekday, column).scalars == integers(4, 3))
            #expect(try Kernels.toDate(column).scalars == dates.scalars)
        }
        #expect(try Kernels.extract(.hour, moments).scalars == integers(1, 23))
        #expect(try Kernels.extract(.minute, moments).scalars == integers(2, 59))
        #expect(try Kernels.extract(.second, moments).scalars == integers(3, 59))
        let times = try #require(ColumnVector.of(.time64, [.time(3_723_000_001), .time(0), .null]))
        #expect(try Kernels.extract(.minute, times).scalars == integers(2, 0))
        #expect(throws: KernelError.self) { try Kernels.extract(.hour, dates) }
        #expect(throws: KernelError.self) { try Kernels.extract(.year, times) }
        #expect(throws: KernelError.self) { try Kernels.toDate(times) }
    }
}
