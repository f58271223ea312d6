import HeadraceColumnar

/// The sum of floating-point numbers without any rounding on the way, so that their order does not count.
///
/// A fixed-point number that spans all exponents of `Double`, in words of 32 bits kept in 64, which leaves room for some
/// hundred million additions before carries must move. After Neal, "Fast exact summation using small and large
/// superaccumulators" (2015).
struct ExactFloatSum {
    /// Words of one sum.
    static let words = 68
    /// The exponent of the lowest bit of word 0.
    private static let lowest = -1088

    /// Bits that say which special values have been added.
    struct Specials: OptionSet {
        let rawValue: UInt8
        static let nan = Specials(rawValue: 1)
        static let positiveInfinity = Specials(rawValue: 2)
        static let negativeInfinity = Specials(rawValue: 4)
    }

    /// The words; the owner's memory, zero at first.
    let base: UnsafeMutablePointer<Int64>

    /// Adds a finite number.
    @inline(__always) func add(_ value: Double) {
        let bits = value.bitPattern
        let exponent = Int((bits &>> 52) & 0x7ff)
        let fraction = bits & 0xf_ffff_ffff_ffff
        let significand = exponent == 0 ? fraction : fraction | 1 &<< 52
        let place = max(exponent, 1) &- 1075 &- Self.lowest
        let word = place &>> 5
        let wide = UInt128(significand) &<< UInt128(place & 31)
        let parts = (
            Int64(truncatingIfNeeded: wide & 0xffff_ffff), Int64(truncatingIfNeeded: (wide &>> 32) & 0xffff_ffff),
            Int64(truncatingIfNeeded: wide &>> 64)
        )
        if bits &>> 63 == 0 {
            base[word] &+= parts.0
            base[word &+ 1] &+= parts.1
            base[word &+ 2] &+= parts.2
        } else {
            base[word] &-= parts.0
            base[word &+ 1] &-= parts.1
            base[word &+ 2] &-= parts.2
        }
    }

    /// Adds words that start at word `first`.
    func add(_ words: UnsafePointer<Int64>, first: Int, count: Int) {
        for index in 0..<count { base[first + index] &+= words[index] }
    }

    /// Moves carries up: all words but the last get 0..<2^32, the last the sign.
    func normalize() {
        var carry: Int64 = 0
        for word in 0..<Self.words &- 1 {
            let value = base[word] &+ carry
            carry = value >> 32
            base[word] = value & 0xffff_ffff
        }
        base[Self.words &- 1] &+= carry
    }

    /// The words that are not zero, after `normalize`.
    var used: Range<Int> {
        var first = 0
        var end = Self.words
        while first < end && base[first] == 0 { first += 1 }
        while end > first && base[end - 1] == 0 { end -= 1 }
        return first..<end
    }

    /// The nearest `Double`, ties to even; the words are changed.
    func rounded() -> Double {
        normalize()
        let isNegative = base[Self.words &- 1] < 0
        if isNegative {
            for word in 0..<Self.words { base[word] = 0 &- base[word] }
            normalize()
        }
        let used = used
        guard !used.isEmpty else { return 0 }
        let top = used.upperBound - 1
        func word(_ index: Int) -> UInt128 { index < 0 ? 0 : UInt128(truncatingIfNeeded: base[index]) }
        let leading = word(top) &<< 64 | word(top - 1) &<< 32 | word(top - 2)
        // The exponent of the lowest bit of `leading`, and the lowest exponent that the result can have.
        let low = Self.lowest + 32 * (top - 2)
        let high = low + 127 - leading.leadingZeroBitCount
        let unit = max(high - 52, -1074)
        let dropped = unit - low
        var significand = leading
        if dropped > 0 {
            significand = leading &>> UInt128(dropped)
            let rest = leading & ((1 &<< UInt128(dropped)) - 1)
            let half = UInt128(1) &<< UInt128(dropped - 1)
            let hasTail = used.lowerBound < top - 2
            if rest > half || (rest == half && (hasTail || significand & 1 == 1)) { significand += 1 }
        }
        let magnitude = Double(
            sign: .plus, exponent: dropped > 0 ? unit : low,
            significand: Double(UInt64(truncatingIfNeeded: significand)))
        return isNegative ? -magnitude : magnitude
    }
}
