/// Integers as text, both ways, on raw bytes.
public enum IntegerText {
    /// The bytes that `format(_:into:)` may touch, whatever the value.
    public static let capacity = 24

    /// Reads an optional sign and decimal digits; the whole text must be the number.
    ///
    /// Leading zeros and a plus sign are accepted, spaces and grouping are not. `-0` is zero, for unsigned types too.
    /// - Parameters:
    ///   - base: the first byte; `count` bytes are read, none beyond them.
    ///   - type: any integer type of up to 64 bits.
    /// - Returns: the value, or `.empty`, `.malformed`, or `.outOfRange` for a number that the type cannot hold.
    @inlinable
    public static func parse<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ base: UnsafeRawPointer, count: Int, as type: Value.Type = Value.self
    ) -> Parsed<Value> {
        guard count > 0 else { return Parsed(0, .empty) }
        let first = base.load(as: UInt8.self)
        let signed = first == 0x2D || first == 0x2B
        let digits = count &- (signed ? 1 : 0)
        guard digits > 0 else { return Parsed(0, .malformed) }
        let (magnitude, problem) = magnitude(base + (signed ? 1 : 0), count: digits)
        guard problem == .none else { return Parsed(0, problem) }
        if first == 0x2D {
            let limit = UInt64(truncatingIfNeeded: Value.min.magnitude)
            guard magnitude <= limit else { return Parsed(0, .outOfRange) }
            return Parsed(Value(truncatingIfNeeded: 0 &- magnitude))
        }
        guard magnitude <= UInt64(truncatingIfNeeded: Value.max) else { return Parsed(0, .outOfRange) }
        return Parsed(Value(truncatingIfNeeded: magnitude))
    }

    /// Reads an integer from a span; see `parse(_:count:as:)`.
    @inlinable
    public static func parse<Value: FixedWidthInteger & BitwiseCopyable & Sendable>(
        _ text: Span<UInt8>, as type: Value.Type = Value.self
    ) -> Parsed<Value> {
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Parsed(0, .empty) }
            return parse(base, count: bytes.count, as: type)
        }
    }

    @inlinable
    @inline(__always)
    static func magnitude(_ base: UnsafeRawPointer, count: Int) -> (UInt64, ParseProblem) {
        if count <= 8 {
            let digits = (EightBytes.load(base, count: count) ^ EightBytes.zeros) &<< (UInt64(8 &- count) &* 8)
            guard !EightBytes.hasNonDigit(digits) else { return (0, .malformed) }
            return (EightBytes.number(digits), .none)
        }
        if count <= 16 {
            let head = (EightBytes.load(base) ^ EightBytes.zeros) &<< (UInt64(16 &- count) &* 8)
            let tail = EightBytes.load(base + (count &- 8)) ^ EightBytes.zeros
            guard !EightBytes.hasNonDigit(head), !EightBytes.hasNonDigit(tail) else { return (0, .malformed) }
            return (EightBytes.number(head) &* 100_000_000 &+ EightBytes.number(tail), .none)
        }
        return longMagnitude(base, count: count)
    }

    @usableFromInline
    @inline(never)
    static func longMagnitude(_ base: UnsafeRawPointer, count: Int) -> (UInt64, ParseProblem) {
        var value: UInt64 = 0
        var overflows = false
        for index in 0..<count {
            let digit = base.load(fromByteOffset: index, as: UInt8.self) &- 0x30
            guard digit <= 9 else { return (0, .malformed) }
            let (product, overflowsProduct) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsSum) = product.addingReportingOverflow(UInt64(digit))
            overflows = overflows || overflowsProduct || overflowsSum
            value = sum
        }
        return overflows ? (0, .outOfRange) : (value, .none)
    }

    /// Writes the shortest decimal text of a value of up to 64 bits.
    /// - Parameter destination: room for `capacity` bytes, all of which may be overwritten.
    /// - Returns: the number of bytes that are text, 1...20.
    @inlinable
    public static func format<Value: FixedWidthInteger>(_ value: Value, into destination: UnsafeMutableRawPointer)
        -> Int
    {
        guard value < 0 else {
            return format(magnitude: UInt64(truncatingIfNeeded: value), into: destination)
        }
        destination.storeBytes(of: 0x2D, as: UInt8.self)
        return 1 &+ format(magnitude: UInt64(truncatingIfNeeded: value.magnitude), into: destination + 1)
    }

    @inlinable
    @inline(__always)
    static func format(magnitude: UInt64, into destination: UnsafeMutableRawPointer) -> Int {
        if magnitude < 100_000_000 { return formatHead(magnitude, into: destination) }
        return formatLong(magnitude, into: destination)
    }

    /// Writes 1...8 digits without leading zeros.
    @inlinable
    @inline(__always)
    static func formatHead(_ number: UInt64, into destination: UnsafeMutableRawPointer) -> Int {
        let digits = EightBytes.digits(number)
        // The top byte holds the last digit; marking it keeps one digit of a zero.
        let blanks = (digits | (1 &<< 56)).trailingZeroBitCount & 0x38
        EightBytes.store((digits | EightBytes.zeros) &>> UInt64(truncatingIfNeeded: blanks), to: destination)
        return 8 &- (blanks &>> 3)
    }

    @usableFromInline
    @inline(never)
    static func formatLong(_ magnitude: UInt64, into destination: UnsafeMutableRawPointer) -> Int {
        let upper = magnitude / 100_000_000
        let tail = EightBytes.digits(magnitude &- upper &* 100_000_000) | EightBytes.zeros
        var length: Int
        if upper < 100_000_000 {
            length = formatHead(upper, into: destination)
        } else {
            let head = upper / 100_000_000
            length = formatHead(head, into: destination)
            EightBytes.store(
                EightBytes.digits(upper &- head &* 100_000_000) | EightBytes.zeros, to: destination + length)
            length &+= 8
        }
        EightBytes.store(tail, to: destination + length)
        return length &+ 8
    }
}
