/// What a parser made of the text of a timestamp.
@frozen
public struct ParsedTimestamp: Sendable, Equatable, BitwiseCopyable {
    /// Microseconds since 1970-01-01T00:00:00: in UTC if a zone was written, else as the clock on the wall shows.
    public var microseconds: Int64
    /// `.none`, or why there is no timestamp.
    public var problem: ParseProblem
    /// Whether the text names a zone. A column with a zone should not take a text without one unasked, nor the
    /// other way round: the instant it means is not known.
    public var hasZone: Bool

    /// Joins the parts; a parser passes zero and false beside any problem other than `.none`.
    @inlinable
    public init(_ microseconds: Int64, _ problem: ParseProblem = .none, hasZone: Bool = false) {
        self.microseconds = microseconds
        self.problem = problem
        self.hasZone = hasZone
    }

    /// Whether the text was a timestamp.
    @inlinable public var isValid: Bool { problem == .none }
}

/// Timestamps as ISO 8601 text, both ways, on raw bytes.
///
/// The text is a date as in `DateText`, then `T`, `t` or a space, then a time as in `TimeText`, then a zone or nothing:
/// `Z`, `z`, `±hh`, `±hhmm` or `±hh:mm`, up to 23:59.
public enum TimestampText {
    /// The bytes that `format(_:hasZone:separator:into:)` may touch, whatever the value.
    public static let capacity = 48

    /// Reads a timestamp; the whole text must be the timestamp.
    /// - Parameter base: the first byte; `count` bytes are read, none beyond them.
    /// - Returns: the timestamp and whether a zone was named, or `.empty`, `.malformed`, `.invalidDate`,
    ///   `.invalidTime`, `.leapSecond`, `.subMicrosecond`; `.outOfRange` beyond some 292,000 years from 1970.
    @inlinable
    public static func parse(_ base: UnsafeRawPointer, count: Int) -> ParsedTimestamp {
        if count >= 19 {
            // "YYYY-MM-", "DDTHH:MM" without its T, and ":SS" become digits with zeros between them.
            let first = EightBytes.load(base) ^ 0x2D30_302D_3030_3030
            let middle = EightBytes.load(base + 8)
            let second = (middle & 0xFFFF_FFFF_FF00_FFFF) ^ 0x3030_3A30_3000_3030
            let last = UInt64(UInt32(littleEndian: (base + 15).loadUnaligned(as: UInt32.self)) &>> 8) ^ 0x30_303A
            let wrong =
                ((first &+ 0x7F76_767F_7676_7676) | first) | ((second &+ 0x7676_7F76_767F_7676) | second)
                | ((last &+ 0x76_767F) | last)
            let separator = (middle &>> 16) & 0xFF
            let isSeparated = separator | 0x20 == 0x74 || separator == 0x20
            if wrong & EightBytes.highBits == 0, isSeparated {
                let date = first &* 10 &+ (first &>> 8)
                let time = second &* 10 &+ (second &>> 8)
                let year = Int(truncatingIfNeeded: (date & 0xFF) &* 100 &+ ((date &>> 16) & 0xFF))
                let month = Int(truncatingIfNeeded: (date &>> 40) & 0xFF)
                let day = Int(truncatingIfNeeded: time & 0xFF)
                let hour = Int(truncatingIfNeeded: (time &>> 24) & 0xFF)
                let minute = Int(truncatingIfNeeded: (time &>> 48) & 0xFF)
                let seconds = Int(truncatingIfNeeded: ((last &>> 8) &* 10 &+ (last &>> 16)) & 0xFF)
                if year >= 1, DateText.isDay(year, month, day), hour <= 23, minute <= 59, seconds <= 59 {
                    let days = CivilDate.daysSinceEpoch(year: year, month: month, day: day)
                    let total = days &* 86_400 &+ hour &* 3600 &+ minute &* 60 &+ seconds
                    if count == 19 { return ParsedTimestamp(Int64(total) &* 1_000_000) }
                    if count == 20, base.load(fromByteOffset: 19, as: UInt8.self) == 0x5A {
                        return ParsedTimestamp(Int64(total) &* 1_000_000, hasZone: true)
                    }
                    return parseRest(base, count: count, seconds: Int64(total))
                }
            }
        }
        return parseSlowly(base, count: count)
    }

