/// Days as ISO 8601 text, both ways, on raw bytes.
///
/// The text is `YYYY-MM-DD` for the years 1 to 9999. Other years have a sign and four to seven digits, `-0044-03-15`
/// and `+12345-01-01`; the year `0000` without a sign, which databases without strict modes are full of, names no day.
public enum DateText {
    /// The bytes that `format(_:into:)` may touch, whatever the value.
    public static let capacity = 24

    /// Reads a date as days since 1970-01-01; the whole text must be the date.
    /// - Parameter base: the first byte; `count` bytes are read, none beyond them.
    /// - Returns: the day, or `.empty`, `.malformed`, or `.invalidDate`; `.outOfRange` for years no count reaches.
    @inlinable
    public static func parse(_ base: UnsafeRawPointer, count: Int) -> Parsed<Int32> {
        if count == 10 {
            // "YYYY-MM-" and "YY-MM-DD", of which only the last two characters are new.
            let head = EightBytes.load(base) ^ 0x2D30_302D_3030_3030
            let tail = (EightBytes.load(base + 2) ^ EightBytes.zeros) &>> 48
            let wrong = ((head &+ 0x7F76_767F_7676_7676) | head) | ((tail &+ 0x7676) | tail)
            if wrong & EightBytes.highBits == 0 {
                let pairs = head &* 10 &+ (head &>> 8)
                let year = Int(truncatingIfNeeded: (pairs & 0xFF) &* 100 &+ ((pairs &>> 16) & 0xFF))
                let month = Int(truncatingIfNeeded: (pairs &>> 40) & 0xFF)
                let day = Int(truncatingIfNeeded: (tail &* 10 &+ (tail &>> 8)) & 0xFF)
                guard year >= 1, isDay(year, month, day) else { return Parsed(0, .invalidDate) }
                let days = CivilDate.daysSinceEpoch(year: year, month: month, day: day)
                return Parsed(Int32(truncatingIfNeeded: days))
            }
        }
        return parseSlowly(base, count: count)
    }

    /// Reads a date from a span; see `parse(_:count:)`.
    @inlinable
    public static func parse(_ text: Span<UInt8>) -> Parsed<Int32> {
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Parsed(0, .empty) }
            return parse(base, count: bytes.count)
        }
    }

    @inlinable
    @inline(__always)
    static func isDay(_ year: Int, _ month: Int, _ day: Int) -> Bool {
        month >= 1 && month <= 12 && day >= 1 && day <= CivilDate.days(inMonth: month, ofYear: year)
    }

    @usableFromInline
    @inline(never)
    static func parseSlowly(_ base: UnsafeRawPointer, count: Int) -> Parsed<Int32> {
        guard count > 0 else { return Parsed(0, .empty) }
        var scanner = TemporalScanner(base, count: count)
        guard let date = scanner.date(), scanner.isAtEnd else { return Parsed(0, .malformed) }
        return date.problem == .none ? Parsed(Int32(truncatingIfNeeded: date.value)) : Parsed(0, date.problem)
    }

    /// Writes a day as `YYYY-MM-DD`, with a sign before years outside 1...9999. The highest and lowest number, which
    /// stand for the infinities of databases that have them, are `infinity` and `-infinity`.
    /// - Parameter destination: room for `capacity` bytes, all of which may be overwritten.
    /// - Returns: the number of bytes that are text, 10 for the years 1...9999.
    @inlinable
    public static func format(_ days: Int32, into destination: UnsafeMutableRawPointer) -> Int {
        let date = CivilDate(daysSinceEpoch: days)
        guard date.year >= 1, date.year <= 9999 else {
            return formatSigned(date, days, into: destination)
        }
        let century = UInt64(truncatingIfNeeded: date.year) / 100
        let pairs =
            century | ((UInt64(truncatingIfNeeded: date.year) &- century &* 100) &<< 16)
            | (UInt64(truncatingIfNeeded: date.month) &<< 32) | (UInt64(truncatingIfNeeded: date.day) &<< 48)
        let digits = twoDigits(pairs) | EightBytes.zeros
        // The digits are "YYYYMMDD"; the hyphens go in between, so the end is written first.
        let day = (digits &>> 40) & ~0xFF | 0x2D
        EightBytes.store(day, to: destination + 7)
        EightBytes.store(
            (digits & 0xFFFF_FFFF) | 0x2D_0000_0000 | ((digits &<< 8) & 0x00FF_FF00_0000_0000) | (0x2D &<< 56),
            to: destination)
        return 10
    }

    /// Two digits 0...9 for each of four numbers below 100 in 16-bit lanes.
    @inlinable
    @inline(__always)
    static func twoDigits(_ pairs: UInt64) -> UInt64 {
        let tens = ((pairs &* 103) &>> 10) & 0x000F_000F_000F_000F
        return tens | ((pairs &- tens &* 10) &<< 8)
    }

    @usableFromInline
    @inline(never)
    static func formatSigned(_ date: CivilDate, _ days: Int32, into destination: UnsafeMutableRawPointer) -> Int {
        if days == .max || days == .min { return formatInfinity(days == .max, into: destination) }
        destination.storeBytes(of: date.year < 0 ? 0x2D : 0x2B, as: UInt8.self)
        let digits = date.year.magnitude
        var length = 1
        for place in [1000, 100, 10] as [UInt] where digits < place {
            destination.storeBytes(of: 0x30, toByteOffset: length, as: UInt8.self)
            length &+= 1
        }
        length &+= IntegerText.format(digits, into: destination + length)
        for part in [date.month, date.day] {
            destination.storeBytes(of: 0x2D, toByteOffset: length, as: UInt8.self)
            let digits = UInt16(truncatingIfNeeded: twoDigits(UInt64(truncatingIfNeeded: part)) | EightBytes.zeros)
            (destination + length + 1).storeBytes(of: digits.littleEndian, as: UInt16.self)
            length &+= 3
        }
        return length
    }

    /// Writes `infinity` or `-infinity`.
    @usableFromInline
    @inline(never)
    static func formatInfinity(_ isPositive: Bool, into destination: UnsafeMutableRawPointer) -> Int {
        let word: StaticString = isPositive ? "infinity" : "-infinity"
        destination.copyMemory(from: word.utf8Start, byteCount: word.utf8CodeUnitCount)
        return word.utf8CodeUnitCount
    }
}
