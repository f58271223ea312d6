import Synchronization

/// Takes what several threads read side by side and hands it on, item by item, in the order of arrival.
///
/// What waits to be handed on is bounded in bytes; a thread that would pass the bound waits, and its server or file
/// with it.
///
/// - Invariant (`@unchecked Sendable`): stored properties that change are touched under `condition` only.
package final class PartFeed<Item: Sendable>: @unchecked Sendable {
    private let condition = Condition()
    private let limit: Int
    private var queue: [(item: Item, bytes: Int)] = []
    private var waiting = 0
    private var running = 0
    private var failure: (any Error)?
    private var isClosed = false

    /// An empty feed of which at most `limit` bytes wait, or one item that is larger.
    package init(limit: Int = PartLimits.waitingBytes) { self.limit = limit }

    /// Starts to read a part on a thread of its own.
    ///
    /// The thread runs `body`, which puts items until `put` says that nobody wants more.
    package func start(_ body: @escaping @Sendable (PartFeed) throws -> Void) {
        condition.withLock { running += 1 }
        EngineThread.start {
            var problem: (any Error)?
            do { try body(self) } catch { problem = error }
            self.condition.lock()
            if self.failure == nil { self.failure = problem }
            self.running -= 1
            self.condition.broadcast()
            self.condition.unlock()
        }
    }

    /// Adds an item of so many bytes when there is room; waits for it otherwise.
    /// - Returns: false when the feed is closed or has failed.
    package func put(_ item: Item, bytes: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while waiting > 0, waiting + bytes > limit, !isClosed, failure == nil { condition.wait() }
        guard !isClosed, failure == nil else { return false }
        queue.append((item, bytes))
        waiting += bytes
        condition.broadcast()
        return true
    }

    /// The next item, nil when all threads have ended.
    /// - Throws: what ended a thread early.
    package func take() throws -> Item? {
        condition.lock()
        defer { condition.unlock() }
        while queue.isEmpty, failure == nil, running > 0 { condition.wait() }
        if let failure { throw failure }
        guard !queue.isEmpty else { return nil }
        let next = queue.removeFirst()
        waiting -= next.bytes
        condition.broadcast()
        return next.item
    }

    /// Wants no more, and waits until every thread has let go of what it holds.
    package func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        while running > 0 { condition.wait() }
        queue = []
        condition.unlock()
    }
}

/// What readers of databases hold at most.
package enum PartLimits {
    /// A chunk is closed at this size; a row is never split.
    package static let chunkBytes = 512 << 10
    /// A chunk is closed after so many rows.
    package static let chunkRows = 8192
    /// What may wait in all.
    package static let waitingBytes = 2 << 20
    /// Where parts begin to count rows, so that ordinals do not depend on which part is faster.
    package static let ordinalStride = 1_000_000_000_000
}

/// Numbers from 0 up, each given out once.
package final class PartTicket: Sendable {
    private let given = Atomic<Int>(0)
    private let count: Int

    /// The numbers below `count`.
    package init(count: Int) { self.count = count }

    /// The next number, nil when all are given out. From any thread.
    package func take() -> Int? {
        let ticket = given.wrappingAdd(1, ordering: .relaxed).oldValue
        return ticket < count ? ticket : nil
    }
}
