extension ArithmeticWork {
    /// Decimals with decimals or integers; the result has this shape.
    func decimals(_ shape: DecimalShape) -> KernelResult {
        switch operation {
        case .add, .subtract: sums(shape)
        case .multiply: products(shape)
        case .divide: quotients(shape)
        case .remainder: remainders(shape)
        }
    }

    private var leftShape: DecimalShape {
        DecimalShape(exact: left.column.type) ?? DecimalShape(precision: 38, scale: 0)
    }
    private var rightShape: DecimalShape {
        DecimalShape(exact: right.column.type) ?? DecimalShape(precision: 38, scale: 0)
    }

    private func sums(_ shape: DecimalShape) -> KernelResult {
        let scale = max(leftShape.scale, rightShape.scale)
        let digits = max(leftShape.integerDigits, rightShape.integerDigits) + scale + 1
        let subtracts = operation == .subtract
        if digits <= 18 {
            // The digit more than the operands have takes every carry.
            let one = left.words(scale: scale)
            let other = right.words(scale: scale)
            if subtracts {
                return combine(one, other) {
                    ($0 &- $1, false)
                } reason: { _, _ in
                    .outOfRange
                }
            }
            return combine(one, other) {
                ($0 &+ $1, false)
            } reason: { _, _ in
                .outOfRange
            }
        }
        if digits <= 38 {
            let one = left.wides(scale: scale)
            let other = right.wides(scale: scale)
            if subtracts {
                return combine(one, other) {
                    ($0 &- $1, false)
                } reason: { _, _ in
                    .outOfRange
                }
            }
            return combine(one, other) {
                ($0 &+ $1, false)
            } reason: { _, _ in
                .outOfRange
            }
        }
        let leftScale = leftShape.scale
        let rightScale = rightShape.scale
        return optional(left.wides(scale: leftScale), right.wides(scale: rightScale), shape) {
            DecimalMath.add(
                $0, scale: leftScale, subtracts ? 0 &- $1 : $1, scale: rightScale, to: shape.scale, .halfEven)
        }
    }

    private func products(_ shape: DecimalShape) -> KernelResult {
        let digits = leftShape.precision + rightShape.precision + 1
        let fitWords =
            NumericReader.fitsWord(left.column.type, scale: leftShape.scale)
            && NumericReader.fitsWord(right.column.type, scale: rightShape.scale)
        if digits <= 38 && fitWords {
            let one = left.words(scale: leftShape.scale)
            let other = right.words(scale: rightShape.scale)
            if digits <= 18 {
                return combine(one, other) {
                    ($0 &* $1, false)
                } reason: { _, _ in
                    .outOfRange
                }
            }
            return combine(one, other) {
                (Int128($0) &* Int128($1), false)
            } reason: { _, _ in
                .outOfRange
            }
        }
        let one = left.wides(scale: leftShape.scale)
        let other = right.wides(scale: rightShape.scale)
        if digits <= 38 {
            return combine(one, other) {
                ($0 &* $1, false)
            } reason: { _, _ in
                .outOfRange
            }
        }
        let dropped = leftShape.scale + rightShape.scale - shape.scale
        return optional(one, other, shape) { DecimalMath.multiply($0, $1, dropping: dropped, .halfEven) }
    }

    private func quotients(_ shape: DecimalShape) -> KernelResult {
        let appended = shape.scale + rightShape.scale - leftShape.scale
        if appended >= 0, leftShape.precision + appended <= 18, rightShape.precision <= 18, shape.precision <= 18 {
            return wordQuotients(shape, appended)
        }
        if appended >= 0, leftShape.precision + appended <= 38 {
            let factor = DecimalMath.widePowerOfTen(appended)
            return optional(left.wides(scale: leftShape.scale), right.wides(scale: rightShape.scale), shape) {
                Self.quotient($0 &* factor, $1)
            }
        }
        return optional(left.wides(scale: leftShape.scale), right.wides(scale: rightShape.scale), shape) {
            DecimalMath.divide($0, by: $1, appending: appended, .halfEven)
        }
    }

