/// An unsigned 256-bit integer: room for every product of two 38-digit coefficients.
struct WideMagnitude: Equatable, Comparable {
    var high: UInt128
    var low: UInt128

    static let zero = WideMagnitude(0)

    init(_ value: UInt128) {
        high = 0
        low = value
    }

    init(product left: UInt128, _ right: UInt128) {
        (high, low) = left.multipliedFullWidth(by: right)
    }

    private init(high: UInt128, low: UInt128) {
        self.high = high
        self.low = low
    }

    var isZero: Bool { high == 0 && low == 0 }

    /// The last decimal digit, or, where the mode asks for no more, just a digit of the same parity.
    func lastDigit(for rounding: RoundingMode) -> Int {
        guard rounding == .up05 else { return Int(truncatingIfNeeded: low & 1) }
        return Int(truncatingIfNeeded: quotientAndRemainder(dividingBy: 10).remainder)
    }

    /// The number of decimal digits, one for zero.
    var digitCount: Int {
        guard high != 0 else { return PowerOfTen.digitCount(low) }
        let upper = quotientAndRemainder(dividingBy: PowerOfTen.wide(38)).quotient
        if upper.high == 0 { return 38 + PowerOfTen.digitCount(upper.low) }
        return upper < WideMagnitude(product: PowerOfTen.wide(38), 10) ? 77 : 78
    }

    static func < (left: WideMagnitude, right: WideMagnitude) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    /// The product, or nil beyond 256 bits.
    func multiplied(by factor: UInt128) -> WideMagnitude? {
        let lower = low.multipliedFullWidth(by: factor)
        let (upper, overflows) = high.multipliedReportingOverflow(by: factor)
        let (sum, carries) = upper.addingReportingOverflow(lower.high)
        return overflows || carries ? nil : WideMagnitude(high: sum, low: lower.low)
    }

    /// The product with 10 to the power of `exponent` (not negative), or nil beyond 256 bits.
    func multiplied(byPowerOfTen exponent: Int) -> WideMagnitude? {
        if isZero || exponent == 0 { return self }
        guard exponent <= 77 else { return nil }
        guard exponent > 38 else { return multiplied(by: PowerOfTen.wide(exponent)) }
        return multiplied(by: PowerOfTen.wide(38))?.multiplied(by: PowerOfTen.wide(exponent - 38))
    }

    /// The sum, or nil beyond 256 bits.
    func adding(_ other: WideMagnitude) -> WideMagnitude? {
        let (lower, carry) = low.addingReportingOverflow(other.low)
        let (upper, overflows) = high.addingReportingOverflow(other.high)
        let (sum, carries) = upper.addingReportingOverflow(carry ? 1 : 0)
        return overflows || carries ? nil : WideMagnitude(high: sum, low: lower)
    }

    /// The difference to a magnitude that is not greater.
    func subtracting(_ other: WideMagnitude) -> WideMagnitude {
        let (lower, borrow) = low.subtractingReportingOverflow(other.low)
        return WideMagnitude(high: high &- other.high &- (borrow ? 1 : 0), low: lower)
    }

    /// Divides by a divisor that is not zero.
    func quotientAndRemainder(dividingBy divisor: UInt128) -> (quotient: WideMagnitude, remainder: UInt128) {
        if high == 0 {
            let (quotient, remainder) = low.quotientAndRemainder(dividingBy: divisor)
            return (WideMagnitude(quotient), remainder)
        }
        let upper = high.quotientAndRemainder(dividingBy: divisor)
        let lower = divisor.dividingFullWidth((high: upper.remainder, low: low))
        return (WideMagnitude(high: upper.quotient, low: lower.quotient), lower.remainder)
    }
}
