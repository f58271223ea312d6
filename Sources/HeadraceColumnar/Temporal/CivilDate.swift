/// A day of the proleptic Gregorian calendar, with astronomical years: year 0 is 1 BC.
///
/// Columns hold days since 1970-01-01 instead; this is the form for taking a day apart. Every day that a 32-bit count
/// reaches, some 5.8 million years either way, has a date.
@frozen
public struct CivilDate: Hashable, Sendable {
    /// The astronomical year.
    public let year: Int
    /// The month, 1...12.
    public let month: Int
    /// The day of the month, from 1.
    public let day: Int

    /// The years all of whose days fit a 32-bit count.
    public static let years = -5_877_640...5_881_579

    /// A day from its parts; nil if there is no such day or the year lies outside `years`.
    public init?(year: Int, month: Int, day: Int) {
        guard Self.years.contains(year), month >= 1, month <= 12, day >= 1,
            day <= Self.days(inMonth: month, ofYear: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that lies `days` days after 1970-01-01, or before it if negative.
    ///
    /// The algorithm is that of Neri and Schneider, "Euclidean affine functions and their application to calendar
    /// algorithms", 2022.
    @inlinable
    public init(daysSinceEpoch days: Int32) {
        // Counted from the first of March 14,704 periods of 400 years before year 0, nothing is negative.
        let number = UInt64(truncatingIfNeeded: Int(days) &+ 719_468 &+ 14_704 &* 146_097)
        let (century, rest) = (number &* 4 &+ 3).quotientAndRemainder(dividingBy: 146_097)
        let product = (rest | 3) &* 2_939_745
        let dayOfYear = (product & 0xFFFF_FFFF) / 2_939_745 / 4
        let monthAndDay = dayOfYear &* 2141 &+ 197_913
        let isNextYear = dayOfYear >= 306
        year = Int(century &* 100 &+ (product &>> 32)) &- 14_704 &* 400 &+ (isNextYear ? 1 : 0)
        month = Int(monthAndDay &>> 16) &- (isNextYear ? 12 : 0)
        day = Int((monthAndDay & 0xFFFF) / 2141) &+ 1
    }

    /// The number of days from 1970-01-01 to this day.
    public var daysSinceEpoch: Int32 {
        Int32(truncatingIfNeeded: Self.daysSinceEpoch(year: year, month: month, day: day))
    }

    /// The number of days of a month, 1...12, of any year.
    @inlinable
    @inline(__always)
    public static func days(inMonth month: Int, ofYear year: Int) -> Int {
        month == 2 ? (isLeap(year) ? 29 : 28) : 30 | (month ^ (month &>> 3))
    }

    /// Whether a year has a 29 February.
    @inlinable
    @inline(__always)
    public static func isLeap(_ year: Int) -> Bool {
        year & (year % 25 == 0 ? 15 : 3) == 0
    }

    /// The count of a day that exists, in a year within `years`.
    @inlinable
    @inline(__always)
    static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let isEarly = month <= 2
        let shifted = UInt64(truncatingIfNeeded: year &+ 14_704 &* 400 &- (isEarly ? 1 : 0))
        let century = shifted / 100
        let days = Int(shifted &* 1461 / 4 &- century &+ century / 4)
        let monthFromMarch = month &+ (isEarly ? 12 : 0)
        return days &+ (979 &* monthFromMarch &- 2919) &>> 5 &+ day &- 1 &- 719_468 &- 14_704 &* 146_097
    }
}

extension CivilDate: Comparable {
    /// Order in time.
    public static func < (left: CivilDate, right: CivilDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}

extension CivilDate: CustomStringConvertible {
    /// The day as ISO 8601 writes it: `2026-11-21`.
    public var description: String { Temporal.formatDate(daysSinceEpoch) }
}
