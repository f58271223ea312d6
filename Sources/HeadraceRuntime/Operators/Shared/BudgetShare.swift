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
    ///
    /// What a worker takes whether it fits or not is counted in chunks. The most of it at a time: joining a part of four
    /// chunks, which is not parted further, takes four for the rows read, as many for them as one block, and while that is
    /// sorted and made a table as many twice over, twelve at once; merging runs takes an eighth of the budget, which is
    /// eight, and four for rows between the merge and the file; sorting a run of a sixteenth, eight. A quarter of the budget,
    /// sixteen chunks, leaves the rest for the batch in hand. This holds for budgets up to 16 MiB; above, a chunk does
    /// not grow, and only merging and sorting take more than a few chunks.
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

    /// Gives `old` bytes back and takes `new` in their place, whether they fit or not.
    func exchange(_ old: Int, for new: Int) {
        if new > old { force(new - old) } else { release(old - new) }
    }

    /// Gives back all that is held; for the end of an operator.
    func releaseAll() { budget.release(held.exchange(0, ordering: .relaxed)) }
}
