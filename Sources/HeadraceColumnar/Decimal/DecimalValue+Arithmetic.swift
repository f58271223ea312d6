extension DecimalValue {
    /// The same value with `scale` fraction digits, rounded if it has more; this is the specification's `quantize`.
    /// - Returns: nil if the result has more than 38 digits.
    public func rounded(toScale scale: Int, _ rounding: RoundingMode = .halfEven) -> DecimalValue? {
        guard Self.isScale(scale) else { return nil }
        return DecimalMath.rescale(coefficient, from: self.scale, to: scale, rounding)
            .map { DecimalValue(coefficient: $0, scale: scale) }
    }

    /// The same value with at most `digits` significant digits.
    /// - Parameter digits: 1...38.
    public func rounded(toDigits digits: Int, _ rounding: RoundingMode = .halfEven) -> DecimalValue? {
        limited(WideDecimal(coefficient, scale: scale), digits, rounding)
    }

    /// The exact sum, with the greater of the two scales; nil if it has more than 38 digits.
    public func adding(_ other: DecimalValue) -> DecimalValue? {
        adding(other, scale: max(scale, other.scale))
    }

    /// The sum, rounded once to `scale` fraction digits; nil if it has more than 38 digits.
    public func adding(
        _ other: DecimalValue, scale: Int, _ rounding: RoundingMode = .halfEven
    ) -> DecimalValue? {
        guard Self.isScale(scale) else { return nil }
        return DecimalMath.add(
            coefficient, scale: self.scale, other.coefficient, scale: other.scale, to: scale, rounding
        ).map { DecimalValue(coefficient: $0, scale: scale) }
    }

    /// The sum, rounded once to at most `digits` significant digits, 1...38.
    public func adding(
        _ other: DecimalValue, digits: Int, _ rounding: RoundingMode = .halfEven
    ) -> DecimalValue? {
        guard isWithinPrecision, other.isWithinPrecision else { return nil }
        return limited(
            WideDecimal(coefficient, scale: scale) + WideDecimal(other.coefficient, scale: other.scale), digits,
            rounding)
    }

    /// The exact difference, with the greater of the two scales; nil if it has more than 38 digits.
    public func subtracting(_ other: DecimalValue) -> DecimalValue? { adding(other.negated) }

    /// The difference, rounded once to `scale` fraction digits; nil if it has more than 38 digits.
    public func subtracting(
        _ other: DecimalValue, scale: Int, _ rounding: RoundingMode = .halfEven
    ) -> DecimalValue? {
        adding(other.negated, scale: scale, rounding)
    }

    /// The difference, rounded once to at most `digits` significant digits, 1...38.
    public func subtracting(
        _ other: DecimalValue, digits: Int, _ rounding: RoundingMode = .halfEven
    ) -> DecimalValue? {
        adding(other.negated, digits: digits, rounding)
    }

    /// The exact product, with the sum of the two scales; nil if it has more than 38 digits.
    public func multiplied(by other: DecimalValue) -> DecimalValue? {
        multiplied(by: other, scale: scale + other.scale)
    }

    /// The product, rounded once to `scale` fraction digits; nil only if the rounded result has more than 38 digits.
    public func multiplied(
        by other: DecimalValue, scale: Int, _ rounding: RoundingMode = .halfEven
    ) -> DecimalValue? {
        guard Self.isScale(scale) else { return nil }
        return DecimalMath.multiply(
            coefficient, other.coefficient, dropping: self.scale + other.scale - scale, rounding
        ).map { DecimalValue(coefficient: $0, scale: scale) }
    }

    /// The product, rounded once to at most `digits` significant digits, 1...38.
    public func multiplied(
        by other: DecimalValue, digits: Int, _ rounding: RoundingMode = .halfEven
    ) -> DecimalValue? {
        limited(
            WideDecimal(coefficient, scale: scale) * WideDecimal(other.coefficient, scale: other.scale), digits,
            rounding)
    }

    /// The quotient, rounded once to `scale` fraction digits; nil for a divisor of zero and beyond 38 digits.
    public func divided(
        by other: DecimalValue, scale: Int, _ rounding: RoundingMode = .halfEven
    ) -> DecimalValue? {
        guard Self.isScale(scale) else { return nil }
        return DecimalMath.divide(
            coefficient, by: other.coefficient, appending: scale + other.scale - self.scale, rounding
        ).map { DecimalValue(coefficient: $0, scale: scale) }
    }

    /// The quotient, rounded once to at most `digits` significant digits, 1...38; nil for a divisor of zero.
    ///
    /// An exact quotient has the scale closest to the difference of the two scales, as the specification wants it.
    public func divided(
        by other: DecimalValue, digits: Int, _ rounding: RoundingMode = .halfEven
    ) -> DecimalValue? {
        guard isWithinPrecision, other.isWithinPrecision,
            let quotient = WideDecimal(coefficient, scale: scale)
                .divided(by: WideDecimal(other.coefficient, scale: other.scale), digits: min(max(digits, 1), 38))
        else { return nil }
        let ideal = scale - other.scale
        if quotient.magnitude.isZero { return Self.isScale(ideal) ? DecimalValue(coefficient: 0, scale: ideal) : nil }
        guard let result = limited(quotient, digits, rounding) else { return nil }
        let isExact =
            !quotient.hasTail
            && WideDecimal.compareMagnitudes(WideDecimal(result.coefficient, scale: result.scale), quotient) == 0
        return isExact ? result.reduced(toScaleAtLeast: ideal) : result
    }

    private var isWithinPrecision: Bool { DecimalMath.fits(coefficient, precision: 38) }

    private static func isScale(_ scale: Int) -> Bool { scale >= -scaleLimit && scale <= scaleLimit }

    private func limited(_ value: WideDecimal, _ digits: Int, _ rounding: RoundingMode) -> DecimalValue? {
        // Dropping digits moves a scale by at most 78.
        guard value.scale >= -Self.scaleLimit + 80, value.scale <= Self.scaleLimit - 80 else { return nil }
        return value.rounded(toDigits: min(max(digits, 1), 38), rounding)
    }
}
