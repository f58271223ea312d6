/// The arithmetic operators.
public enum Arithmetic: String, Sendable, Hashable, CaseIterable {
    /// Sum, difference, product and quotient.
    case add, subtract, multiply, divide
    /// The rest of a division that truncates; it has the sign of the dividend.
    case remainder
}

/// What a kernel over two values is given: a column, or one value of a known type for all rows.
public enum Operand: Sendable {
    /// One value a row.
    case column(ColumnVector)
    /// The same value in every row, null included; it must fit the type.
    case value(Scalar, DataType)

    /// The type of the values.
    public var type: DataType {
        switch self {
        case .column(let column): column.type
        case .value(_, let type): type
        }
    }
}

extension Kernels {
    /// Computes `left` operator `right` row by row; null where either is null.
    ///
    /// Integers stay integers: a division truncates towards zero. A decimal with a decimal or an integer gives the decimal of
    /// `DecimalRules`, exact or rounded half-even where that type has fewer digits. With a float the result is a float.
    /// A date or timestamp takes whole days or microseconds, and the difference of two is an `int64` of these. A
    /// result that its type does not hold, and a division by zero (of floats too), is a failure of the row.
    ///
    /// At least one operand must be a column. A value that its own type does not hold is a programming error.
    /// - Throws: `KernelError` when `resultType` knows no result.
    public static func arithmetic(
        _ left: Operand, _ operation: Arithmetic, _ right: Operand
    ) throws(KernelError) -> KernelResult {
        guard let type = resultType(left.type, operation, right.type) else {
            throw KernelError(operation.rawValue, unsupported: [left.type, right.type])
        }
        let count: Int
        switch (left, right) {
        case (.column(let one), .column(let other)):
            precondition(one.count == other.count, "columns of \(one.count) and \(other.count) values")
            count = one.count
        case (.column(let column), .value(let value, _)), (.value(let value, _), .column(let column)):
            count = column.count
            if value.isNull { return KernelResult(column: .nulls(type, count: count), failures: []) }
        case (.value, .value): preconditionFailure("arithmetic needs a column")
        }
        let work = ArithmeticWork(
            operation: operation, type: type, count: count, left: Term(left), right: Term(right))
        return work.run()
    }

    /// Computes `left` operator `right` row by row; see `arithmetic(_:_:_:)` over operands.
    public static func arithmetic(
        _ left: ColumnVector, _ operation: Arithmetic, _ right: ColumnVector
    ) throws(KernelError) -> KernelResult {
        try arithmetic(.column(left), operation, .column(right))
    }

    /// The type that `arithmetic` gives for operands of these types, nil when it is not defined for them.
    ///
    /// Two integer types give the wider one; one with sign and one without give the next signed type that holds both, or `int64`
    /// where none does.
    public static func resultType(_ left: DataType, _ operation: Arithmetic, _ right: DataType) -> DataType? {
        if left.isNumeric && right.isNumeric { return numericType(left, operation, right) }
        switch (left, operation, right) {
        case (.date32, .subtract, .date32), (.time64, .subtract, .time64): return .int64
        case (.timestamp(let one), .subtract, .timestamp(let other)):
            return (one == nil) == (other == nil) ? .int64 : nil
        case (.date32, .add, _), (.date32, .subtract, _), (.timestamp, .add, _), (.timestamp, .subtract, _):
            return right.isInteger && right != .uint64 ? left : nil
        case (_, .add, .date32), (_, .add, .timestamp): return left.isInteger && left != .uint64 ? right : nil
        default: return nil
        }
    }

    private static func numericType(_ left: DataType, _ operation: Arithmetic, _ right: DataType) -> DataType {
        if left == .float32 && right == .float32 { return .float32 }
        guard let leftShape = DecimalShape(exact: left), let rightShape = DecimalShape(exact: right) else {
            return .float64
        }
        if left.isInteger && right.isInteger { return integerType(left, right) }
        let shape =
            switch operation {
            case .add, .subtract: DecimalRules.add(leftShape, rightShape)
            case .multiply: DecimalRules.multiply(leftShape, rightShape)
            case .divide: DecimalRules.divide(leftShape, rightShape)
            case .remainder: DecimalRules.remainder(leftShape, rightShape)
            }
        return .decimal(precision: shape.precision, scale: shape.scale)
    }

    private static func integerType(_ left: DataType, _ right: DataType) -> DataType {
        if left == right { return left }
        let signed: [DataType] = [.int8, .int16, .int32, .int64]
        let unsigned: [DataType] = [.uint8, .uint16, .uint32, .uint64]
        for family in [signed, unsigned] {
            if let one = family.firstIndex(of: left), let other = family.firstIndex(of: right) {
                return family[max(one, other)]
            }
        }
        guard let one = left.integerRange, let other = right.integerRange else { return .int64 }
        return signed.first {
            guard let range = $0.integerRange else { return false }
            return range.lowest <= min(one.lowest, other.lowest) && range.highest >= max(one.highest, other.highest)
        } ?? .int64
    }
}

