/// A decimal as the server's `numeric`: digits to the base 10000 around the point, without zeros at either end.
struct PostgreSQLNumericDigits {
    /// How many digits to the base 10000 go over the wire.
    let count: Int
    /// The power of 10000 of the first digit.
    private let weight: Int
    private let isNegative: Bool
    private let scale: Int
    private let magnitude: UInt128
    /// The number at a scale that is a multiple of four, without the zeros at its end; nil for wide numbers.
    private let word: UInt64?

    /// The number `coefficient` with `scale` (0 … 38) decimal places.
    @inline(__always)
    init(_ coefficient: Int128, scale: Int) {
        self.scale = scale
        isNegative = coefficient < 0
        magnitude = coefficient.magnitude
        let places = (scale &+ 3) &>> 2
        guard magnitude < 1 &<< 53 else {
            word = nil
            (weight, count) = Self.bounds(magnitude, scale)
            return
        }
        let padding = places &* 4 &- scale
        var word =
            UInt64(truncatingIfNeeded: magnitude) &* (padding == 0 ? 1 : padding == 1 ? 10 : padding == 2 ? 100 : 1000)
        var trailing = 0
        while word != 0 {
            let (quotient, rest) = word.quotientAndRemainder(dividingBy: 10_000)
            guard rest == 0 else { break }
            word = quotient
            trailing &+= 1
        }
        var digits = 0
        var rest = word
        while rest != 0 {
            rest /= 10_000
            digits &+= 1
        }
        self.word = word
        count = digits
        weight = digits &+ trailing &- places &- 1
    }

    /// The digit at a power of 10000.
    private static func digit(_ magnitude: UInt128, _ scale: Int, at power: Int) -> UInt64 {
        let place = scale + 4 * power
        if place > 38 { return 0 }
        if place >= 0 { return UInt64(truncatingIfNeeded: magnitude / DecimalLimit.power(place) % 10_000) }
        guard place > -4 else { return 0 }
        return UInt64(truncatingIfNeeded: magnitude % DecimalLimit.power(4 + place) * DecimalLimit.power(-place))
    }

    @inline(never)
    private static func bounds(_ magnitude: UInt128, _ scale: Int) -> (weight: Int, count: Int) {
        var (high, low) = (10, -((scale + 3) / 4))
        while high > low, digit(magnitude, scale, at: high) == 0 { high -= 1 }
        while low < high, digit(magnitude, scale, at: low) == 0 { low += 1 }
        return (high, high - low + 1)
    }

    /// Writes header and digits.
    /// - Returns: the bytes written.
    @inline(__always)
    func write(to out: UnsafeMutableRawPointer) -> Int {
        let sign = isNegative ? PostgreSQLNumericHeader.negative : PostgreSQLNumericHeader.positive
        let head =
            UInt64(truncatingIfNeeded: count) &<< 48
            | UInt64(UInt16(truncatingIfNeeded: count == 0 ? 0 : weight)) &<< 32
            | UInt64(sign) &<< 16 | UInt64(truncatingIfNeeded: scale)
        out.storeBytes(of: head.bigEndian, as: UInt64.self)
        guard var rest = word else {
            for place in 0..<count {
                let digit = Self.digit(magnitude, scale, at: weight - place)
                out.storeBytes(
                    of: UInt16(truncatingIfNeeded: digit).bigEndian, toByteOffset: 8 + 2 * place, as: UInt16.self)
            }
            return 8 &+ 2 &* count
        }
        var place = count &- 1
        while place >= 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10_000)
            out.storeBytes(
                of: UInt16(truncatingIfNeeded: digit).bigEndian, toByteOffset: 8 &+ 2 &* place, as: UInt16.self)
            rest = quotient
            place &-= 1
        }
        return 8 &+ 2 &* count
    }
}
