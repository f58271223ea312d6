/// Walks over the text of dates and times part by part, where the short cuts do not apply.
///
/// A method answers nil if the syntax is wrong; a value that is well formed but does not exist comes with its problem,
/// so that the rest can be scanned before anything is judged.
struct TemporalScanner {
    typealias Fraction = (value: Int64, problem: ParseProblem)
    typealias Zone = (offset: Int64, isNamed: Bool, problem: ParseProblem)

    private let base: UnsafeRawPointer
    private let count: Int
    private var index = 0

    init(_ base: UnsafeRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    var isAtEnd: Bool { index == count }

    /// A date as days since 1970-01-01.
    mutating func date() -> (value: Int, problem: ParseProblem)? {
        let sign = peek()
        let isSigned = sign == 0x2D || sign == 0x2B
        if isSigned { index += 1 }
        guard let (digits, magnitude) = number(upTo: 7), digits >= 4, isSigned || digits == 4, take(0x2D),
            let month = pair(), take(0x2D), let day = pair()
        else { return nil }
        let year = sign == 0x2D ? -magnitude : magnitude
        guard isSigned || year >= 1 else { return (0, .invalidDate) }
        guard DateText.isDay(year, month, day) else { return (0, .invalidDate) }
        guard CivilDate.years.contains(year) else { return (0, .outOfRange) }
        return (CivilDate.daysSinceEpoch(year: year, month: month, day: day), .none)
    }

    /// The `T`, `t` or space between date and time.
    mutating func separator() -> Bool {
        guard let byte = peek(), byte | 0x20 == 0x74 || byte == 0x20 else { return false }
        index += 1
        return true
    }

    /// Hours, minutes and perhaps seconds, without a fraction.
    mutating func time() -> (seconds: Int64, hasSeconds: Bool, problem: ParseProblem)? {
        guard let hour = pair(), take(0x3A), let minute = pair() else { return nil }
        var second = 0
        var hasSeconds = false
        if take(0x3A) {
            guard let value = pair() else { return nil }
            second = value
            hasSeconds = true
        }
        guard hour <= 23, minute <= 59, second <= 60 else { return (0, hasSeconds, .invalidTime) }
        guard second < 60 else { return (0, hasSeconds, .leapSecond) }
        return (Int64(hour * 3600 + minute * 60 + second), hasSeconds, .none)
    }

    /// A point or comma and one to nine digits as microseconds; zero where there is none.
    mutating func fraction(afterSeconds hasSeconds: Bool) -> Fraction? {
        guard hasSeconds, take(0x2E) || take(0x2C) else { return (0, .none) }
        guard let (digits, value) = number(upTo: 9) else { return nil }
        let nanoseconds = value * Int(truncatingIfNeeded: PowerOfTen.word(9 - digits))
        return (Int64(nanoseconds / 1000), nanoseconds % 1000 == 0 ? .none : .subMicrosecond)
    }

    /// The offset of the zone in seconds, east positive; no zone at all is not a mistake.
    mutating func zone() -> Zone? {
        guard let byte = peek() else { return (0, false, .none) }
        if byte | 0x20 == 0x7A {
            index += 1
            return (0, true, .none)
        }
        guard byte == 0x2B || byte == 0x2D else { return nil }
        index += 1
        guard let hour = pair() else { return nil }
        var minute = 0
        if !isAtEnd {
            _ = take(0x3A)
            guard let value = pair() else { return nil }
            minute = value
        }
        guard hour <= 23, minute <= 59 else { return (0, true, .invalidTime) }
        let offset = Int64(hour * 3600 + minute * 60)
        return (byte == 0x2D ? -offset : offset, true, .none)
    }

    private func peek() -> UInt8? {
        index < count ? base.load(fromByteOffset: index, as: UInt8.self) : nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        index += 1
        return true
    }

    /// Exactly two digits.
    private mutating func pair() -> Int? {
        guard let (digits, value) = number(upTo: 2), digits == 2 else { return nil }
        return value
    }

    /// One to `limit` digits; more are left unread.
    private mutating func number(upTo limit: Int) -> (digits: Int, value: Int)? {
        var value = 0
        let start = index
        while index - start < limit, let byte = peek(), byte >= 0x30, byte <= 0x39 {
            value = value * 10 + Int(byte - 0x30)
            index += 1
        }
        return index > start ? (index - start, value) : nil
    }
}
