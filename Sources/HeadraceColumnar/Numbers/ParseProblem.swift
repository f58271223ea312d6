/// Why the text of one cell is not a value of the wanted type.
///
/// Every text parser of this module answers with one of these codes. The raw value fits a byte, and `none` is zero,
/// so a kernel may combine the codes of a batch with `|` and look closer only if the result is not zero.
@frozen
public enum ParseProblem: UInt8, Sendable, Hashable, CaseIterable {
    /// The text is a value of the type.
    case none = 0
    /// The text has no bytes at all.
    case empty
    /// The text does not follow the syntax of the type: letters in a number, a date without hyphens.
    case malformed
    /// The value is well formed but too large or too small for the type. For a decimal: too many integer digits.
    case outOfRange
    /// A decimal has non-zero digits below its scale; it would have to be rounded.
    case tooManyFractionDigits
    /// Year, month and day are well formed, but there is no such day: month 13, 30 February.
    case invalidDate
    /// Hour, minute, second or zone offset are well formed but beyond their range. Hour 24 is among them.
    case invalidTime
    /// The second is 60. Leap seconds have no place in a count of microseconds since 1970.
    case leapSecond
    /// A time has non-zero digits below the microsecond; it would have to be cut.
    case subMicrosecond
}

extension ParseProblem: CustomStringConvertible {
    /// A phrase that completes "the text …", such as "is not well formed".
    public var description: String {
        switch self {
        case .none: "is valid"
        case .empty: "is empty"
        case .malformed: "is not well formed"
        case .outOfRange: "is out of range"
        case .tooManyFractionDigits: "has more fraction digits than the scale holds"
        case .invalidDate: "names a day that does not exist"
        case .invalidTime: "names a time of day or a zone that does not exist"
        case .leapSecond: "names a leap second"
        case .subMicrosecond: "is finer than a microsecond"
        }
    }
}
