import Glibc

extension ArithmeticWork {
    /// Floats with any number. A result that is infinite or no number fails where no operand was.
    func floats() -> KernelResult {
        let one = left.doubles()
        let other = right.doubles()
        if type == .float32 {
            return checked(one, other) { (value: Double) in Float(value) }
        }
        return checked(one, other) { (value: Double) in value }
    }

    @inline(__always)
    private func checked<Out: BinaryFloatingPoint & BitwiseCopyable>(
        _ one: TermValues<Double>, _ other: TermValues<Double>, _ round: (Double) -> Out
    ) -> KernelResult {
        switch operation {
        case .add: return run(one, other) { round($0 + $1) }
        case .subtract: return run(one, other) { round($0 - $1) }
        case .multiply: return run(one, other) { round($0 * $1) }
        case .divide: return run(one, other) { round($0 / $1) }
        case .remainder: return run(one, other) { round(fmod($0, $1)) }
        }
    }

    @inline(__always)
    private func run<Out: BinaryFloatingPoint & BitwiseCopyable>(
        _ one: TermValues<Double>, _ other: TermValues<Double>, _ compute: (Double, Double) -> Out
    ) -> KernelResult {
        let divides = operation == .divide || operation == .remainder
        return combine(one, other) { left, right in
            let value = compute(left, right)
            let fails = (divides && right == 0) || (!value.isFinite && left.isFinite && right.isFinite)
            return (value, fails)
        } reason: {
            divides && $1 == 0 ? .divisionByZero : .outOfRange
        }
    }
}

extension Term {
    /// The values as the nearest doubles.
    fileprivate func doubles() -> TermValues<Double> {
        TermValues(NumericReader(column).nearestDoubles(), isConstant)
    }
}

extension NumericReader {
    /// Numbers of any type as the nearest doubles, ties to even.
    func nearestDoubles() -> Buffer {
        if Self.fitsDouble(column.type) { return doubles() }
        let view = column.unsafeView
        let count = column.count
        let out = MutableBuffer(capacity: count &* 8)
        let target = out.values(as: Double.self)
        switch (column.type, column.type.physical) {
        case (.decimal(_, let scale), _):
            let wide = wides(scale: scale)
            let coefficients = wide.base.assumingMemoryBound(to: Int128.self)
            for row in 0..<count { target[row] = Self.nearest(coefficients[row], scale: scale) }
            withExtendedLifetime(wide) {}
        case (_, .uint64):
            let values = view.values(as: UInt64.self)
            for row in 0..<count { target[row] = Double(values[row]) }
        default:
            let values = view.values(as: Int64.self)
            for row in 0..<count { target[row] = Double(values[row]) }
        }
        return out.finish(byteCount: count &* 8)
    }

    /// The double nearest to a decimal.
    static func nearest(_ coefficient: Int128, scale: Int) -> Double {
        if scale == 0 { return Double(coefficient) }
        if coefficient.magnitude <= 1 << 53 && scale <= 22 {
            // Both are exact doubles, so that one division rounds once.
            return Double(Int64(truncatingIfNeeded: coefficient)) / power22(scale)
        }
        return withUnsafeTemporaryAllocation(byteCount: DecimalText.capacity(scale: scale), alignment: 8) { text in
            guard let base = text.baseAddress else { return .nan }
            let count = DecimalText.format(coefficient, scale: scale, into: base)
            return DoubleText.parse(base, count: count).value
        }
    }

    private static func power22(_ exponent: Int) -> Double {
        exponent <= 18
            ? Double(DecimalMath.powerOfTen(exponent)) : 1e18 * Double(DecimalMath.powerOfTen(exponent - 18))
    }
}
