import HeadraceColumnar

/// Intervals and times with a zone as text, as the server prints them with `intervalstyle = iso_8601`.
enum PostgreSQLTemporalText {
    /// The most bytes that a text takes.
    static let capacity = 128

    /// Writes an interval as `P1Y2M3DT4H5M6.7S`; nil for bytes that are none.
    static func interval(_ bytes: UnsafeRawBufferPointer, _ out: UnsafeMutableRawPointer) -> Int? {
        guard bytes.count == 16, let start = bytes.baseAddress else { return nil }
        let time = Int64(bigEndian: start.loadUnaligned(as: Int64.self))
        let days = Int32(bigEndian: (start + 8).loadUnaligned(as: Int32.self))
        let months = Int32(bigEndian: (start + 12).loadUnaligned(as: Int32.self))
        var writer = Writer(out)
        // From version 17 on an interval may be infinite: all three numbers at their ends.
        if time == .max, days == .max, months == .max { return writer.word("infinity") }
        if time == .min, days == .min, months == .min { return writer.word("-infinity") }
        if time == 0, days == 0, months == 0 { return writer.word("PT0S") }
        writer.byte("P")
        writer.part(Int64(months / 12), "Y")
        writer.part(Int64(months % 12), "M")
        writer.part(Int64(days), "D")
        if time != 0 {
            writer.byte("T")
            writer.part(time / 3_600_000_000, "H")
            writer.part(time / 60_000_000 % 60, "M")
            let (seconds, fraction) = (time / 1_000_000 % 60, time % 1_000_000)
            if seconds != 0 || fraction != 0 {
                if time < 0 { writer.byte("-") }
                writer.number(seconds.magnitude)
                writer.fraction(fraction.magnitude)
                writer.byte("S")
            }
        }
        return writer.length
    }

    /// Writes a time with zone as `10:00:00.5+02`; nil for bytes that are none.
    static func timeWithZone(_ bytes: UnsafeRawBufferPointer, _ out: UnsafeMutableRawPointer) -> Int? {
        guard bytes.count == 12, let start = bytes.baseAddress else { return nil }
        let time = Int64(bigEndian: start.loadUnaligned(as: Int64.self))
        // The server counts zones in seconds west of Greenwich.
        let west = Int32(bigEndian: (start + 8).loadUnaligned(as: Int32.self))
        guard time >= 0, time <= 86_400_000_000 else { return nil }
        var writer = Writer(out)
        writer.two(time / 3_600_000_000)
        writer.byte(":")
        writer.two(time / 60_000_000 % 60)
        writer.byte(":")
        writer.two(time / 1_000_000 % 60)
        writer.fraction((time % 1_000_000).magnitude)
        writer.byte(west > 0 ? "-" : "+")
        let zone = Int64(west.magnitude)
        writer.two(zone / 3600)
        if zone % 3600 != 0 {
            writer.byte(":")
            writer.two(zone / 60 % 60)
        }
        if zone % 60 != 0 {
            writer.byte(":")
            writer.two(zone % 60)
        }
        return writer.length
    }

    private struct Writer {
        private let out: UnsafeMutableRawPointer
        private(set) var length = 0

        init(_ out: UnsafeMutableRawPointer) { self.out = out }

        mutating func byte(_ character: Unicode.Scalar) {
            out.storeBytes(of: UInt8(truncatingIfNeeded: character.value), toByteOffset: length, as: UInt8.self)
            length += 1
        }

        mutating func word(_ text: StaticString) -> Int {
            out.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
            length = text.utf8CodeUnitCount
            return length
        }

        mutating func number(_ value: some FixedWidthInteger) {
            length += IntegerText.format(value, into: out + length)
        }

        mutating func part(_ value: Int64, _ unit: Unicode.Scalar) {
            guard value != 0 else { return }
            number(value)
            byte(unit)
        }

        mutating func two(_ value: Int64) {
            if value < 10 { byte("0") }
            number(value)
        }

        /// Microseconds as up to six places without zeros at the end.
        mutating func fraction(_ microseconds: UInt64) {
            guard microseconds != 0 else { return }
            byte(".")
            var (rest, power) = (microseconds, 100_000 as UInt64)
            while rest != 0 {
                number(rest / power)
                rest %= power
                power /= 10
            }
        }
    }
}
