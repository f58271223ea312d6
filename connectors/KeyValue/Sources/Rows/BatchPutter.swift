import HeadraceCore

/// Puts items into any key-value store in batches, and what a store leaves undone again, ever more slowly.
///
/// A value type with one owner; holds at most one batch back, so that no key stands twice in one.
struct BatchPutter: Sendable {
    private let store: any KeyValueStore
    private let table: String
    private let key: KeySchema
    private let context: RunContext
    /// Tries of one batch without any progress before it is an error.
    private let patience = 10
    private var waiting: [(key: [[UInt8]], item: Item)] = []
    /// Items taken.
    private(set) var taken = 0
    /// Writes that a store left undone, each time.
    private(set) var retried = 0

    init(_ store: any KeyValueStore, table: String, key: KeySchema, in context: RunContext) {
        self.store = store
        self.table = table
        self.key = key
        self.context = context
    }

    /// Takes items in order; full batches are written before this returns.
    mutating func put(_ items: [Item]) async throws {
        for item in items {
            let (partition, sort) = try ItemRules.orderedKey(item, key)
            taken += 1
            // The later item of a key is the one that stays.
            if let index = waiting.firstIndex(where: { $0.key == [partition, sort] }) {
                waiting[index].item = item
            } else {
                waiting.append(([partition, sort], item))
            }
            if waiting.count == ItemRules.largestBatch { try await flush() }
        }
    }

    /// Writes what waits.
    mutating func flush() async throws {
        var left = waiting.map { KeyValueWrite.put($0.item) }
        var failures = 0
        while !left.isEmpty {
            try context.cancellation.check()
            var wait: Duration?
            do {
                let unprocessed = try await store.batchWrite(table, left)
                guard !unprocessed.isEmpty else { break }
                failures = unprocessed.count < left.count ? 1 : failures + 1
                retried += unprocessed.count
                left = unprocessed
            } catch let error as HeadraceError where error.retry != .never && failures < patience {
                failures += 1
                retried += left.count
                if case .after(let asked) = error.retry { wait = asked }
            }
            guard failures < patience else {
                throw HeadraceError(
                    .throttled, "\(store.name) refused \(left.count) items of the table \(table) again and again",
                    fields: [("tries", "\(failures)")], hint: "raise the table's capacity, or write more slowly",
                    retry: .mayHelp)
            }
            // Full jitter, from 50 ms doubled up to 10 s.
            let longest = min(10_000, 50 << min(failures - 1, 8))
            let own = Duration.milliseconds(longest) * context.random.fraction()
            let pause = wait ?? own
            let clock = context.clock
            try await context.cancellation.scope { try await clock.sleep(for: pause) }
        }
        waiting = []
    }
}
