/// A cast between integers, decimals and floats.
struct CastNumbers {
    /// A numeric column without a dictionary.
    let column: ColumnVector
    let type: DataType
    let rounding: RoundingMode?

    func run() -> KernelResult {
        let fromFloat = column.type == .float32 || column.type == .float64
        switch type {
        case .float64: return fromFloat ? widened() : toFloats { (value: Double) in value }
        case .float32: return fromFloat ? narrowed() : toFloats { (value: Double) in Float(value) }
        case .decimal:
            return fromFloat ? floatsToDecimals() : Kernels.rescale(column, to: type, rounding)
        default: return fromFloat ? floatsToIntegers() : coefficientsToIntegers()
        }
    }

    // MARK: - From floats

    private func widened() -> KernelResult {
        Kernels.map(column, type) { (value: Float) in (Double(value), nil) }
    }

    private func narrowed() -> KernelResult {
        let rounds = rounding != nil
        return Kernels.map(column, type) { (value: Double) in
            let narrow = Float(value)
            if narrow.isInfinite && value.isFinite { return (narrow, .outOfRange) }
            return (narrow, rounds || Double(narrow) == value || value.isNaN ? nil : .inexact)
        }
    }

    private func floatsToIntegers() -> KernelResult {
        let exact = Kernels.map(column.doubles, .decimal(precision: 38, scale: 0)) { (value: Double) in
            Self.integer(value, rounding)
        }
        let integers = narrowedIntegers(exact.column.unsafeView.values(as: Int128.self), as: Int128.self)
        withExtendedLifetime(exact) {}
        return merge(exact, integers)
    }

    private static func integer(_ value: Double, _ rounding: RoundingMode?) -> (Int128, RowFailure.Reason?) {
        guard value.magnitude < 0x1p126 else { return (0, .outOfRange) }
        let whole = value.rounded(.towardZero)
        let cut = (value - whole).magnitude
        if cut == 0 { return (Int128(whole), nil) }
        guard let rounding else { return (0, .inexact) }
        let integer = Int128(whole)
        let grows = rounding.growsMagnitude(
            isNegative: value < 0, lastDigit: Int(integer.magnitude % 10), half: cut == 0.5 ? 0 : cut > 0.5 ? 1 : -1)
        return (grows ? integer + (value < 0 ? -1 : 1) : integer, nil)
    }

    /// By way of the shortest text, which is what the float stands for.
    private func floatsToDecimals() -> KernelResult {
        guard case .decimal(let precision, let scale) = type else { return toFloats { (value: Double) in value } }
        let isSingle = column.type == .float32
        let wide = Kernels.map(column.doubles, .decimal(precision: 38, scale: scale)) { (value: Double) in
            Self.decimal(value, isSingle, precision, scale, rounding)
        }
        guard precision <= 18 else {
            return KernelResult(column: wide.column.viewed(as: type), failures: wide.failures)
        }
        let narrow = Kernels.map(wide.column, type) { (value: Int128) in (Int64(truncatingIfNeeded: value), nil) }
        return KernelResult(column: narrow.column, failures: wide.failures)
    }

    private static func decimal(
        _ value: Double, _ isSingle: Bool, _ precision: Int, _ scale: Int, _ rounding: RoundingMode?
    ) -> (Int128, RowFailure.Reason?) {
        guard value.isFinite else { return (0, .outOfRange) }
        return withUnsafeTemporaryAllocation(byteCount: DoubleText.capacity, alignment: 8) { text in
            guard let base = text.baseAddress else { return (0, .outOfRange) }
            let count = DoubleText.format(isSingle ? FloatText.shortest(Float(value)) : value, into: base)
            let parsed = DecimalText.parse128(base, count: count, precision: precision, scale: scale)
            switch parsed.problem {
            case .none: return (parsed.value, nil)
            case .tooManyFractionDigits:
                guard let rounding else { return (0, .inexact) }
                guard let scan = DecimalScan(base, count: count),
                    let rounded = DecimalMath.rescale(
                        scan.isNegative ? 0 &- Int128(scan.coefficient) : Int128(scan.coefficient),
                        from: 0 &- scan.lowestPower, to: scale, rounding),
                    DecimalMath.fits(rounded, precision: precision)
                else { return (0, .outOfRange) }
                return (rounded, nil)
            default: return (0, .outOfRange)
            }
        }
    }

    // MARK: - From integers and decimals

