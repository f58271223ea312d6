extension DecimalText {
    /// The bytes that formatting a coefficient at `scale` may touch, whatever the value.
    @inlinable
    public static func capacity(scale: Int) -> Int { 64 + abs(scale) }

    /// Writes a coefficient with exactly `scale` fraction digits and at least one digit before the point: `-0.05`.
    ///
    /// A negative scale appends zeros. There is no point without a fraction.
    /// - Parameter destination: room for `capacity(scale:)` bytes, all of which may be overwritten.
    /// - Returns: the number of bytes that are text.
    @inlinable
    public static func format(_ coefficient: Int64, scale: Int, into destination: UnsafeMutableRawPointer) -> Int {
        guard scale > 0 else {
            return scale == 0
                ? IntegerText.format(coefficient, into: destination)
                : formatSlowly(Int128(coefficient), scale: scale, into: destination)
        }
        guard scale <= 16 else { return formatSlowly(Int128(coefficient), scale: scale, into: destination) }
        destination.storeBytes(of: 0x2D, as: UInt8.self)
        var length = coefficient < 0 ? 1 : 0
        let (whole, fraction) = coefficient.magnitude.quotientAndRemainder(dividingBy: PowerOfTen.word(scale))
        length &+= IntegerText.format(magnitude: whole, into: destination + length)
        destination.storeBytes(of: 0x2E, toByteOffset: length, as: UInt8.self)
        length &+= 1
        if scale <= 8 {
            storeLast(scale, digitsOf: fraction, to: destination + length)
        } else {
            let head = fraction / 100_000_000
            storeLast(scale &- 8, digitsOf: head, to: destination + length)
            storeLast(8, digitsOf: fraction &- head &* 100_000_000, to: destination + (length &+ scale &- 8))
        }
        return length &+ scale
    }

    /// Writes the last `count` (1...8) of the eight digits of a number, and up to seven bytes beyond them.
    @inlinable
    @inline(__always)
    static func storeLast(_ count: Int, digitsOf number: UInt64, to destination: UnsafeMutableRawPointer) {
        let digits = EightBytes.digits(number) | EightBytes.zeros
        EightBytes.store(digits &>> (UInt64(truncatingIfNeeded: 8 &- count) &* 8), to: destination)
    }

    /// Writes a coefficient of up to 39 digits; see `format(_:scale:into:)` for 64 bits.
    @inlinable
    public static func format(_ coefficient: Int128, scale: Int, into destination: UnsafeMutableRawPointer) -> Int {
        if let short = Int64(exactly: coefficient) { return format(short, scale: scale, into: destination) }
        return formatSlowly(coefficient, scale: scale, into: destination)
    }

    @usableFromInline
    @inline(never)
    static func formatSlowly(_ coefficient: Int128, scale: Int, into destination: UnsafeMutableRawPointer) -> Int {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { scratch in
            guard let digits = scratch.baseAddress else { return 0 }
            let count = formatDigits(coefficient.magnitude, into: digits)
            var length = 0
            func write(_ byte: UInt8) {
                destination.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
                length &+= 1
            }
            func write(from start: Int, upTo end: Int) {
                (destination + length).copyMemory(from: digits + start, byteCount: end - start)
                length &+= end - start
            }
            if coefficient < 0 { write(0x2D) }
            let whole = count - max(scale, 0)
            if whole > 0 { write(from: 0, upTo: whole) } else { write(0x30) }
            if scale > 0 {
                write(0x2E)
                for _ in 0..<max(-whole, 0) { write(0x30) }
                write(from: max(whole, 0), upTo: count)
            } else if coefficient != 0 {
                for _ in 0..<(-scale) { write(0x30) }
            }
            return length
        }
    }

    private static func formatDigits(_ magnitude: UInt128, into destination: UnsafeMutableRawPointer) -> Int {
        if magnitude <= UInt128(UInt64.max) {
            return IntegerText.format(UInt64(truncatingIfNeeded: magnitude), into: destination)
        }
        let (upper, lower) = magnitude.quotientAndRemainder(dividingBy: PowerOfTen.wide(16))
        let length = formatDigits(upper, into: destination)
        let (head, tail) = UInt64(truncatingIfNeeded: lower).quotientAndRemainder(dividingBy: 100_000_000)
        EightBytes.store(EightBytes.digits(head) | EightBytes.zeros, to: destination + length)
        EightBytes.store(EightBytes.digits(tail) | EightBytes.zeros, to: destination + length + 8)
        return length + 16
    }
}
