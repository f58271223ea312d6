/// Powers of ten as plain lookups, without a lazily initialised table.
@usableFromInline
enum PowerOfTen {
    /// 10 to the power of `exponent`, 0...19. Any other exponent gives zero.
    @inlinable
    @inline(__always)
    static func word(_ exponent: Int) -> UInt64 {
        switch exponent {
        case 0: 1
        case 1: 10
        case 2: 100
        case 3: 1000
        case 4: 10_000
        case 5: 100_000
        case 6: 1_000_000
        case 7: 10_000_000
        case 8: 100_000_000
        case 9: 1_000_000_000
        case 10: 10_000_000_000
        case 11: 100_000_000_000
        case 12: 1_000_000_000_000
        case 13: 10_000_000_000_000
        case 14: 100_000_000_000_000
        case 15: 1_000_000_000_000_000
        case 16: 10_000_000_000_000_000
        case 17: 100_000_000_000_000_000
        case 18: 1_000_000_000_000_000_000
        case 19: 10_000_000_000_000_000_000
        default: 0
        }
    }

    /// 10 to the power of `exponent`, 0...38. Any other exponent gives zero.
    @inlinable
    static func wide(_ exponent: Int) -> UInt128 {
        if exponent <= 19 { return UInt128(truncatingIfNeeded: word(exponent)) }
        let (high, low) = word(19).multipliedFullWidth(by: word(exponent &- 19))
        return UInt128(truncatingIfNeeded: high) &<< 64 | UInt128(truncatingIfNeeded: low)
    }

    /// The number of decimal digits of a value; zero has one.
    @inlinable
    @inline(__always)
    static func digitCount(_ value: UInt64) -> Int {
        // 1233 / 4096 stands for log10(2): the estimate is the count or one too few.
        let estimate = ((64 &- (value | 1).leadingZeroBitCount) &* 1233) &>> 12
        return estimate &+ (value >= word(estimate) ? 1 : 0) &+ (value == 0 ? 1 : 0)
    }

    /// The number of decimal digits of a value; zero has one, the largest value 39.
    @inlinable
    static func digitCount(_ value: UInt128) -> Int {
        if value <= UInt128(truncatingIfNeeded: UInt64.max) {
            return digitCount(UInt64(truncatingIfNeeded: value))
        }
        let estimate = ((128 &- value.leadingZeroBitCount) &* 1233) &>> 12
        return estimate &+ (value >= wide(estimate) ? 1 : 0)
    }
}
