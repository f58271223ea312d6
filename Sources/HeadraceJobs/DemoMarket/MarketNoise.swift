/// Numbers that look random and are a pure function of a seed and up to four coordinates.
///
/// The market has no other source of variety, so that any day can be computed by itself, in any order, on any machine.
struct MarketNoise: Sendable {
    /// What a number is drawn for; the same coordinates give unrelated numbers for two purposes.
    enum Purpose: UInt64 {
        case listed = 1
        case offers, currency, spread, seller, condition, spelling, time, order
        case absence, step, defectCount, defectPlace, defectValue, escape
    }

    let seed: UInt64

    /// Sixty-four evenly spread bits.
    func bits(_ purpose: Purpose, _ a: Int, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0) -> UInt64 {
        var state = Self.mixed(seed ^ (purpose.rawValue &* 0xD6E8_FEB8_6659_FD93))
        for coordinate in [a, b, c, d] {
            state = Self.mixed(state ^ UInt64(bitPattern: Int64(coordinate)))
        }
        return state
    }

    /// A number from 0 up to, not including, a bound above zero.
    func number(below bound: Int, _ purpose: Purpose, _ a: Int, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0) -> Int {
        Int(bits(purpose, a, b, c, d) >> 33) % bound
    }

    /// The finalizer of SplitMix64, after the addition of its constant.
    static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
