/// Decimal arithmetic on bare coefficients, for kernels that know the scales of their columns.
///
/// A coefficient `c` of scale `s` stands for `c` divided by 10 to the power of `s`. All functions answer nil instead of
/// overflowing: a 64-bit result is limited by its type, a 128-bit result by 38 digits. Intermediate results have
/// 256 bits, so a product that is rounded to fewer digits fails only if the rounded result does not fit.
/// Each result is rounded once, from the exact value.
public enum DecimalMath {
    /// The most digits a decimal may have.
    public static let maximumPrecision = 38

    /// The most digits whose coefficients always fit 64 bits.
    public static let maximumShortPrecision = 18

    /// 10 to the power of `exponent`, 0...18.
    @inlinable
    public static func powerOfTen(_ exponent: Int) -> Int64 {
        Int64(truncatingIfNeeded: PowerOfTen.word(exponent))
    }

    /// 10 to the power of `exponent`, 0...38.
    @inlinable
    public static func widePowerOfTen(_ exponent: Int) -> Int128 {
        Int128(truncatingIfNeeded: PowerOfTen.wide(exponent))
    }

    /// The number of decimal digits of a coefficient without its sign; zero has one.
    @inlinable
    public static func digitCount(_ coefficient: Int64) -> Int { PowerOfTen.digitCount(coefficient.magnitude) }

    /// The number of decimal digits of a coefficient without its sign; zero has one.
    @inlinable
    public static func digitCount(_ coefficient: Int128) -> Int { PowerOfTen.digitCount(coefficient.magnitude) }

    /// Whether a coefficient has at most `precision` digits, 0...18.
    @inlinable
    public static func fits(_ coefficient: Int64, precision: Int) -> Bool {
        coefficient.magnitude < PowerOfTen.word(precision)
    }

    /// Whether a coefficient has at most `precision` digits, 0...38.
    @inlinable
    public static func fits(_ coefficient: Int128, precision: Int) -> Bool {
        coefficient.magnitude < PowerOfTen.wide(precision)
    }

    // MARK: - Scale

    /// The coefficient at scale `target` of a coefficient at scale `scale`; nil if it does not fit 64 bits.
    @inlinable
    public static func rescale(
        _ coefficient: Int64, from scale: Int, to target: Int, _ rounding: RoundingMode
    ) -> Int64? {
        if target == scale { return coefficient }
        if target > scale {
            guard target &- scale <= 18 else { return coefficient == 0 ? 0 : nil }
            let (product, overflows) = coefficient.multipliedReportingOverflow(by: powerOfTen(target &- scale))
            return overflows ? nil : product
        }
        guard scale &- target <= 18 else {
            return rescale(Int128(coefficient), from: scale, to: target, rounding).map(Int64.init(truncatingIfNeeded:))
        }
        return divideRounding(coefficient, by: powerOfTen(scale &- target), rounding)
    }

    /// The coefficient at scale `target` of a coefficient at scale `scale`; nil if it has more than 38 digits.
    @inlinable
    public static func rescale(
        _ coefficient: Int128, from scale: Int, to target: Int, _ rounding: RoundingMode
    ) -> Int128? {
        if target == scale, fits(coefficient, precision: 38) { return coefficient }
        return rescaleWide(coefficient, from: scale, to: target, rounding)
    }

    @usableFromInline
    static func rescaleWide(
        _ coefficient: Int128, from scale: Int, to target: Int, _ rounding: RoundingMode
    ) -> Int128? {
        let dropped = scale - target
        if dropped > 0, dropped <= 18, let short = Int64(exactly: coefficient) {
            return Int128(divideRounding(short, by: powerOfTen(dropped), rounding))
        }
        return WideDecimal(coefficient, scale: scale).rounded(toScale: target, rounding)
    }

    /// The quotient of two integers, the divisor being positive, rounded to an integer.
    @inlinable
    @inline(__always)
    static func divideRounding(_ dividend: Int64, by divisor: Int64, _ rounding: RoundingMode) -> Int64 {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        if remainder == 0 { return quotient }
        let cut = Int64(truncatingIfNeeded: remainder.magnitude)
        let rest = divisor &- cut
        let negative = dividend < 0
        let grows = rounding.growsMagnitude(
            isNegative: negative, lastDigit: rounding == .up05 ? Int((quotient % 10).magnitude) : Int(quotient & 1),
            half: cut == rest ? 0 : cut > rest ? 1 : -1)
        return grows ? quotient &+ (negative ? -1 : 1) : quotient
    }

    // MARK: - Operators