extension DecimalShape {
    /// The shape of a decimal or of the decimals that an integer type holds; nil for other types.
    package init?(exact type: DataType) {
        guard let digits = NumericReader.digits(of: type), let scale = NumericReader.scale(of: type) else { return nil }
        self.init(precision: digits, scale: scale)
    }
}

/// One operand without a dictionary; a constant is a column of one row.
struct Term {
    let column: ColumnVector
    let isConstant: Bool

    init(_ operand: Operand) {
        switch operand {
        case .column(let column):
            self.column = Kernels.decoded(column)
            isConstant = false
        case .value(let value, let type):
            guard let column = ColumnVector.of(type, [value]) else {
                preconditionFailure("a constant does not fit its own type \(type)")
            }
            self.column = column
            isConstant = true
        }
    }

    func words(scale: Int) -> TermValues<Int64> {
        TermValues(NumericReader(column).words(scale: scale), isConstant)
    }

    func wides(scale: Int) -> TermValues<Int128> {
        TermValues(NumericReader(column).wides(scale: scale), isConstant)
    }
}

/// The values of an operand as machine numbers.
struct TermValues<T: BitwiseCopyable> {
    let owner: Buffer
    let base: UnsafePointer<T>
    let isConstant: Bool

    init(_ owner: Buffer, _ isConstant: Bool) {
        self.owner = owner
        base = UnsafePointer(owner.base.assumingMemoryBound(to: T.self))
        self.isConstant = isConstant
    }

    @inline(__always) func at(_ row: Int) -> T { base[isConstant ? 0 : row] }
}

/// One call of `arithmetic`.
struct ArithmeticWork {
    let operation: Arithmetic
    let type: DataType
    let count: Int
    let left: Term
    let right: Term

    var validity: Validity {
        switch (left.isConstant, right.isConstant) {
        case (false, false): Validity(left.column, right.column)
        case (true, _): Validity(right.column)
        case (_, true): Validity(left.column)
        }
    }

    func run() -> KernelResult {
        if left.column.type.isNumeric && right.column.type.isNumeric {
            if type.isInteger { return integers() }
            if case .decimal(let precision, let scale) = type {
                return decimals(DecimalShape(precision: precision, scale: scale))
            }
            return floats()
        }
        return temporals()
    }

    /// Runs `compute` over all rows, valid or not, and finds the valid rows that failed only when there is one.
    ///
    /// - Parameters:
    ///   - compute: the result and whether it failed.
    ///   - reason: why a row failed.
    @inline(__always)
    func combine<L: BitwiseCopyable, R: BitwiseCopyable, Out: BitwiseCopyable>(
        _ left: TermValues<L>, _ right: TermValues<R>, _ compute: (L, R) -> (value: Out, fails: Bool),
        reason: (L, R) -> RowFailure.Reason
    ) -> KernelResult {
        let out = MutableBuffer(capacity: count &* MemoryLayout<Out>.stride)
        let target = out.values(as: Out.self)
        var fails = false
        @inline(__always) func loop(_ one: (Int) -> L, _ other: (Int) -> R) {
            for row in 0..<count {
                let (value, failed) = compute(one(row), other(row))
                target[row] = value
                fails = fails || failed
            }
        }
        let one = left.base
        let other = right.base
        if right.isConstant {
            let constant = other[0]
            loop {
                one[$0]
            } _: { _ in
                constant
            }
        } else if left.isConstant {
            let constant = one[0]
            loop { _ in
                constant
            } _: {
                other[$0]
            }
        } else {
            loop {
                one[$0]
            } _: {
                other[$0]
            }
        }
        let validity = validity
        var failures: [RowFailure] = []
        if fails {
            for row in 0..<count where validity.isValid(row) {
                let first = left.at(row)
                let second = right.at(row)
                if compute(first, second).fails {
                    failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: reason(first, second)))
                }
            }
        }
        withExtendedLifetime((left, right)) {}
        return finish(out.finish(byteCount: count &* MemoryLayout<Out>.stride), validity, failures)
    }

    func finish(_ values: Buffer, _ validity: Validity, _ failures: [RowFailure]) -> KernelResult {
        let validity = validity.removing(failures, count: count)
        let column = ColumnVector(
            type: type, count: count, nullCount: validity.nullCount, validity: validity.buffer, values: values)
        return KernelResult(column: column, failures: failures)
    }
}

extension Validity {
    @inline(__always) func isValid(_ row: Int) -> Bool {
        guard let buffer else { return true }
        return Bitmap.get(buffer.base, row)
    }
}