    /// A number becomes a float that names it: one whose shortest decimal is the number.
    private func toFloats<Out: BinaryFloatingPoint & BitwiseCopyable>(_ round: (Double) -> Out) -> KernelResult {
        let doubles = NumericReader(column).nearestDoubles()
        let scale = NumericReader.scale(of: column.type) ?? 0
        let wide = NumericReader(column).wides(scale: scale)
        let source = doubles.base.assumingMemoryBound(to: Double.self)
        let coefficients = wide.base.assumingMemoryBound(to: Int128.self)
        let out = MutableBuffer(capacity: column.count &* MemoryLayout<Out>.stride)
        let target = out.values(as: Out.self)
        let isSingle = type == .float32
        // Fifteen digits always come back from a double, six from a single.
        let safe: UInt128 = isSingle ? 1_000_000 : 1_000_000_000_000_000
        var failures: [RowFailure] = []
        for row in 0..<column.count {
            let value = round(source[row])
            target[row] = value
            if rounding != nil || coefficients[row].magnitude < safe || !column.isValid(row) { continue }
            if !Self.names(Double(value), isSingle, coefficients[row], scale) {
                failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: .inexact))
            }
        }
        withExtendedLifetime((doubles, wide)) {}
        return Kernels.result(
            type, column, out.finish(byteCount: column.count &* MemoryLayout<Out>.stride), failures)
    }

    private static func names(_ value: Double, _ isSingle: Bool, _ coefficient: Int128, _ scale: Int) -> Bool {
        if scale == 0 { return value.magnitude < 0x1p127 && Int128(value) == coefficient }
        let (back, problem) = decimal(value, isSingle, 38, scale, nil)
        return problem == nil && back == coefficient
    }

    private func coefficientsToIntegers() -> KernelResult {
        let own = NumericReader.scale(of: column.type) ?? 0
        if own == 0 {
            if column.type.physical == .int128 || column.type == .uint64 {
                let wide = NumericReader(column).wides(scale: 0)
                defer { withExtendedLifetime(wide) {} }
                return narrowedIntegers(UnsafePointer(wide.base.assumingMemoryBound(to: Int128.self)), as: Int128.self)
            }
            let words = NumericReader(column).words(scale: 0)
            defer { withExtendedLifetime(words) {} }
            return narrowedIntegers(UnsafePointer(words.base.assumingMemoryBound(to: Int64.self)), as: Int64.self)
        }
        let whole = Kernels.rescale(column, to: .decimal(precision: 38, scale: 0), rounding)
        let integers = narrowedIntegers(whole.column.unsafeView.values(as: Int128.self), as: Int128.self)
        withExtendedLifetime(whole) {}
        return merge(whole, integers)
    }

    private func narrowedIntegers<T: FixedWidthInteger & BitwiseCopyable>(
        _ source: UnsafePointer<T>, as: T.Type
    ) -> KernelResult {
        switch type.physical {
        case .int8: narrow(source, Int8.self)
        case .int16: narrow(source, Int16.self)
        case .int32: narrow(source, Int32.self)
        case .uint8: narrow(source, UInt8.self)
        case .uint16: narrow(source, UInt16.self)
        case .uint32: narrow(source, UInt32.self)
        case .uint64: narrow(source, UInt64.self)
        default: narrow(source, Int64.self)
        }
    }

    @inline(__always)
    private func narrow<T: FixedWidthInteger & BitwiseCopyable, R: FixedWidthInteger & BitwiseCopyable>(
        _ source: UnsafePointer<T>, _: R.Type
    ) -> KernelResult {
        let out = MutableBuffer(capacity: column.count &* MemoryLayout<R>.stride)
        let target = out.values(as: R.self)
        var fails = false
        for row in 0..<column.count {
            let value = R(truncatingIfNeeded: source[row])
            target[row] = value
            fails = fails || T(truncatingIfNeeded: value) != source[row] || (value < 0) != (source[row] < 0)
        }
        var failures: [RowFailure] = []
        if fails {
            for row in 0..<column.count where R(exactly: source[row]) == nil && column.isValid(row) {
                failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: .outOfRange))
            }
        }
        return Kernels.result(
            type, column, out.finish(byteCount: column.count &* MemoryLayout<R>.stride), failures)
    }

    /// The second step's column without the rows that failed in the first.
    private func merge(_ first: KernelResult, _ second: KernelResult) -> KernelResult {
        if first.failures.isEmpty { return second }
        let early = Set(first.failures.map(\.row))
        let failures = (first.failures + second.failures.filter { !early.contains($0.row) }).sorted { $0.row < $1.row }
        guard let values = second.column.values else { return second }
        return Kernels.result(type, column, values, failures)
    }
}

extension ColumnVector {
    /// A column of floats as doubles.
    fileprivate var doubles: ColumnVector {
        if type == .float64 { return self }
        return Kernels.map(self, .float64) { (value: Float) in (Double(value), nil) }.column
    }
}

/// Single-precision floats as text.
enum FloatText {
    /// The double that has the shortest text of a single: 0.1 for the single nearest to 0.1.
    static func shortest(_ value: Float) -> Double {
        value.isFinite ? Double(value.description) ?? Double(value) : Double(value)
    }
}
