/// Decimals as text, both ways, on raw bytes and bare coefficients.
///
/// The text is an optional sign, digits with at most one point and at least one digit, and an optional exponent:
/// `12`, `-0.50`, `.5`, `5.`, `1.25e2`. Spaces, grouping, infinities and NaN are malformed. Nothing is ever rounded:
/// zeros below the scale are dropped, any other digit there is `.tooManyFractionDigits`.
public enum DecimalText {
    /// Reads the coefficient of a decimal of `precision` (1...18) and `scale` (0...18).
    /// - Parameter base: the first byte; `count` bytes are read, none beyond them.
    /// - Returns: the coefficient at `scale`, or `.empty`, `.malformed`, `.outOfRange` for more integer digits than
    ///   `precision - scale`, or `.tooManyFractionDigits`. A text that is both gives `.outOfRange`.
    @inlinable
    public static func parse64(
        _ base: UnsafeRawPointer, count: Int, precision: Int, scale: Int
    ) -> Parsed<Int64> {
        if count > 0 {
            let first = base.load(as: UInt8.self)
            let signed = first == 0x2D || first == 0x2B
            let fast = shortMagnitude(base + (signed ? 1 : 0), count: count &- (signed ? 1 : 0), scale: scale)
            if fast >= 0, fast < DecimalMath.powerOfTen(precision) {
                return Parsed(first == 0x2D ? 0 &- fast : fast)
            }
        }
        let slow = parseSlowly(base, count: count, precision: precision, scale: scale)
        return Parsed(Int64(truncatingIfNeeded: slow.value), slow.problem)
    }

    /// Reads the coefficient of a decimal of `precision` (1...38) and `scale` (0...38); see
    /// `parse64(_:count:precision:scale:)`.
    @inlinable
    public static func parse128(
        _ base: UnsafeRawPointer, count: Int, precision: Int, scale: Int
    ) -> Parsed<Int128> {
        if count > 0 {
            let first = base.load(as: UInt8.self)
            let signed = first == 0x2D || first == 0x2B
            let fast = shortMagnitude(base + (signed ? 1 : 0), count: count &- (signed ? 1 : 0), scale: scale)
            if fast >= 0, precision > 18 || fast < DecimalMath.powerOfTen(precision) {
                return Parsed(Int128(first == 0x2D ? 0 &- fast : fast))
            }
        }
        return parseSlowly(base, count: count, precision: precision, scale: scale)
    }

    /// Reads a coefficient of up to 18 digits from a span; see `parse64(_:count:precision:scale:)`.
    @inlinable
    public static func parse64(_ text: Span<UInt8>, precision: Int, scale: Int) -> Parsed<Int64> {
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Parsed(0, .empty) }
            return parse64(base, count: bytes.count, precision: precision, scale: scale)
        }
    }

    /// Reads a coefficient of up to 38 digits from a span; see `parse64(_:count:precision:scale:)`.
    @inlinable
    public static func parse128(_ text: Span<UInt8>, precision: Int, scale: Int) -> Parsed<Int128> {
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return Parsed(0, .empty) }
            return parse128(base, count: bytes.count, precision: precision, scale: scale)
        }
    }

    /// Reads 1...16 characters of digits and at most one point; negative if that is not all there is to it.
    @inlinable
    @inline(__always)
    static func shortMagnitude(_ base: UnsafeRawPointer, count: Int, scale: Int) -> Int64 {
        let point: UInt64 = 0x2E2E_2E2E_2E2E_2E2E
        var number: UInt64
        var fraction = 0
        if count <= 8 {
            guard count > 0 else { return -1 }
            var word = EightBytes.load(base, count: count)
            var digits = count
            let points = EightBytes.matches(word, point)
            if points != 0 {
                let shift = UInt64(truncatingIfNeeded: points.trailingZeroBitCount & 0x38)
                let before = (1 &<< shift) &- 1
                word = (word & before) | ((word &>> 8) & ~before)
                digits &-= 1
                fraction = digits &- Int(truncatingIfNeeded: shift &>> 3)
                guard digits > 0 else { return -1 }
            }
            word = (word ^ EightBytes.zeros) &<< (UInt64(truncatingIfNeeded: 8 &- digits) &* 8)
            guard !EightBytes.hasNonDigit(word) else { return -1 }
            number = EightBytes.number(word)
        } else {
            guard count <= 16 else { return -1 }
            let first = EightBytes.load(base)
            let last = EightBytes.load(base + (count &- 8))
            let overlap = UInt128(truncatingIfNeeded: count &- 8) &* 8
            var word = UInt128(truncatingIfNeeded: first) | (UInt128(truncatingIfNeeded: last) &<< overlap)
            var digits = count
            let points = EightBytes.matches(first, point)
            let lastPoints = EightBytes.matches(last, point)
            if points | lastPoints != 0 {
                let position =
                    points != 0
                    ? points.trailingZeroBitCount &>> 3
                    : (lastPoints.trailingZeroBitCount &>> 3) &+ count &- 8
                let before = (UInt128(1) &<< UInt128(truncatingIfNeeded: position &* 8)) &- 1
                word = (word & before) | ((word &>> 8) & ~before)
                digits &-= 1
                fraction = digits &- position
            }
            word = word &<< (UInt128(truncatingIfNeeded: 16 &- digits) &* 8)
            // The bytes that the shift left blank count as digits 0 once the others are.
            let blank = (UInt128(1) &<< (UInt128(truncatingIfNeeded: 16 &- digits) &* 8)) &- 1
            let head = UInt64(truncatingIfNeeded: word | (blank & zeros)) ^ EightBytes.zeros
            let tail = UInt64(truncatingIfNeeded: word &>> 64) ^ EightBytes.zeros
            guard !EightBytes.hasNonDigit(head), !EightBytes.hasNonDigit(tail) else { return -1 }
            number = EightBytes.number(head) &* 100_000_000 &+ EightBytes.number(tail)
        }
        if fraction == scale { return Int64(truncatingIfNeeded: number) }
        guard fraction < scale, scale &- fraction <= 18 else { return -1 }
        let (grown, overflows) = number.multipliedReportingOverflow(by: PowerOfTen.word(scale &- fraction))
        return overflows ? -1 : Int64(exactly: grown) ?? -1
    }

    @inlinable static var zeros: UInt128 { 0x3030_3030_3030_3030_3030_3030_3030_3030 }

    /// Judges by the places of the first and last significant digit, so that no text is too long to be judged.
    @usableFromInline
    @inline(never)
    static func parseSlowly(_ base: UnsafeRawPointer, count: Int, precision: Int, scale: Int) -> Parsed<Int128> {
        guard count > 0 else { return Parsed(0, .empty) }
        guard let scan = DecimalScan(base, count: count) else { return Parsed(0, .malformed) }
        if scan.isZero { return Parsed(0) }
        guard scan.highestPower < precision - scale else { return Parsed(0, .outOfRange) }
        guard scan.lowestPower >= -scale else { return Parsed(0, .tooManyFractionDigits) }
        let magnitude = Int128(truncatingIfNeeded: scan.coefficient &* PowerOfTen.wide(scan.lowestPower + scale))
        return Parsed(scan.isNegative ? -magnitude : magnitude)
    }
}