    /// Reads a timestamp from a span; see `parse(_:count:)`.
    @inlinable
    public static func parse(_ text: Span<UInt8>) -> ParsedTimestamp {
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return ParsedTimestamp(0, .empty) }
            return parse(base, count: bytes.count)
        }
    }

    /// Continues behind the seconds, which are known to be right.
    @usableFromInline
    @inline(never)
    static func parseRest(_ base: UnsafeRawPointer, count: Int, seconds: Int64) -> ParsedTimestamp {
        var scanner = TemporalScanner(base + 19, count: count &- 19)
        guard let fraction = scanner.fraction(afterSeconds: true), let zone = scanner.zone(), scanner.isAtEnd else {
            return ParsedTimestamp(0, .malformed)
        }
        return join(seconds, fraction, zone)
    }

    @usableFromInline
    @inline(never)
    static func parseSlowly(_ base: UnsafeRawPointer, count: Int) -> ParsedTimestamp {
        guard count > 0 else { return ParsedTimestamp(0, .empty) }
        var scanner = TemporalScanner(base, count: count)
        guard let date = scanner.date(), scanner.separator(), let time = scanner.time(),
            let fraction = scanner.fraction(afterSeconds: time.hasSeconds), let zone = scanner.zone(),
            scanner.isAtEnd
        else { return ParsedTimestamp(0, .malformed) }
        if date.problem != .none { return ParsedTimestamp(0, date.problem) }
        if time.problem != .none { return ParsedTimestamp(0, time.problem) }
        return join(Int64(date.value) * 86_400 + time.seconds, fraction, zone)
    }

    private static func join(
        _ local: Int64, _ fraction: TemporalScanner.Fraction, _ zone: TemporalScanner.Zone
    ) -> ParsedTimestamp {
        if zone.problem != .none { return ParsedTimestamp(0, zone.problem) }
        if fraction.problem != .none { return ParsedTimestamp(0, fraction.problem) }
        let seconds = local - zone.offset
        // Before 1970 the fraction counts towards zero, so the limit is met from inside.
        let (whole, overflows) = (seconds < 0 ? seconds + 1 : seconds).multipliedReportingOverflow(by: 1_000_000)
        let (total, exceeds) = whole.addingReportingOverflow(seconds < 0 ? fraction.value - 1_000_000 : fraction.value)
        guard !overflows, !exceeds else { return ParsedTimestamp(0, .outOfRange) }
        return ParsedTimestamp(total, hasZone: zone.isNamed)
    }

    /// Writes a timestamp as `YYYY-MM-DDTHH:MM:SS`, with three or six fraction digits if they are not all zero. The highest
    /// and lowest number, which stand for the infinities of databases that have them, are `infinity` and `-infinity`.
    /// - Parameters:
    ///   - hasZone: appends a `Z`.
    ///   - separator: the byte between date and time, `T` unless told.
    ///   - destination: room for `capacity` bytes, all of which may be overwritten.
    /// - Returns: the number of bytes that are text, 19...27 for the years 1...9999.
    @inlinable
    public static func format(
        _ microseconds: Int64, hasZone: Bool, separator: UInt8 = 0x54, into destination: UnsafeMutableRawPointer
    ) -> Int {
        if microseconds == .max || microseconds == .min {
            return DateText.formatInfinity(microseconds == .max, into: destination)
        }
        let day = Temporal.day(ofTimestamp: microseconds)
        let time = microseconds &- Int64(day) &* 86_400_000_000
        var length = DateText.format(day, into: destination)
        destination.storeBytes(of: separator, toByteOffset: length, as: UInt8.self)
        length &+= 1
        length &+= TimeText.format(time, into: destination + length)
        destination.storeBytes(of: 0x5A, toByteOffset: length, as: UInt8.self)
        return length &+ (hasZone ? 1 : 0)
    }
}