    /// The sum of two coefficients, each at its own scale, rounded to scale `target`; nil beyond 38 digits.
    public static func add(
        _ left: Int128, scale leftScale: Int, _ right: Int128, scale rightScale: Int, to target: Int,
        _ rounding: RoundingMode
    ) -> Int128? {
        if leftScale == rightScale, leftScale == target {
            let (sum, overflows) = left.addingReportingOverflow(right)
            return overflows || !fits(sum, precision: 38) ? nil : sum
        }
        if let first = lengthened(left, by: target - leftScale), let second = lengthened(right, by: target - rightScale)
        {
            let (sum, overflows) = first.addingReportingOverflow(second)
            if !overflows { return fits(sum, precision: 38) ? sum : nil }
        }
        guard fits(left, precision: 38), fits(right, precision: 38) else { return nil }
        return (WideDecimal(left, scale: leftScale) + WideDecimal(right, scale: rightScale))
            .rounded(toScale: target, rounding)
    }

    /// A coefficient with `count` zeros appended; nil for a negative count and where the result has no 128 bits.
    private static func lengthened(_ coefficient: Int128, by count: Int) -> Int128? {
        if count == 0 { return coefficient }
        guard count > 0, count <= 38 else { return nil }
        let (product, overflows) = coefficient.multipliedReportingOverflow(by: widePowerOfTen(count))
        return overflows ? nil : product
    }

    /// The product of two coefficients without its last `digits` digits: with scales `s1` and `s2` and a result of
    /// scale `s`, pass `s1 + s2 - s`; a negative number appends zeros. Nil if the result does not fit 64 bits.
    @inlinable
    public static func multiply(_ left: Int64, _ right: Int64, dropping digits: Int, _ rounding: RoundingMode) -> Int64?
    {
        let (product, overflows) = left.multipliedReportingOverflow(by: right)
        if !overflows, digits >= 0, digits <= 18 {
            return digits == 0 ? product : divideRounding(product, by: powerOfTen(digits), rounding)
        }
        guard let wide = rescale(Int128(left) &* Int128(right), from: digits, to: 0, rounding) else { return nil }
        return Int64(exactly: wide)
    }

    /// The product of two coefficients without its last `digits` digits: with scales `s1` and `s2` and a result of
    /// scale `s`, pass `s1 + s2 - s`; a negative number appends zeros. Nil if the result has more than 38 digits.
    public static func multiply(_ left: Int128, _ right: Int128, dropping digits: Int, _ rounding: RoundingMode)
        -> Int128?
    {
        let (product, overflows) = left.multipliedReportingOverflow(by: right)
        if !overflows { return rescale(product, from: digits, to: 0, rounding) }
        return (WideDecimal(left, scale: digits) * WideDecimal(right, scale: 0)).rounded(toScale: 0, rounding)
    }

    /// The quotient of two coefficients with `digits` digits appended to the dividend: with scales `s1` and `s2` and a
    /// result of scale `s`, pass `s + s2 - s1`; a negative number drops digits of the quotient.
    ///
    /// Nil for a divisor of zero and for a result of more than 38 digits; a caller that has to tell them apart tests
    /// the divisor first.
    public static func divide(
        _ dividend: Int128, by divisor: Int128, appending digits: Int, _ rounding: RoundingMode
    ) -> Int128? {
        if digits >= 0, divisor != 0, let short = Int64(exactly: divisor), short != .min,
            let long = lengthened(dividend, by: digits), let grown = Int64(exactly: long), grown != .min
        {
            return Int128(divideRounding(short < 0 ? -grown : grown, by: abs(short), rounding))
        }
        return WideDecimal(dividend, scale: 0).divided(by: WideDecimal(divisor, scale: 0), toScale: digits, rounding)
    }

    /// Compares two coefficients, each at its own scale: negative, zero or positive as the left value is less than,
    /// equal to or greater than the right one. Never fails.
    public static func compare(_ left: Int128, scale leftScale: Int, _ right: Int128, scale rightScale: Int) -> Int {
        if leftScale == rightScale { return left == right ? 0 : left < right ? -1 : 1 }
        let length = max(leftScale, rightScale)
        if let first = lengthened(left, by: length - leftScale),
            let second = lengthened(right, by: length - rightScale)
        {
            return first == second ? 0 : first < second ? -1 : 1
        }
        if left.signum() != right.signum() { return left.signum() < right.signum() ? -1 : 1 }
        let order = WideDecimal.compareMagnitudes(
            WideDecimal(left, scale: leftScale), WideDecimal(right, scale: rightScale))
        return left < 0 ? -order : order
    }
}
