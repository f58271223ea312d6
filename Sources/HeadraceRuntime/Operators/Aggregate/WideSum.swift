import HeadraceColumnar

/// A whole number of 192 bits: the sum of any number of 128-bit numbers that a run can have.
struct WideSum: Equatable {
    var high: Int64
    var low: UInt128

    init(_ value: Int128) {
        high = value < 0 ? -1 : 0
        low = UInt128(truncatingIfNeeded: value)
    }

    init(high: Int64, low: UInt128) {
        self.high = high
        self.low = low
    }

    @inline(__always) mutating func add(_ other: WideSum) {
        let (sum, carries) = low.addingReportingOverflow(other.low)
        low = sum
        high = high &+ other.high &+ (carries ? 1 : 0)
    }

    @inline(__always) mutating func subtract(_ other: WideSum) {
        let (difference, borrows) = low.subtractingReportingOverflow(other.low)
        low = difference
        high = high &- other.high &- (borrows ? 1 : 0)
    }

    var isNegative: Bool { high < 0 }

    /// The number when 128 bits hold it.
    var narrow: Int128? {
        let value = Int128(truncatingIfNeeded: low)
        return high == (value < 0 ? -1 : 0) ? value : nil
    }

    private var magnitude: (high: UInt64, low: UInt128) {
        guard isNegative else { return (UInt64(bitPattern: high), low) }
        let (flipped, carries) = (~low).addingReportingOverflow(1)
        return (UInt64(bitPattern: ~high) &+ (carries ? 1 : 0), flipped)
    }

    /// This sum of coefficients at `scale` divided by `count`, as a coefficient at scale `target`, rounded half-even once; nil
    /// beyond 38 digits.
    func mean(of count: Int64, from scale: Int, to target: Int) -> Int128? {
        let divisor = UInt128(count.magnitude)
        let (high, low) = magnitude
        let (upper, carried) = UInt128(high).quotientAndRemainder(dividingBy: divisor)
        // Mean values lie between the values, which have 128 bits.
        guard upper == 0 else { return nil }
        let (whole, rest) = divisor.dividingFullWidth((carried, low))
        guard let rounded = Self.scaled(whole, rest, of: divisor, by: target - scale) else { return nil }
        guard rounded <= UInt128(Int128.max), DecimalMath.fits(Int128(rounded), precision: 38) else { return nil }
        return isNegative ? -Int128(rounded) : Int128(rounded)
    }

    /// `whole` + `rest` / `divisor` times 10 to the power of `digits`, rounded half-even to a whole number.
    private static func scaled(_ whole: UInt128, _ rest: UInt128, of divisor: UInt128, by digits: Int) -> UInt128? {
        guard (-38...38).contains(digits) else { return nil }
        let factor = UInt128(DecimalMath.widePowerOfTen(abs(digits)))
        if digits >= 0 {
            let (upper, overflows) = whole.multipliedReportingOverflow(by: factor)
            if overflows { return nil }
            let product = rest.multipliedFullWidth(by: factor)
            // rest < divisor, so that the quotient is below the factor.
            let (fraction, left) = divisor.dividingFullWidth(product)
            let (sum, carries) = upper.addingReportingOverflow(fraction)
            if carries { return nil }
            return sum + (growsHalfEven(left, of: divisor, isOdd: sum & 1 == 1) ? 1 : 0)
        }
        let (quotient, dropped) = whole.quotientAndRemainder(dividingBy: factor)
        // What is left is (dropped + rest / divisor) / factor; only when dropped is exactly half does the rest decide.
        let doubled = dropped.multipliedReportingOverflow(by: 2)
        let isAboveHalf = doubled.overflow || doubled.partialValue > factor
        let isHalf = !doubled.overflow && doubled.partialValue == factor
        let grows = isAboveHalf || (isHalf && (rest > 0 || quotient & 1 == 1))
        return quotient + (grows ? 1 : 0)
    }

    private static func growsHalfEven(_ rest: UInt128, of divisor: UInt128, isOdd: Bool) -> Bool {
        let other = divisor - rest
        return rest > other || (rest == other && isOdd)
    }
}
