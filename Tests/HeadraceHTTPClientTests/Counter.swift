import Synchronization

/// A count that several threads share.
final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    func add(_ amount: Int) {
        count.add(amount, ordering: .sequentiallyConsistent)
    }
}
