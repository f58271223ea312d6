/// Parts and starts of days and timestamps, for kernels over date and timestamp columns.
///
/// Days count from 1970-01-01; timestamps are microseconds from 1970-01-01T00:00:00, in UTC for columns with a zone;
/// times of day are microseconds from midnight. No function traps, whatever the value.
public enum Temporal {
    /// The microseconds of a second.
    public static let microsecondsPerSecond: Int64 = 1_000_000
    /// The microseconds of a minute.
    public static let microsecondsPerMinute: Int64 = 60_000_000
    /// The microseconds of an hour.
    public static let microsecondsPerHour: Int64 = 3_600_000_000
    /// The microseconds of a day; there are no leap seconds.
    public static let microsecondsPerDay: Int64 = 86_400_000_000

    // MARK: - Timestamps

    /// The day on which a timestamp lies.
    @inlinable
    public static func day(ofTimestamp microseconds: Int64) -> Int32 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 86_400_000_000)
        return Int32(truncatingIfNeeded: quotient &- (remainder < 0 ? 1 : 0))
    }

    /// The microseconds since midnight of a timestamp, never negative.
    @inlinable
    public static func timeOfDay(ofTimestamp microseconds: Int64) -> Int64 {
        let remainder = microseconds % 86_400_000_000
        return remainder &+ (remainder < 0 ? 86_400_000_000 : 0)
    }

    /// The timestamp at which a day begins; nil for days more than 292,271 years from 1970.
    @inlinable
    public static func timestamp(ofDay days: Int32) -> Int64? {
        let (product, overflows) = Int64(days).multipliedReportingOverflow(by: 86_400_000_000)
        return overflows ? nil : product
    }

    /// The midnight at or before a timestamp; the earliest timestamp of all where that midnight cannot be told.
    @inlinable
    public static func startOfDay(ofTimestamp microseconds: Int64) -> Int64 {
        let (start, overflows) = microseconds.subtractingReportingOverflow(timeOfDay(ofTimestamp: microseconds))
        return overflows ? .min : start
    }

    /// The first midnight of the month of a timestamp; the earliest timestamp of all where it cannot be told.
    @inlinable
    public static func startOfMonth(ofTimestamp microseconds: Int64) -> Int64 {
        timestamp(ofDay: startOfMonth(ofDay: day(ofTimestamp: microseconds))) ?? .min
    }

    // MARK: - Days

    /// The year of a day; year 0 is 1 BC.
    @inlinable
    public static func year(ofDay days: Int32) -> Int { CivilDate(daysSinceEpoch: days).year }

    /// The month of a day, 1...12.
    @inlinable
    public static func month(ofDay days: Int32) -> Int { CivilDate(daysSinceEpoch: days).month }

    /// The day of the month, 1...31.
    @inlinable
    public static func dayOfMonth(ofDay days: Int32) -> Int { CivilDate(daysSinceEpoch: days).day }

    /// The day of the week as ISO 8601 numbers it: Monday is 1, Sunday 7.
    @inlinable
    public static func weekday(ofDay days: Int32) -> Int {
        // 1970-01-01 was a Thursday; seven times 400 million makes the count positive.
        (Int(days) &+ 2_800_000_003) % 7 &+ 1
    }

    /// The first day of the month of a day; the earliest day of all where that first cannot be told.
    @inlinable
    public static func startOfMonth(ofDay days: Int32) -> Int32 {
        let (start, overflows) = days.subtractingReportingOverflow(
            Int32(truncatingIfNeeded: dayOfMonth(ofDay: days) &- 1))
        return overflows ? .min : start
    }

    // MARK: - Times

    /// The hour of a time of day, 0...23.
    @inlinable
    public static func hour(ofTime microseconds: Int64) -> Int { Int(microseconds / 3_600_000_000) }

    /// The minute of the hour of a time of day, 0...59.
    @inlinable
    public static func minute(ofTime microseconds: Int64) -> Int { Int(microseconds / 60_000_000 % 60) }

    /// The second of the minute of a time of day, 0...59.
    @inlinable
    public static func second(ofTime microseconds: Int64) -> Int { Int(microseconds / 1_000_000 % 60) }

    // MARK: - Text

    /// A day as `2026-11-21`; see `DateText`.
    public static func formatDate(_ days: Int32) -> String {
        string(capacity: DateText.capacity) { DateText.format(days, into: $0) }
    }

    /// A time of day as `10:00:00`; see `TimeText`.
    public static func formatTime(_ microseconds: Int64) -> String {
        string(capacity: TimeText.capacity) { TimeText.format(microseconds, into: $0) }
    }

    /// A timestamp as `2026-11-21T10:00:00`, with a `Z` for columns with a zone; see `TimestampText`.
    public static func formatTimestamp(_ microseconds: Int64, hasZone: Bool = false) -> String {
        string(capacity: TimestampText.capacity) { TimestampText.format(microseconds, hasZone: hasZone, into: $0) }
    }

    private static func string(capacity: Int, _ format: (UnsafeMutableRawPointer) -> Int) -> String {
        String(unsafeUninitializedCapacity: capacity) { buffer in
            buffer.baseAddress.map { format($0) } ?? 0
        }
    }
}
