/// The anatomy of a decimal number in text: sign, significant digits and where they lie, without rounding anything.
///
/// Powers count from the point: the units digit has power 0, the first fraction digit −1, the exponent included.
struct DecimalScan {
    /// Whether a minus sign leads, for zero too.
    let isNegative: Bool
    /// The digits between the first and the last non-zero digit, as a number. Undefined beyond 38 digits.
    let coefficient: UInt128
    /// The number of those digits; zero for a zero.
    let significantDigits: Int
    /// The power of the last non-zero digit.
    let lowestPower: Int
    /// The power of the last digit written, negated: the scale that keeps trailing zeros.
    let writtenScale: Int

    /// Exponents beyond this magnitude are taken as this: still out of range everywhere, and sums cannot overflow.
    static let exponentLimit = 1 << 40

    var isZero: Bool { significantDigits == 0 }

    /// The power of the first non-zero digit.
    var highestPower: Int { lowestPower &+ significantDigits &- 1 }

    /// Reads `[+-] digits [. digits] [(e|E) [+-] digits]` with at least one digit before the exponent; nil for
    /// anything else.
    init?(_ base: UnsafeRawPointer, count: Int) {
        var index = 0
        var sign: UInt8 = 0
        if count > 0 {
            sign = base.load(as: UInt8.self)
            if sign == 0x2D || sign == 0x2B { index = 1 }
        }
        var short: UInt64 = 0
        var long: UInt128 = 0
        var digits = 0
        var digitsBeforePoint = -1
        var significant = 0
        var lastNonZero = 0
        var pendingZeros = 0
        scanning: while index < count {
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            let digit = byte &- 0x30
            if digit <= 9 {
                if digit != 0 {
                    significant &+= pendingZeros &+ 1
                    if significant <= 19 {
                        short = short &* PowerOfTen.word(pendingZeros &+ 1) &+ UInt64(digit)
                    } else if significant <= 38 {
                        if long == 0 { long = UInt128(short) }
                        long = long &* PowerOfTen.wide(pendingZeros &+ 1) &+ UInt128(digit)
                    }
                    pendingZeros = 0
                    lastNonZero = digits
                } else if significant > 0 {
                    pendingZeros &+= 1
                }
                digits &+= 1
            } else if byte == 0x2E, digitsBeforePoint < 0 {
                digitsBeforePoint = digits
            } else if byte | 0x20 == 0x65 {
                break scanning
            } else {
                return nil
            }
            index &+= 1
        }
        guard digits > 0 else { return nil }
        var exponent = 0
        if index < count {
            guard let value = Self.exponent(base + (index &+ 1), count: count &- index &- 1) else { return nil }
            exponent = value
        }
        if digitsBeforePoint < 0 { digitsBeforePoint = digits }
        isNegative = sign == 0x2D
        coefficient = long == 0 ? UInt128(short) : long
        significantDigits = significant
        lowestPower = digitsBeforePoint &- 1 &- lastNonZero &+ exponent
        writtenScale = digits &- digitsBeforePoint &- exponent
    }

    private static func exponent(_ base: UnsafeRawPointer, count: Int) -> Int? {
        guard count > 0 else { return nil }
        let sign = base.load(as: UInt8.self)
        var index = sign == 0x2D || sign == 0x2B ? 1 : 0
        guard index < count else { return nil }
        var value = 0
        while index < count {
            let digit = base.load(fromByteOffset: index, as: UInt8.self) &- 0x30
            guard digit <= 9 else { return nil }
            value = min(value &* 10 &+ Int(digit), exponentLimit)
            index &+= 1
        }
        return sign == 0x2D ? 0 &- value : value
    }
}