    /// The quotient rounded half-even, nil for a divisor of zero; in 64-bit steps where the divisor fits.
    @inline(__always)
    private static func quotient(_ dividend: Int128, _ divisor: Int128) -> Int128? {
        let magnitude = divisor.magnitude
        guard magnitude >> 64 == 0, magnitude != 0 else {
            return DecimalMath.divide(dividend, by: divisor, appending: 0, .halfEven)
        }
        let short = UInt64(truncatingIfNeeded: magnitude)
        let long = dividend.magnitude
        let (high, rest) = UInt64(truncatingIfNeeded: long &>> 64).quotientAndRemainder(dividingBy: short)
        let (low, remainder) = short.dividingFullWidth((rest, UInt64(truncatingIfNeeded: long)))
        var value = Int128(truncatingIfNeeded: high) &<< 64 | Int128(truncatingIfNeeded: low)
        // Twice the remainder against the divisor, without passing 64 bits.
        let complement = short &- remainder
        if remainder > complement || (remainder == complement && low & 1 == 1) { value &+= 1 }
        return (dividend < 0) == (divisor < 0) ? value : 0 &- value
    }

    private func wordQuotients(_ shape: DecimalShape, _ appended: Int) -> KernelResult {
        let factor = DecimalMath.powerOfTen(appended)
        let limit = DecimalMath.powerOfTen(shape.precision)
        return combine(left.words(scale: leftShape.scale), right.words(scale: rightShape.scale)) { one, other in
            if other == 0 { return (Int64(0), true) }
            let dividend = one &* factor
            let quotient = DecimalMath.divideRounding(
                other < 0 ? 0 &- dividend : dividend, by: other < 0 ? 0 &- other : other, .halfEven)
            return (quotient, quotient >= limit || quotient <= 0 &- limit)
        } reason: {
            $1 == 0 ? .divisionByZero : .outOfRange
        }
    }

    private func remainders(_ shape: DecimalShape) -> KernelResult {
        let scale = max(leftShape.scale, rightShape.scale)
        let leftScale = leftShape.scale
        let rightScale = rightShape.scale
        if NumericReader.fitsWord(left.column.type, scale: scale)
            && NumericReader.fitsWord(right.column.type, scale: scale)
            && shape.precision <= 18
        {
            return combine(left.words(scale: scale), right.words(scale: scale)) {
                Self.remainder($0, $1)
            } reason: { _, _ in
                .divisionByZero
            }
        }
        return optional(left.wides(scale: leftScale), right.wides(scale: rightScale), shape) {
            DecimalRemainder.remainder($0, scale: leftScale, $1, scale: rightScale)
                .flatMap { DecimalMath.rescale($0, from: scale, to: shape.scale, .halfEven) }
        }
    }

    /// Runs `compute`, nil where it fails, and stores what it gives in the width of `shape`.
    @inline(__always)
    private func optional(
        _ one: TermValues<Int128>, _ other: TermValues<Int128>, _ shape: DecimalShape,
        _ compute: (Int128, Int128) -> Int128?
    ) -> KernelResult {
        let divides = operation == .divide || operation == .remainder
        let limit = DecimalMath.widePowerOfTen(shape.precision)
        func reason(_: Int128, _ right: Int128) -> RowFailure.Reason {
            divides && right == 0 ? .divisionByZero : .outOfRange
        }
        if shape.precision <= 18 {
            return combine(one, other) { left, right in
                guard let value = compute(left, right), value < limit, value > 0 &- limit else {
                    return (Int64(0), true)
                }
                return (Int64(truncatingIfNeeded: value), false)
            } reason: {
                reason($0, $1)
            }
        }
        return combine(one, other) { left, right in
            guard let value = compute(left, right), value < limit, value > 0 &- limit else { return (Int128(0), true) }
            return (value, false)
        } reason: {
            reason($0, $1)
        }
    }
}

/// The remainder of decimals that a common scale may push past 128 bits.
enum DecimalRemainder {
    /// The remainder at the greater of the two scales, with the sign of the dividend; nil for a divisor of zero.
    static func remainder(_ left: Int128, scale leftScale: Int, _ right: Int128, scale rightScale: Int) -> Int128? {
        if right == 0 { return nil }
        var divisor = right.magnitude
        var rest = left.magnitude
        if leftScale >= rightScale {
            let (grown, overflows) = divisor.multipliedReportingOverflow(
                by: NumericReader.power(leftScale - rightScale).magnitude)
            // A divisor beyond 128 bits is greater than any dividend.
            if overflows { return left }
            divisor = grown
            rest %= divisor
        } else {
            let factor = NumericReader.power(rightScale - leftScale).magnitude % divisor
            let (high, low) = (rest % divisor).multipliedFullWidth(by: factor)
            rest = divisor.dividingFullWidth((high, low)).remainder
        }
        let value = Int128(truncatingIfNeeded: rest)
        return left < 0 ? 0 &- value : value
    }
}
