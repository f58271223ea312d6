/// Binary floating point numbers as text, both ways, on raw bytes.
public enum DoubleText {
    /// The bytes that `format(_:into:)` may touch, whatever the value.
    public static let capacity = 40

    /// Reads a decimal number, correctly rounded to the nearest `Double`, ties to even.
    ///
    /// Accepted are an optional sign, digits with at most one point and at least one digit, and an optional exponent.
    /// Hexadecimal, grouping and spaces are not. A magnitude below the smallest subnormal rounds to zero.
    /// - Parameters:
    ///   - base: the first byte; `count` bytes are read, none beyond them.
    ///   - allowsNonFinite: also accepts `nan`, `inf` and `infinity` in any case, with an optional sign.
    /// - Returns: the value, or `.empty`, `.malformed`, or `.outOfRange` for a finite number beyond the largest.
    public static func parse(
        _ base: UnsafeRawPointer, count: Int, allowsNonFinite: Bool = false
    ) -> Parsed<Double> {
        guard count > 0 else { return Parsed(0, .empty) }
        guard let scan = DecimalScan(base, count: count) else {
            return allowsNonFinite ? nonFinite(base, count: count) : Parsed(0, .malformed)
        }
        if scan.isZero { return Parsed(scan.isNegative ? -0.0 : 0.0) }
        // Both the digits and the power of ten are exact doubles: one rounding, hence the correct one (Clinger).
        if scan.significantDigits <= 15, scan.lowestPower >= -22, scan.lowestPower <= 22 {
            let digits = Double(UInt64(truncatingIfNeeded: scan.coefficient))
            let magnitude =
                scan.lowestPower < 0 ? digits / power(0 &- scan.lowestPower) : digits * power(scan.lowestPower)
            return Parsed(scan.isNegative ? -magnitude : magnitude)
        }
        if scan.significantDigits <= 19, scan.lowestPower >= -19, scan.lowestPower < 0 {
            let digits = UInt64(truncatingIfNeeded: scan.coefficient)
            let magnitude = quotient(of: digits, by: PowerOfTen.word(0 &- scan.lowestPower))
            return Parsed(scan.isNegative ? -magnitude : magnitude)
        }
        return parseSlowly(base, count: count)
    }

    /// Reads a number from a span; see `parse(_:count:allowsNonFinite:)`.
    public static func parse(_ text: Span<UInt8>, allowsNonFinite: Bool = false) -> Parsed<Double> {
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Parsed(0, .empty) }
            return parse(base, count: bytes.count, allowsNonFinite: allowsNonFinite)
        }
    }

    /// The correctly rounded quotient of two integers that are not zero, the divisor being 10 or more.
    ///
    /// The integer quotient gets at least 55 bits, two more than a double holds, and a remainder sets the last one:
    /// the conversion then rounds as it would round the exact quotient.
    private static func quotient(of dividend: UInt64, by divisor: UInt64) -> Double {
        let shift = max(0, 55 &+ dividend.leadingZeroBitCount &- divisor.leadingZeroBitCount)
        let wide = UInt128(truncatingIfNeeded: dividend) &<< UInt128(truncatingIfNeeded: shift)
        let (quotient, remainder) = divisor.dividingFullWidth(
            (UInt64(truncatingIfNeeded: wide &>> 64), UInt64(truncatingIfNeeded: wide)))
        return Double(quotient | (remainder == 0 ? 0 : 1)) * Double(sign: .plus, exponent: 0 &- shift, significand: 1)
    }

    /// An exact power of ten, 0...22.
    private static func power(_ exponent: Int) -> Double {
        exponent <= 19 ? Double(PowerOfTen.word(exponent)) : 1e19 * Double(PowerOfTen.word(exponent &- 19))
    }

    /// The syntax is known to be right; the standard library rounds correctly and knows no locale.
    private static func parseSlowly(_ base: UnsafeRawPointer, count: Int) -> Parsed<Double> {
        let text = String(decoding: UnsafeRawBufferPointer(start: base, count: count), as: UTF8.self)
        guard let value = Double(text) else { return Parsed(0, .malformed) }
        return value.isFinite ? Parsed(value) : Parsed(0, .outOfRange)
    }

    private static func nonFinite(_ base: UnsafeRawPointer, count: Int) -> Parsed<Double> {
        let first = base.load(as: UInt8.self)
        let signed = first == 0x2D || first == 0x2B
        let word = UnsafeRawBufferPointer(start: base, count: count).dropFirst(signed ? 1 : 0)
        let sign = first == 0x2D ? -1.0 : 1.0
        func spells(_ name: StaticString) -> Bool {
            word.count == name.utf8CodeUnitCount
                && zip(word, UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
                    .allSatisfy { $0 | 0x20 == $1 }
        }
        if spells("nan") { return Parsed(.nan) }
        if spells("inf") || spells("infinity") { return Parsed(sign * .infinity) }
        return Parsed(0, .malformed)
    }

    /// Writes the shortest text that reads back as the same value.
    ///
    /// The text of a finite number is legal JSON and always has a point or an exponent, so it is never taken for an
    /// integer: `0.1`, `100.0`, `-0.0`, `5e-324`, `1e+16`. Other values give `NaN`, `Infinity` and `-Infinity`, which
    /// `parse` reads back when told to and which JSON does not know: a JSON writer tests `isFinite` first.
    /// - Parameter destination: room for `capacity` bytes, all of which may be overwritten.
    /// - Returns: the number of bytes that are text.
    public static func format(_ value: Double, into destination: UnsafeMutableRawPointer) -> Int {
        if let length = formatShortFraction(value, into: destination) { return length }
        var text =
            if value.isFinite {
                value.description
            } else if value.isNaN {
                "NaN"
            } else {
                value < 0 ? "-Infinity" : "Infinity"
            }
        return text.withUTF8 { bytes in
            UnsafeMutableRawBufferPointer(start: destination, count: capacity).copyMemory(
                from: UnsafeRawBufferPointer(bytes))
            return bytes.count
        }
    }

    /// Integers and numbers of up to six fraction digits, fifteen digits in all.
    ///
    /// Fifteen digits name a double uniquely, so a decimal that short which divides back to the value is the
    /// shortest one.
    private static func formatShortFraction(_ value: Double, into destination: UnsafeMutableRawPointer) -> Int? {
        let magnitude = value.magnitude
        guard magnitude < 1e9, magnitude >= 1e-3 || magnitude == 0 else { return nil }
        var fraction = 1
        var power = 10.0
        while (magnitude * power).rounded() / power != magnitude {
            fraction &+= 1
            power *= 10
            if fraction > 6 { return nil }
        }
        let digits = UInt64((magnitude * power).rounded())
        let divisor = PowerOfTen.word(fraction)
        let whole = digits / divisor
        var length = 0
        if value.sign == .minus {
            destination.storeBytes(of: 0x2D, as: UInt8.self)
            length = 1
        }
        length &+= IntegerText.format(magnitude: whole, into: destination + length)
        destination.storeBytes(of: 0x2E, toByteOffset: length, as: UInt8.self)
        let tail = EightBytes.digits(digits &- whole &* divisor) | EightBytes.zeros
        EightBytes.store(tail &>> (UInt64(8 &- fraction) &* 8), to: destination + length + 1)
        return length &+ 1 &+ fraction
    }
}
