import HeadraceColumnar
import HeadraceCore
import Synchronization

/// What every operator with state has: its share of the memory, its spill file, and its own count of rows.
final class OperatorState: Sendable {
    let step: String
    let context: RunContext
    let budget: BudgetShare
    let spill: SpillFile
    let counts = RowCounts()

    init(step: String, context: RunContext) {
        self.step = step
        self.context = context
        budget = BudgetShare(context.memory)
        spill = SpillFile(step: step, context: context)
    }

    /// Gives back all memory and lets go of the file.
    func discard() {
        spill.discard()
        budget.releaseAll()
    }
}

/// An operator's own count of its rows; many workers add to it.
final class RowCounts: Sendable {
    private let input = Atomic<Int>(0)
    private let added = Atomic<Int>(0)
    private let filtered = Atomic<Int>(0)
    private let merged = Atomic<Int>(0)
    private let rejected = Atomic<Int>(0)

    var account: BreakerAccount {
        BreakerAccount(
            input: input.load(ordering: .relaxed), added: added.load(ordering: .relaxed),
            filtered: filtered.load(ordering: .relaxed), merged: merged.load(ordering: .relaxed),
            rejected: rejected.load(ordering: .relaxed))
    }

    func add(input: Int = 0, added: Int = 0, filtered: Int = 0, merged: Int = 0, rejected: Int = 0) {
        if input != 0 { self.input.wrappingAdd(input, ordering: .relaxed) }
        if added != 0 { self.added.wrappingAdd(added, ordering: .relaxed) }
        if filtered != 0 { self.filtered.wrappingAdd(filtered, ordering: .relaxed) }
        if merged != 0 { self.merged.wrappingAdd(merged, ordering: .relaxed) }
        if rejected != 0 { self.rejected.wrappingAdd(rejected, ordering: .relaxed) }
    }
}

extension BreakerAccount {
    static func + (left: BreakerAccount, right: BreakerAccount) -> BreakerAccount {
        BreakerAccount(
            input: left.input + right.input, added: left.added + right.added, filtered: left.filtered + right.filtered,
            merged: left.merged + right.merged, rejected: left.rejected + right.rejected)
    }
}
