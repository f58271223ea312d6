import Synchronization

/// The run's random numbers (SplitMix64): the same seed gives the same run.
public final class RunRandom: Sendable {
    private let state: Mutex<UInt64>

    /// Numbers that depend on the seed and on the order of the calls, nothing else.
    public init(seed: UInt64) { state = Mutex(seed) }

    /// 64 random bits.
    public func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9e37_79b9_7f4a_7c15
            var bits = state
            bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
            bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
            return bits ^ (bits >> 31)
        }
    }

    /// A number from 0 up to but not including `bound`.
    public func below(_ bound: UInt64) -> UInt64 { bound == 0 ? 0 : next().multipliedFullWidth(by: bound).high }

    /// A fraction from 0 up to but not including 1.
    public func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A name no other part of this run has: `prefix-` and 16 hex digits.
    public func temporaryName(_ prefix: String) -> String {
        let digits = String(next(), radix: 16)
        return "\(prefix)-\(String(repeating: "0", count: 16 - digits.count))\(digits)"
    }
}
