import HeadraceCore
import Synchronization

/// What one operator holds of a run's memory budget, so that it can be given back as a whole on every path.
final class BudgetShare: Sendable {
    private let budget: MemoryBudget
    private let held = Atomic<Int>(0)
    /// An operator that holds less than this takes what it needs whatever others hold: below it, spilling would write
    /// files of a few rows each and free nothing.
    let floor: Int
    /// How many bytes of rows go to a file, come from it or leave an operator at a time.
    let chunkBytes: Int

    init(_ budget: MemoryBudget) {
        self.budget = budget
        floor = min(1 << 20, budget.limit / 16)
        chunkBytes = max(4 << 10, min(256 << 10, budget.limit / 64))
    }

    /// Bytes that the whole run may hold.
    var limit: Int { budget.limit }

    /// Bytes that the operator holds now.
    var heldBytes: Int { held.load(ordering: .relaxed) }

    /// Takes `bytes` when they fit or the operator is below its floor; false leaves all as it was.
    func reserve(_ bytes: Int) -> Bool {
        if !budget.reserve(bytes) {
            guard heldBytes &+ bytes <= floor else { return false }
            budget.force(bytes)
        }
        held.wrappingAdd(bytes, ordering: .relaxed)
        return true
    }

    /// Takes `bytes` whether they fit or not.
    func force(_ bytes: Int) {
        budget.force(bytes)
        held.wrappingAdd(bytes, ordering: .relaxed)
    }

    func release(_ bytes: Int) {
        budget.release(bytes)
        held.wrappingSubtract(bytes, ordering: .relaxed)
    }

    /// Gives back all that is held; for the end of an operator.
    func releaseAll() { budget.release(held.exchange(0, ordering: .relaxed)) }
}
