extension Kernels {
    /// The value with the other sign; null stays null. The lowest integer of a signed type fails, and so does every positive
    /// value of an unsigned one.
    /// - Throws: `KernelError` unless the column is numeric.
    public static func negate(_ column: ColumnVector) throws(KernelError) -> KernelResult {
        try signs(column, "negate") { _ in true }
    }

    /// The value without its sign; null stays null. The lowest integer of a signed type fails.
    /// - Throws: `KernelError` unless the column is numeric.
    public static func absolute(_ column: ColumnVector) throws(KernelError) -> KernelResult {
        try signs(column, "absolute") { $0 }
    }

    /// Inverts the values for which `inverts`, given whether the value is negative, says so.
    @inline(__always)
    private static func signs(
        _ column: ColumnVector, _ name: String, _ inverts: (_ isNegative: Bool) -> Bool
    ) throws(KernelError) -> KernelResult {
        guard column.type.isNumeric else { throw KernelError(name, unsupported: [column.type]) }
        let column = decoded(column)
        let view = column.unsafeView
        let count = column.count
        var failures: [RowFailure] = []
        @inline(__always) func integers<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> Buffer {
            let source = view.values(as: T.self)
            let out = MutableBuffer(capacity: count &* MemoryLayout<T>.stride)
            let target = out.values(as: T.self)
            for row in 0..<count {
                let value = source[row]
                guard inverts(value < 0) else {
                    target[row] = value
                    continue
                }
                let (inverse, overflows) = (0 as T).subtractingReportingOverflow(value)
                target[row] = inverse
                if overflows && view.isValid(row) {
                    failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: .outOfRange))
                }
            }
            return out.finish(byteCount: count &* MemoryLayout<T>.stride)
        }
        @inline(__always) func floats<T: BinaryFloatingPoint & BitwiseCopyable>(_: T.Type) -> Buffer {
            let source = view.values(as: T.self)
            let out = MutableBuffer(capacity: count &* MemoryLayout<T>.stride)
            let target = out.values(as: T.self)
            for row in 0..<count { target[row] = inverts(source[row].sign == .minus) ? -source[row] : source[row] }
            return out.finish(byteCount: count &* MemoryLayout<T>.stride)
        }
        let values =
            switch column.type.physical {
            case .int8: integers(Int8.self)
            case .int16: integers(Int16.self)
            case .int32: integers(Int32.self)
            case .int64: integers(Int64.self)
            case .int128: integers(Int128.self)
            case .uint8: integers(UInt8.self)
            case .uint16: integers(UInt16.self)
            case .uint32: integers(UInt32.self)
            case .uint64: integers(UInt64.self)
            case .float32: floats(Float.self)
            default: floats(Double.self)
            }
        let validity = Validity(column).removing(failures, count: count)
        withExtendedLifetime(column) {}
        return KernelResult(
            column: ColumnVector(
                type: column.type, count: count, nullCount: validity.nullCount, validity: validity.buffer,
                values: values),
            failures: failures)
    }

    /// Decimals rounded to `scale` digits after the point, in the type that `DecimalRules.round` gives; null stays null.
    ///
    /// A scale that is not below the column's own changes nothing. A negative scale counts as 0. Integers stay as they are.
    /// A row fails only where 38 digits do not hold the digit that rounding up adds.
    /// - Throws: `KernelError` for floats, which have no decimal digits, and for types that are no numbers.
    public static func round(
        _ column: ColumnVector, toScale scale: Int, _ rounding: RoundingMode = .halfEven
    ) throws(KernelError) -> KernelResult {
        if column.type.isInteger { return KernelResult(column: column, failures: []) }
        guard case .decimal(let precision, let own) = column.type else {
            throw KernelError("round", unsupported: [column.type])
        }
        let shape = DecimalRules.round(DecimalShape(precision: precision, scale: own), toScale: scale)
        return rescale(decoded(column), to: .decimal(precision: shape.precision, scale: shape.scale), rounding)
    }

    /// Integers or decimals in another decimal type; with a rounding mode digits may go, without it a row that has such digits
    /// fails. Rows that the type does not hold fail.
    static func rescale(_ column: ColumnVector, to type: DataType, _ rounding: RoundingMode?) -> KernelResult {
        guard case .decimal(let precision, let scale) = type, let own = NumericReader.scale(of: column.type),
            let digits = NumericReader.digits(of: column.type)
        else { preconditionFailure("\(column.type) is not rescaled to \(type)") }
        if own == scale && digits <= precision && type.layout == column.type.layout {
            return KernelResult(column: column.viewed(as: type), failures: [])
        }
        let reader = NumericReader(column)
        let narrow = type.layout == .fixed(width: 8)
        let work = Rescaling(column: column, type: type, precision: precision)
        if scale >= own && digits + scale - own <= precision {
            // Every value fits: one multiplication.
            if narrow { return work.finish(reader.words(scale: scale), []) }
            return work.finish(reader.wides(scale: scale), [])
        }
        if narrow && scale < own && own - scale <= 18 && NumericReader.fitsWord(column.type, scale: own) {
            let divisor = DecimalMath.powerOfTen(own - scale)
            let words = reader.words(scale: own)
            let limit = DecimalMath.powerOfTen(precision)
            return work.run(words, as: Int64.self) { (coefficient: Int64) in
                let value = DecimalMath.divideRounding(coefficient, by: divisor, rounding ?? .down)
                if value >= limit || value <= 0 &- limit { return (Int64(0), .outOfRange) }
                return (value, rounding == nil && coefficient % divisor != 0 ? .inexact : nil)
            }
        }
        let wides = reader.wides(scale: own)
        @inline(__always) func convert(_ coefficient: Int128) -> (Int128, RowFailure.Reason?) {
            guard let value = DecimalMath.rescale(coefficient, from: own, to: scale, rounding ?? .down),
                DecimalMath.fits(value, precision: precision)
            else { return (0, .outOfRange) }
            if rounding == nil && scale < own
                && DecimalMath.compare(value, scale: scale, coefficient, scale: own) != 0
            {
                return (0, .inexact)
            }
            return (value, nil)
        }
        if narrow {
            return work.run(wides, as: Int128.self) { coefficient in
                let (value, reason) = convert(coefficient)
                return (Int64(truncatingIfNeeded: value), reason)
            }
        }
        return work.run(wides, as: Int128.self) { convert($0) }
    }
}

/// Maps coefficients one by one and keeps the failures of valid rows.
private struct Rescaling {
    let column: ColumnVector
    let type: DataType
    let precision: Int

    @inline(__always)
    func run<In: BitwiseCopyable, Out: BitwiseCopyable>(
        _ source: Buffer, as: In.Type, _ convert: (In) -> (Out, RowFailure.Reason?)
    ) -> KernelResult {
        let values = source.base.assumingMemoryBound(to: In.self)
        let out = MutableBuffer(capacity: column.count &* MemoryLayout<Out>.stride)
        let target = out.values(as: Out.self)
        var failures: [RowFailure] = []
        for row in 0..<column.count {
            let (value, reason) = convert(values[row])
            target[row] = value
            if let reason, column.isValid(row) {
                failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: reason))
            }
        }
        withExtendedLifetime(source) {}
        return finish(out.finish(byteCount: column.count &* MemoryLayout<Out>.stride), failures)
    }

    func finish(_ values: Buffer, _ failures: [RowFailure]) -> KernelResult {
        let validity = Validity(column).removing(failures, count: column.count)
        return KernelResult(
            column: ColumnVector(
                type: type, count: column.count, nullCount: validity.nullCount, validity: validity.buffer,
                values: values),
            failures: failures)
    }
}
