/// Times of day as ISO 8601 text, both ways, on raw bytes.
///
/// The text is `HH:MM`, `HH:MM:SS` or `HH:MM:SS.f` with one to nine fraction digits after a point or a comma. Hour 24
/// and second 60 are refused.
public enum TimeText {
    /// The bytes that `format(_:into:)` may touch, whatever the value.
    public static let capacity = 40

    /// Reads a time of day as microseconds since midnight; the whole text must be the time.
    /// - Parameter base: the first byte; `count` bytes are read, none beyond them.
    /// - Returns: the time, or `.empty`, `.malformed`, `.invalidTime`, `.leapSecond` or `.subMicrosecond`.
    public static func parse(_ base: UnsafeRawPointer, count: Int) -> Parsed<Int64> {
        guard count > 0 else { return Parsed(0, .empty) }
        var scanner = TemporalScanner(base, count: count)
        guard let time = scanner.time(), let fraction = scanner.fraction(afterSeconds: time.hasSeconds), scanner.isAtEnd
        else { return Parsed(0, .malformed) }
        let problem = time.problem == .none ? fraction.problem : time.problem
        return problem == .none ? Parsed(time.seconds * 1_000_000 + fraction.value) : Parsed(0, problem)
    }

    /// Reads a time of day from a span; see `parse(_:count:)`.
    public static func parse(_ text: Span<UInt8>) -> Parsed<Int64> {
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Parsed(0, .empty) }
            return parse(base, count: bytes.count)
        }
    }

    /// Writes a time of day as `HH:MM:SS`, with three or six fraction digits if they are not all zero.
    ///
    /// A value outside a day, which no valid column holds, is written with the hours it has, or with a minus sign.
    /// - Parameter destination: room for `capacity` bytes, all of which may be overwritten.
    /// - Returns: the number of bytes that are text, 8, 12 or 15.
    @inlinable
    public static func format(_ microseconds: Int64, into destination: UnsafeMutableRawPointer) -> Int {
        guard microseconds >= 0, microseconds < 86_400_000_000 else {
            return formatOdd(microseconds, into: destination)
        }
        let seconds = UInt64(truncatingIfNeeded: microseconds) / 1_000_000
        let minutes = seconds / 60
        let hours = minutes / 60
        let pairs = hours | ((minutes &- hours &* 60) &<< 16) | ((seconds &- minutes &* 60) &<< 32)
        let digits = DateText.twoDigits(pairs) | EightBytes.zeros
        EightBytes.store(
            (digits & 0xFFFF) | 0x3A_0000 | ((digits &<< 8) & 0xFF_FF00_0000) | (0x3A &<< 40)
                | ((digits &<< 16) & 0xFFFF_0000_0000_0000), to: destination)
        let fraction = UInt64(truncatingIfNeeded: microseconds) &- seconds &* 1_000_000
        return fraction == 0 ? 8 : 8 &+ formatFraction(fraction, into: destination + 8)
    }

    @usableFromInline
    @inline(never)
    static func formatFraction(_ microseconds: UInt64, into destination: UnsafeMutableRawPointer) -> Int {
        destination.storeBytes(of: 0x2E, as: UInt8.self)
        DecimalText.storeLast(6, digitsOf: microseconds, to: destination + 1)
        return microseconds % 1000 == 0 ? 4 : 7
    }

    @usableFromInline
    @inline(never)
    static func formatOdd(_ microseconds: Int64, into destination: UnsafeMutableRawPointer) -> Int {
        var length = 0
        if microseconds < 0 {
            destination.storeBytes(of: 0x2D, as: UInt8.self)
            length = 1
        }
        let (hours, rest) = microseconds.magnitude.quotientAndRemainder(dividingBy: 3_600_000_000)
        var scratch: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
        return withUnsafeMutableBytes(of: &scratch) { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            let tail = format(Int64(rest), into: base) - 2
            if hours < 10 {
                destination.storeBytes(of: 0x30, toByteOffset: length, as: UInt8.self)
                length += 1
            }
            length += IntegerText.format(hours, into: destination + length)
            (destination + length).copyMemory(from: base + 2, byteCount: tail)
            return length + tail
        }
    }
}
