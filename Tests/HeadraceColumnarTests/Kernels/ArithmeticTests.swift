import HeadraceColumnar
import Testing

@Suite struct ArithmeticTests {
    static let integers = RandomColumns.fixedTypes.filter(\.isInteger)
    static let exact: [DataType] = [
        .int8, .int32, .int64, .uint64, .decimal(precision: 5, scale: 2), .decimal(precision: 9, scale: 2),
        .decimal(precision: 18, scale: 6), .decimal(precision: 18, scale: 0), .decimal(precision: 30, scale: 6),
        .decimal(precision: 38, scale: 10), .decimal(precision: 38, scale: 0),
    ]

    @Test(arguments: integers, integers)
    func `integers compute exactly or fail`(_ leftType: DataType, _ rightType: DataType) throws {
        var random = SeededRandom(21)
        let left = RandomColumns.column(leftType, count: 120, shape: .sliced, &random)
        let right = RandomColumns.column(rightType, count: 120, &random)
        for operation in Arithmetic.allCases {
            let result = try Kernels.arithmetic(left, operation, right)
            let type = try #require(Kernels.resultType(leftType, operation, rightType))
            let range = try #require(type.integerRange)
            #expect(result.column.type == type)
            check(result, left.scalars, right.scalars) { one, other in
                guard case .integer(let one) = one, case .integer(let other) = other else { return .failure(.inexact) }
                if (operation == .divide || operation == .remainder) && other == 0 { return .failure(.divisionByZero) }
                let value =
                    switch operation {
                    case .add: one + other
                    case .subtract: one - other
                    case .multiply: one * other
                    case .divide: one / other
                    case .remainder: one % other
                    }
                return range.lowest <= value && value <= range.highest
                    ? .success(.integer(value)) : .failure(.outOfRange)
            }
        }
    }

    @Test func `integer types widen to one that holds both`() {
        #expect(Kernels.resultType(.int8, .add, .int8) == .int8)
        #expect(Kernels.resultType(.int8, .add, .int32) == .int32)
        #expect(Kernels.resultType(.uint8, .add, .int8) == .int16)
        #expect(Kernels.resultType(.uint32, .multiply, .int16) == .int64)
        #expect(Kernels.resultType(.uint64, .multiply, .int16) == .int64)
        #expect(Kernels.resultType(.uint64, .multiply, .uint8) == .uint64)
    }

    @Test(arguments: exact, exact)
    func `decimals compute exactly, rounded half-even where the type is shorter`(
        _ leftType: DataType, _ rightType: DataType
    ) throws {
        if leftType.isInteger && rightType.isInteger { return }
        var random = SeededRandom(22)
        let left = RandomColumns.column(leftType, count: 150, shape: .sliced, &random)
        let right = RandomColumns.column(rightType, count: 150, shape: .foreign, &random)
        for operation in Arithmetic.allCases {
            let result = try Kernels.arithmetic(left, operation, right)
            guard case .decimal(let precision, let scale) = result.column.type else {
                Issue.record("\(result.column.type) is no decimal")
                return
            }
            check(result, left.scalars, right.scalars) {
                Self.decimal($0, operation, $1, DecimalShape(precision: precision, scale: scale))
            }
        }
    }

    private static func decimal(
        _ left: Scalar, _ operation: Arithmetic, _ right: Scalar, _ shape: DecimalShape
    ) -> Result<Scalar, Failed> {
        let one = value(left)
        let other = value(right)
        if other.isZero && (operation == .divide || operation == .remainder) { return .failure(.divisionByZero) }
        let result: DecimalValue? =
            switch operation {
            case .add: one.adding(other, scale: shape.scale)
            case .subtract: one.subtracting(other, scale: shape.scale)
            case .multiply: one.multiplied(by: other, scale: shape.scale)
            case .divide: one.divided(by: other, scale: shape.scale)
            case .remainder: remainder(one, other).flatMap { $0.rounded(toScale: shape.scale) }
            }
        guard let result, DecimalMath.digitCount(result.coefficient) <= shape.precision else {
            return .failure(.outOfRange)
        }
        return .success(.decimal(result))
    }

    /// By long division over the digits of the dividend, ten additions for each.
    private static func remainder(_ left: DecimalValue, _ right: DecimalValue) -> DecimalValue? {
        let scale = max(left.scale, right.scale)
        var divisor = right.coefficient.magnitude
        for _ in right.scale..<scale {
            let (grown, overflows) = divisor.multipliedReportingOverflow(by: 10)
            if overflows { return left }
            divisor = grown
        }
        var rest: UInt128 = 0
        for digit in String(left.coefficient.magnitude) + String(repeating: "0", count: scale - left.scale) {
            let before = rest
            for _ in 0..<9 { rest = (rest + before) % divisor }
            rest = (rest + UInt128(digit.wholeNumberValue ?? 0)) % divisor
        }
        let value = Int128(rest)
        return DecimalValue(coefficient: left.isNegative ? -value : value, scale: scale)
    }

