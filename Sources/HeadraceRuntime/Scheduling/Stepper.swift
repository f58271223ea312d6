import HeadraceCore

/// Lets one worker at a time go on and picks the next by a seed, so that an interleaving can be repeated.
///
/// Workers are real threads; all but one wait here. A worker passes the baton at every `pass`, and whenever it would
/// wait for another.
///
/// - Invariant (`@unchecked Sendable`): stored properties are touched under `condition` only.
final class Stepper: @unchecked Sendable {
    private let condition = Condition()
    private let random: RunRandom
    private var expected: Int
    private var waiting: Set<Int> = []
    private var holder: Int?

    init(seed: UInt64, workers: Int) {
        random = RunRandom(seed: seed)
        expected = workers
    }

    func begin(_ worker: Int) {
        condition.lock()
        waiting.insert(worker)
        // No one starts before all are there, else the order of thread creation would show.
        if waiting.count == expected { pick() }
        hold(worker)
        condition.unlock()
    }

    /// Hands the baton to a worker picked by the seed, perhaps the same.
    func pass(_ worker: Int) {
        condition.lock()
        waiting.insert(worker)
        pick()
        hold(worker)
        condition.unlock()
    }

    func end(_ worker: Int) {
        condition.lock()
        expected -= 1
        pick()
        condition.unlock()
    }

    private func pick() {
        let candidates = waiting.sorted()
        holder = candidates.isEmpty ? nil : candidates[Int(random.below(UInt64(candidates.count)))]
        condition.broadcast()
    }

    private func hold(_ worker: Int) {
        while holder != worker { condition.wait() }
        waiting.remove(worker)
    }
}
