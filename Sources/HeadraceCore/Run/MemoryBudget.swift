import Synchronization

/// Bytes that the stateful operators of a run share; what does not fit is spilled.
public final class MemoryBudget: Sendable {
    /// The bytes beyond which `reserve(_:)` refuses; `force(_:)` may go beyond.
    public let limit: Int
    private let used = Atomic<Int>(0)
    private let peak = Atomic<Int>(0)

    /// A budget of so many bytes, none of them taken.
    public init(limit: Int) { self.limit = limit }

    /// Takes `bytes` when they fit; false leaves the budget as it was and the caller spills.
    public func reserve(_ bytes: Int) -> Bool {
        let now = used.wrappingAdd(bytes, ordering: .relaxed).newValue
        if now > limit {
            used.wrappingSubtract(bytes, ordering: .relaxed)
            return false
        }
        note(now)
        return true
    }

    /// Takes `bytes` whether they fit or not; for what cannot be smaller.
    public func force(_ bytes: Int) { note(used.wrappingAdd(bytes, ordering: .relaxed).newValue) }

    /// Gives back bytes that were reserved or forced before.
    public func release(_ bytes: Int) { used.wrappingSubtract(bytes, ordering: .relaxed) }

    /// Bytes taken now; for a moment it includes a reservation that is about to be refused.
    public var usedBytes: Int { used.load(ordering: .relaxed) }
    /// The most bytes ever taken at one time, forced ones included.
    public var peakBytes: Int { peak.load(ordering: .relaxed) }

    private func note(_ now: Int) {
        var seen = peak.load(ordering: .relaxed)
        while now > seen {
            let (exchanged, original) = peak.weakCompareExchange(expected: seen, desired: now, ordering: .relaxed)
            if exchanged { return }
            seen = original
        }
    }
}