    private static func value(_ scalar: Scalar) -> DecimalValue {
        switch scalar {
        case .integer(let value): DecimalValue(coefficient: value, scale: 0)
        case .decimal(let value): value
        default: .zero
        }
    }

    @Test(arguments: RandomColumns.fixedTypes.filter(\.isNumeric), [DataType.float64, .float32])
    func `floats compute with any number`(_ leftType: DataType, _ rightType: DataType) throws {
        var random = SeededRandom(23)
        let left = RandomColumns.column(leftType, count: 150, &random)
        let right = RandomColumns.column(rightType, count: 150, shape: .sliced, &random)
        let isNarrow = leftType == .float32 && rightType == .float32
        for operation in Arithmetic.allCases {
            for (first, second) in [(left, right), (right, left)] {
                let result = try Kernels.arithmetic(first, operation, second)
                #expect(result.column.type == (isNarrow ? .float32 : .float64))
                check(result, first.scalars, second.scalars) { one, other in
                    let one = Self.double(one)
                    let other = Self.double(other)
                    if other == 0 && (operation == .divide || operation == .remainder) {
                        return .failure(.divisionByZero)
                    }
                    var value =
                        switch operation {
                        case .add: one + other
                        case .subtract: one - other
                        case .multiply: one * other
                        case .divide: one / other
                        case .remainder: one.truncatingRemainder(dividingBy: other)
                        }
                    if isNarrow { value = Double(Float(value)) }
                    if one.isFinite && other.isFinite && !value.isFinite { return .failure(.outOfRange) }
                    return .success(.double(value))
                }
            }
        }
    }

    private static func double(_ scalar: Scalar) -> Double {
        if case .double(let value) = scalar { return value }
        return Double(scalar.description) ?? .nan
    }

