extension WideDecimal {
    init(_ coefficient: Int128, scale: Int) {
        self.init(
            isNegative: coefficient < 0, magnitude: WideMagnitude(coefficient.magnitude), scale: scale)
    }

    /// The exact product of two values of up to 128 bits.
    static func * (left: WideDecimal, right: WideDecimal) -> WideDecimal {
        WideDecimal(
            isNegative: left.isNegative != right.isNegative,
            magnitude: WideMagnitude(product: left.magnitude.low, right.magnitude.low),
            scale: left.scale + right.scale)
    }

    /// The sum of two values of up to 128 bits: exact, or with 39 digits and a tail if the scales lie far apart.
    static func + (left: WideDecimal, right: WideDecimal) -> WideDecimal {
        if left.scale > right.scale { return right + left }
        let distance = right.scale - left.scale
        guard !left.magnitude.isZero else { return right }
        guard !right.magnitude.isZero else {
            // The zero's fraction digits count, as far as there is room.
            let shift = min(distance, 76 - left.magnitude.digitCount)
            guard let grown = left.magnitude.multiplied(byPowerOfTen: shift) else { return left }
            return WideDecimal(isNegative: left.isNegative, magnitude: grown, scale: left.scale + shift)
        }
        let shift = min(distance, 38)
        guard var greater = left.magnitude.multiplied(byPowerOfTen: shift) else { return left }
        var lesser = right.magnitude
        var hasTail = false
        if distance > shift {
            // One more digit keeps a spare one below any result of 38 digits.
            greater = greater.multiplied(byPowerOfTen: 1) ?? greater
            let excess = distance - shift - 1
            let divisor = PowerOfTen.wide(min(excess, 38))
            let quotient =
                excess > 38 ? (WideMagnitude.zero, lesser.low) : lesser.quotientAndRemainder(dividingBy: divisor)
            lesser = quotient.0
            hasTail = quotient.1 != 0
        }
        let scale = left.scale + shift + (distance > shift ? 1 : 0)
        if left.isNegative == right.isNegative {
            let sum = greater.adding(lesser) ?? greater
            return WideDecimal(isNegative: left.isNegative, magnitude: sum, scale: scale, hasTail: hasTail)
        }
        if greater < lesser {
            return WideDecimal(isNegative: right.isNegative, magnitude: lesser.subtracting(greater), scale: scale)
        }
        var difference = greater.subtracting(lesser)
        if hasTail { difference = difference.subtracting(WideMagnitude(1)) }
        return WideDecimal(isNegative: left.isNegative, magnitude: difference, scale: scale, hasTail: hasTail)
    }

    /// The quotient of two values of up to 128 bits, rounded to `target` fraction digits; nil for a divisor of zero and
    /// for more than 38 digits.
    func divided(by divisor: WideDecimal, toScale target: Int, _ rounding: RoundingMode) -> Int128? {
        guard !divisor.magnitude.isZero else { return nil }
        let isNegative = isNegative != divisor.isNegative
        let appended = target + divisor.scale - scale
        guard appended >= 0 else {
            let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: divisor.magnitude.low)
            return WideDecimal(isNegative: isNegative, magnitude: quotient, scale: -appended, hasTail: remainder != 0)
                .rounded(toScale: 0, rounding)
        }
        // A dividend beyond 256 bits makes a quotient of more than 38 digits.
        guard let dividend = magnitude.multiplied(byPowerOfTen: appended) else { return nil }
        var (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor.magnitude.low)
        if remainder != 0 {
            let half = Self.half(remainder, of: divisor.magnitude.low, hasTail: false)
            if rounding.growsMagnitude(isNegative: isNegative, lastDigit: quotient.lastDigit(for: rounding), half: half)
            {
                guard let grown = quotient.adding(WideMagnitude(1)) else { return nil }
                quotient = grown
            }
        }
        return WideDecimal(isNegative: isNegative, magnitude: quotient, scale: 0).rounded(toScale: 0, rounding)
    }

    /// The quotient of two values of up to 128 bits with at least `digits` + 1 digits and a tail, or exact.
    func divided(by divisor: WideDecimal, digits: Int) -> WideDecimal? {
        guard !divisor.magnitude.isZero else { return nil }
        let appended = max(0, digits + 1 + divisor.magnitude.digitCount - magnitude.digitCount)
        guard let dividend = magnitude.multiplied(byPowerOfTen: appended) else { return nil }
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor.magnitude.low)
        return WideDecimal(
            isNegative: isNegative != divisor.isNegative, magnitude: quotient,
            scale: scale - divisor.scale + appended, hasTail: remainder != 0)
    }

    /// Compares two values of up to 128 bits without their signs: negative, zero or positive.
    static func compareMagnitudes(_ left: WideDecimal, _ right: WideDecimal) -> Int {
        if left.scale > right.scale { return -compareMagnitudes(right, left) }
        if left.magnitude.isZero || right.magnitude.isZero {
            return (left.magnitude.isZero ? 0 : 1) - (right.magnitude.isZero ? 0 : 1)
        }
        // More than 256 bits is more than any right-hand side has.
        guard let grown = left.magnitude.multiplied(byPowerOfTen: right.scale - left.scale) else { return 1 }
        return grown == right.magnitude ? 0 : grown < right.magnitude ? -1 : 1
    }
}
