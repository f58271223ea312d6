/// An exact decimal number: a coefficient of up to 38 digits divided by 10 to the power of a scale.
///
/// Values compare, order and hash by what they are worth, so 1.50 equals 1.5; the scale is kept for arithmetic and for
/// writing. A negative scale stands for trailing zeros that are not stored. There is no negative zero, no infinity and
/// no NaN: an operation that has no result of at most 38 digits answers nil.
@frozen
public struct DecimalValue: Sendable, BitwiseCopyable {
    /// The digits and the sign.
    public let coefficient: Int128
    /// The number of digits after the point.
    public let scale: Int

    /// The largest magnitude a scale may have; far beyond any column's, it keeps sums of scales from overflowing.
    public static let scaleLimit = 1 << 40

    /// The value zero, of scale 0.
    public static let zero = DecimalValue(coefficient: 0, scale: 0)

    /// Joins a coefficient and a scale as they are.
    ///
    /// A coefficient of 39 digits is stored, but has no `precision` that a column could hold.
    /// - Precondition: `scale` lies within plus and minus `scaleLimit`.
    @inlinable
    public init(coefficient: Int128, scale: Int) {
        precondition(scale >= -Self.scaleLimit && scale <= Self.scaleLimit, "scale out of range")
        self.coefficient = coefficient
        self.scale = scale
    }

    /// An integer as a decimal of scale 0.
    @inlinable
    public init(_ value: Int) {
        self.init(coefficient: Int128(value), scale: 0)
    }

    /// The number of digits of the coefficient; zero has one.
    public var precision: Int { DecimalMath.digitCount(coefficient) }

    /// Whether the value is zero.
    public var isZero: Bool { coefficient == 0 }

    /// Whether the value is below zero.
    public var isNegative: Bool { coefficient < 0 }

    /// The value without its sign.
    public var magnitude: DecimalValue {
        DecimalValue(coefficient: coefficient < 0 ? 0 &- coefficient : coefficient, scale: scale)
    }

    /// The value with the other sign.
    public var negated: DecimalValue { DecimalValue(coefficient: 0 &- coefficient, scale: scale) }

    /// The same value with the smallest scale, not below `least`, that loses no digit: 1.500 gives 1.5, 100 gives 1E+2.
    ///
    /// A zero keeps a scale that is not positive and otherwise gets 0.
    public func reduced(toScaleAtLeast least: Int = -DecimalValue.scaleLimit) -> DecimalValue {
        guard scale > least else { return self }
        if coefficient == 0 { return DecimalValue(coefficient: 0, scale: max(least, min(scale, 0))) }
        var value = coefficient
        var left = scale
        for step in [16, 8, 4, 2, 1] {
            let divisor = DecimalMath.widePowerOfTen(step)
            while left - step >= least {
                let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
                guard remainder == 0 else { break }
                value = quotient
                left -= step
            }
        }
        return DecimalValue(coefficient: value, scale: left)
    }

    /// The coefficient of this value at exactly `scale` fraction digits.
    /// - Returns: nil if a digit would be lost or the result has more than `precision` digits (at most 38).
    public func exactCoefficient(precision: Int, scale: Int) -> Int128? {
        guard let result = DecimalMath.rescale(coefficient, from: self.scale, to: scale, .down),
            DecimalMath.fits(result, precision: min(precision, 38)),
            scale >= self.scale
                || DecimalMath.compare(result, scale: scale, coefficient, scale: self.scale) == 0
        else { return nil }
        return result
    }

    /// Whether a column of this precision and scale holds the value without rounding.
    public func fits(precision: Int, scale: Int) -> Bool {
        exactCoefficient(precision: precision, scale: scale) != nil
    }
}

extension DecimalValue: Comparable, Hashable {
    /// Equality of worth, whatever the scales.
    public static func == (left: DecimalValue, right: DecimalValue) -> Bool {
        DecimalMath.compare(left.coefficient, scale: left.scale, right.coefficient, scale: right.scale) == 0
    }

    /// Order by worth, whatever the scales.
    public static func < (left: DecimalValue, right: DecimalValue) -> Bool {
        DecimalMath.compare(left.coefficient, scale: left.scale, right.coefficient, scale: right.scale) < 0
    }

    /// Feeds the value without trailing zeros, so that equal values hash alike.
    public func hash(into hasher: inout Hasher) {
        let value = reduced()
        hasher.combine(value.coefficient)
        if value.coefficient != 0 { hasher.combine(value.scale) }
    }
}