    @Test func `long decimals become the nearest double`() throws {
        let type = DataType.decimal(precision: 38, scale: 37)
        let tenth = try #require(
            ColumnVector.of(type, [.decimal(DecimalValue(coefficient: NumericText.tenthOf37, scale: 37))]))
        let zero = try #require(ColumnVector.of(.float64, [.double(0)]))
        #expect(try Kernels.arithmetic(tenth, .add, zero).column.scalars == [.double(0.1)])
    }

    @Test(arguments: exact + [.float64])
    func `a constant stands for a column of it`(_ type: DataType) throws {
        var random = SeededRandom(24)
        let column = RandomColumns.column(type, count: 100, shape: .sliced, &random)
        let value = Scalar.integer(3)
        let constant = try #require(ColumnVector.of(.int32, [Scalar](repeating: value, count: 100)))
        for operation in Arithmetic.allCases {
            let right = try Kernels.arithmetic(.column(column), operation, .value(value, .int32))
            #expect(
                Reference.equal(
                    right.column.scalars, try Kernels.arithmetic(column, operation, constant).column.scalars))
            #expect(right.failures == (try Kernels.arithmetic(column, operation, constant).failures))
            let left = try Kernels.arithmetic(.value(value, .int32), operation, .column(column))
            #expect(
                Reference.equal(left.column.scalars, try Kernels.arithmetic(constant, operation, column).column.scalars)
            )
            let null = try Kernels.arithmetic(.column(column), operation, .value(.null, .int32))
            #expect(null.column.nullCount == 100)
            #expect(null.column.type == right.column.type)
        }
    }

    @Test func `dates and timestamps take units and give differences`() throws {
        let dates = try #require(ColumnVector.of(.date32, [.date(10), .null, .date(.max)]))
        let days = try #require(ColumnVector.of(.int16, [.integer(-3), .integer(1), .integer(1)]))
        let moved = try Kernels.arithmetic(dates, .add, days)
        #expect(moved.column.type == .date32)
        #expect(moved.column.scalars == [.date(7), .null, .null])
        #expect(moved.failures == [RowFailure(row: 2, reason: .outOfRange)])
        #expect(try Kernels.arithmetic(days, .add, dates).column.scalars == moved.column.scalars)
        let difference = try Kernels.arithmetic(dates, .subtract, .nulls(.date32, count: 3))
        #expect(difference.column.type == .int64)
        #expect(try Kernels.arithmetic(dates, .subtract, dates).column.scalars == [.integer(0), .null, .integer(0)])
        let instants = try #require(ColumnVector.of(.instant, [.timestamp(5), .timestamp(.min), .null]))
        let later = try Kernels.arithmetic(.column(instants), .subtract, .value(.integer(2), .int64))
        #expect(later.column.scalars == [.timestamp(3), .null, .null])
        #expect(later.column.type == .instant)
        #expect(later.failures == [RowFailure(row: 1, reason: .outOfRange)])
    }

    @Test func `what is no arithmetic is refused`() {
        let pairs: [(DataType, Arithmetic, DataType)] = [
            (.utf8, .add, .int64), (.bool, .add, .bool), (.date32, .add, .date32), (.date32, .multiply, .int64),
            (.int64, .subtract, .date32), (.timestamp(zone: nil), .subtract, .instant), (.date32, .add, .float64),
        ]
        for (left, operation, right) in pairs {
            #expect(Kernels.resultType(left, operation, right) == nil)
            #expect(throws: KernelError.self) {
                try Kernels.arithmetic(.nulls(left, count: 2), operation, .nulls(right, count: 2))
            }
        }
    }

    @Test(arguments: RandomColumns.fixedTypes.filter(\.isNumeric), Shape.allCases)
    func `negate and absolute change the sign only`(_ type: DataType, _ shape: Shape) throws {
        var random = SeededRandom(25)
        let column = RandomColumns.column(type, count: 130, shape: shape, &random)
        for negates in [true, false] {
            let result = try negates ? Kernels.negate(column) : Kernels.absolute(column)
            #expect(result.column.type == type)
            check(result, column.scalars, column.scalars.map { $0.isNull ? .null : .bool(true) }) { value, _ in
                switch value {
                case .integer(let value):
                    let changed = negates ? -value : Int128(value.magnitude)
                    guard let range = type.integerRange, range.lowest <= changed, changed <= range.highest else {
                        return .failure(.outOfRange)
                    }
                    return .success(.integer(changed))
                case .decimal(let value): return .success(.decimal(negates ? value.negated : value.magnitude))
                case .double(let value): return .success(.double(negates ? -value : value.magnitude))
                default: return .failure(.inexact)
                }
            }
        }
        #expect(throws: KernelError.self) { try Kernels.negate(.nulls(.utf8, count: 1)) }
    }

    @Test(arguments: RoundingMode.allCases, [-1, 0, 1, 2, 4, 9])
    func `round follows the rounding mode`(_ mode: RoundingMode, _ scale: Int) throws {
        var random = SeededRandom(26)
        for type in Self.exact + [.decimal(precision: 38, scale: 20), .decimal(precision: 4, scale: 3)] {
            var column = RandomColumns.column(type, count: 100, shape: .sliced, &random)
            if case .decimal(let precision, let own) = type {
                let values = (0..<100).map { _ in
                    Scalar.decimal(
                        DecimalValue(
                            coefficient: (Int128(random.next() % 20_000) - 10_000)
                                % DecimalMath.widePowerOfTen(precision), scale: own))
                }
                column = Kernels.concat([column, try #require(ColumnVector.of(type, values))])
            }
            let result = try Kernels.round(column, toScale: scale, mode)
            guard case .decimal(let precision, let own) = result.column.type else {
                #expect(type.isInteger && result.column === column)
                continue
            }
            check(result, column.scalars, column.scalars) { value, _ in
                guard let rounded = Self.value(value).rounded(toScale: own, mode), rounded.precision <= precision else {
                    return .failure(.outOfRange)
                }
                return .success(.decimal(rounded))
            }
        }
        #expect(throws: KernelError.self) { try Kernels.round(.nulls(.float64, count: 1), toScale: 0) }
    }

    /// Wraps the reason of a failed row.
    struct Failed: Error {
        let reason: RowFailure.Reason
    }

    private func check(
        _ result: KernelResult, _ left: [Scalar], _ right: [Scalar],
        _ expected: (Scalar, Scalar) -> Result<Scalar, Failed>, _ location: SourceLocation = #_sourceLocation
    ) {
        var values: [Scalar] = []
        var failures: [RowFailure] = []
        for (row, (one, other)) in zip(left, right).enumerated() {
            if one.isNull || other.isNull {
                values.append(.null)
                continue
            }
            switch expected(one, other) {
            case .success(let value): values.append(value)
            case .failure(let failed):
                values.append(.null)
                failures.append(RowFailure(row: Int32(row), reason: failed.reason))
            }
        }
        #expect(Reference.equal(result.column.scalars, values), sourceLocation: location)
        #expect(result.failures == failures, sourceLocation: location)
        #expect(result.column.nullCount == values.count { $0.isNull }, sourceLocation: location)
    }
}

extension Result where Failure == ArithmeticTests.Failed {
    fileprivate static func failure(_ reason: RowFailure.Reason) -> Self {
        .failure(ArithmeticTests.Failed(reason: reason))
    }
}

enum NumericText {
    /// One tenth as a coefficient of scale 37.
    static let tenthOf37 = (0..<36).reduce(Int128(1)) { value, _ in value * 10 }
}
