extension JSONWriter {
    /// Writes an integer.
    package mutating func integer(_ value: Int64) {
        separate()
        if value < 0 { buffer.append(0x2D) }
        appendDigits(value.magnitude)
    }

    /// Writes an integer.
    package mutating func integer(_ value: UInt64) {
        separate()
        appendDigits(value)
    }

    /// Writes an integer.
    package mutating func integer(_ value: Int128) {
        separate()
        if value < 0 { buffer.append(0x2D) }
        appendDigits(value.magnitude)
    }

    /// Writes `unscaled` × 10^-`scale` exactly and with all `scale` digits after the point: 1250 at scale 2 is
    /// `12.50`. A negative scale appends zeros.
    package mutating func decimal(unscaled: Int64, scale: Int) {
        separate()
        if unscaled < 0 { buffer.append(0x2D) }
        let start = buffer.count
        appendDigits(unscaled.magnitude)
        placePoint(digitsFrom: start, isZero: unscaled == 0, scale: scale)
    }

    /// Writes `unscaled` × 10^-`scale` exactly; see ``decimal(unscaled:scale:)-(Int64,_)``.
    package mutating func decimal(unscaled: Int128, scale: Int) {
        separate()
        if unscaled < 0 { buffer.append(0x2D) }
        let start = buffer.count
        appendDigits(unscaled.magnitude)
        placePoint(digitsFrom: start, isZero: unscaled == 0, scale: scale)
    }

    /// Writes the shortest text that reads back as the same value; see ``nonFinite`` for the rest.
    package mutating func double(_ value: Double) {
        separate()
        guard value.isFinite else {
            return appendNonFinite(isNaN: value.isNaN, isNegative: value < 0)
        }
        buffer.append(value.description)
    }

    /// Writes the shortest text that reads back as the same value in single precision; see ``nonFinite`` for the
    /// rest.
    package mutating func float(_ value: Float) {
        separate()
        guard value.isFinite else {
            return appendNonFinite(isNaN: value.isNaN, isNegative: value < 0)
        }
        buffer.append(value.description)
    }

    /// Writes a number kept as text.
    package mutating func number(_ value: JSONNumber) {
        separate()
        buffer.append(value.text)
    }

    private mutating func appendNonFinite(isNaN: Bool, isNegative: Bool) {
        if nonFinite == .null { return buffer.append("null" as StaticString) }
        if nonFinite == .string { buffer.append(0x22) }
        if isNegative { buffer.append(0x2D) }
        buffer.append(isNaN ? "NaN" : "Infinity" as StaticString)
        if nonFinite == .string { buffer.append(0x22) }
    }

    /// Appends decimal digits, two at a time, into room measured first.
    @inline(__always)
    private mutating func appendDigits(_ value: UInt64) {
        buffer.reserve(20)
        let length = Self.digitCount(value)
        Self.storeDigits(value, endingAt: buffer.end + length)
        buffer.advance(length)
    }

    private mutating func appendDigits(_ value: UInt128) {
        let unit: UInt128 = 10_000_000_000_000_000_000
        guard value >= unit else { return appendDigits(UInt64(truncatingIfNeeded: value)) }
        let (high, low) = value.quotientAndRemainder(dividingBy: unit)
        appendDigits(high)
        appendPadded(UInt64(truncatingIfNeeded: low))
    }

    /// Appends exactly 19 digits.
    private mutating func appendPadded(_ value: UInt64) {
        buffer.reserve(19)
        let length = Self.digitCount(value)
        for k in 0..<19 &- length { buffer.end.storeBytes(of: 0x30, toByteOffset: k, as: UInt8.self) }
        Self.storeDigits(value, endingAt: buffer.end + 19)
        buffer.advance(19)
    }

    private static func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10_000 {
            rest /= 10_000
            count &+= 4
        }
        return count &+ (rest >= 1000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
    }

    @inline(__always)
    private static func storeDigits(_ value: UInt64, endingAt end: UnsafeMutableRawPointer) {
        let pairs: StaticString = """
            0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
            5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
            """
        let table = UnsafeRawPointer(pairs.utf8Start)
        var rest = value
        var end = end
        while rest >= 100 {
            let pair = Int(truncatingIfNeeded: rest % 100)
            rest /= 100
            end -= 2
            end.storeBytes(of: table.loadUnaligned(fromByteOffset: pair &* 2, as: UInt16.self), as: UInt16.self)
        }
        if rest >= 10 {
            end -= 2
            end.storeBytes(
                of: table.loadUnaligned(fromByteOffset: Int(rest) &* 2, as: UInt16.self), as: UInt16.self)
        } else {
            (end - 1).storeBytes(of: UInt8(truncatingIfNeeded: rest) &+ 0x30, as: UInt8.self)
        }
    }

    /// Puts a decimal point into the digits at the end of the buffer, with zeros before or after them as needed.
    private mutating func placePoint(digitsFrom start: Int, isZero: Bool, scale: Int) {
        if scale <= 0 {
            if !isZero { for _ in 0..<(0 &- scale) { buffer.append(0x30) } }
            return
        }
        let digits = buffer.count &- start
        // At least one digit stands before the point.
        let zeros = max(scale &+ 1 &- digits, 0)
        buffer.reserve(zeros &+ 1)
        let first = buffer.end - digits
        let whole = digits &+ zeros &- scale
        if zeros > 0 {
            for k in stride(from: digits - 1, through: 0, by: -1) {
                first.storeBytes(
                    of: first.load(fromByteOffset: k, as: UInt8.self), toByteOffset: k &+ zeros, as: UInt8.self)
            }
            for k in 0..<zeros { first.storeBytes(of: 0x30, toByteOffset: k, as: UInt8.self) }
        }
        for k in stride(from: digits + zeros - 1, through: whole, by: -1) {
            first.storeBytes(
                of: first.load(fromByteOffset: k, as: UInt8.self), toByteOffset: k &+ 1, as: UInt8.self)
        }
        first.storeBytes(of: 0x2E, toByteOffset: whole, as: UInt8.self)
        buffer.advance(zeros &+ 1)
    }
}
