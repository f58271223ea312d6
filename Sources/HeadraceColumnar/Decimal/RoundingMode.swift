/// How a decimal that has more digits than its place is brought to fewer.
///
/// The names and meanings are those of the General Decimal Arithmetic specification.
@frozen
public enum RoundingMode: UInt8, Sendable, Hashable, CaseIterable {
    /// To the nearest; halves to the even last digit. The unbiased mode of accounts, and the default everywhere.
    case halfEven
    /// To the nearest; halves away from zero.
    case halfUp
    /// To the nearest; halves towards zero.
    case halfDown
    /// Towards zero: cuts the digits off.
    case down
    /// Away from zero.
    case up
    /// Towards positive infinity.
    case ceiling
    /// Towards negative infinity.
    case floor
    /// Away from zero if the last digit kept would be 0 or 5, else towards zero: safe to round once more.
    case up05

    /// Whether the magnitude cut to `lastDigit` has to grow by one unit.
    /// - Parameters:
    ///   - isNegative: the sign of the number.
    ///   - lastDigit: the last digit kept; only its parity counts except for `up05`.
    ///   - half: the sign of what was cut off minus one half. What was cut off is not zero.
    @inlinable
    func growsMagnitude(isNegative: Bool, lastDigit: Int, half: Int) -> Bool {
        switch self {
        case .halfEven: half > 0 || (half == 0 && lastDigit & 1 == 1)
        case .halfUp: half >= 0
        case .halfDown: half > 0
        case .down: false
        case .up: true
        case .ceiling: !isNegative
        case .floor: isNegative
        case .up05: lastDigit == 0 || lastDigit == 5
        }
    }
}
