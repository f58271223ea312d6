/// An intermediate result before its one rounding: sign, 256-bit magnitude, scale, and whether non-zero digits follow
/// below the last one.
struct WideDecimal {
    var isNegative: Bool
    var magnitude: WideMagnitude
    var scale: Int
    /// Whether the exact value lies strictly between this magnitude and the next one.
    var hasTail = false

    /// Rounds to `target` fraction digits; nil if the result has more than 38 digits.
    ///
    /// With a tail, at least one digit has to be dropped: the callers keep a spare one.
    func rounded(toScale target: Int, _ rounding: RoundingMode) -> Int128? {
        var magnitude = magnitude
        let dropped = scale - target
        if dropped <= 0 {
            guard let grown = magnitude.multiplied(byPowerOfTen: -dropped) else { return nil }
            magnitude = grown
        } else {
            magnitude = dropping(dropped, rounding)
        }
        guard magnitude.high == 0, magnitude.low < PowerOfTen.wide(38) else { return nil }
        let value = Int128(truncatingIfNeeded: magnitude.low)
        return isNegative ? -value : value
    }

    /// Rounds to at most `digits` significant digits, 1...38; shorter exact values stay as they are.
    ///
    /// With a tail, there have to be more digits than that.
    func rounded(toDigits digits: Int, _ rounding: RoundingMode) -> DecimalValue? {
        let excess = magnitude.digitCount - digits
        guard excess > 0 else {
            return rounded(toScale: scale, rounding).map { DecimalValue(coefficient: $0, scale: scale) }
        }
        var result = WideDecimal(
            isNegative: isNegative, magnitude: dropping(excess, rounding), scale: scale - excess)
        // 9.99 rounds to 10.0: one digit more, and that is a zero.
        if result.magnitude.digitCount > digits {
            result.magnitude = result.dropping(1, .down)
            result.scale -= 1
        }
        return result.rounded(toScale: result.scale, rounding).map {
            DecimalValue(coefficient: $0, scale: result.scale)
        }
    }

    /// The magnitude without its last `count` digits, at least one.
    private func dropping(_ count: Int, _ rounding: RoundingMode) -> WideMagnitude {
        var quotient = magnitude
        var tail = hasTail
        var left = count
        while left > 38 {
            if quotient.isZero { break }
            let step = quotient.quotientAndRemainder(dividingBy: PowerOfTen.wide(38))
            quotient = step.quotient
            tail = tail || step.remainder != 0
            left -= 38
        }
        // What is left of a number all of whose digits are gone is below one half of any unit.
        let divisor = PowerOfTen.wide(min(left, 38))
        let last = quotient.quotientAndRemainder(dividingBy: divisor)
        guard last.remainder != 0 || tail else { return last.quotient }
        let half = Self.half(last.remainder, of: divisor, hasTail: tail)
        let grows = rounding.growsMagnitude(
            isNegative: isNegative, lastDigit: last.quotient.lastDigit(for: rounding), half: half)
        return grows ? last.quotient.adding(WideMagnitude(1)) ?? last.quotient : last.quotient
    }

    /// The sign of a remainder plus its tail minus half the divisor.
    static func half(_ remainder: UInt128, of divisor: UInt128, hasTail: Bool) -> Int {
        let rest = divisor - remainder
        if remainder == rest { return hasTail ? 1 : 0 }
        return remainder > rest ? 1 : -1
    }
}
