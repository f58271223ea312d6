import Glibc

/// Threads for work that blocks: as many as wait at once, up to a bound, ended after idling.
final class ThreadPool: @unchecked Sendable {
    // Invariant: every stored property is touched under `condition` only.
    static let shared = ThreadPool(limit: 64)

    private let limit: Int
    private let condition = Condition()
    private var queue: [@Sendable () -> Void] = []
    private var idle = 0
    private var threads = 0
    private let idleNanoseconds: Int64 = 2_000_000_000

    init(limit: Int) { self.limit = limit }

    func enqueue(_ work: @escaping @Sendable () -> Void) {
        condition.lock()
        queue.append(work)
        let needsThread = idle < queue.count && threads < limit
        if needsThread { threads += 1 } else { condition.signal() }
        condition.unlock()
        if needsThread { EngineThread.start { self.work() } }
    }

    private func work() {
        condition.lock()
        while true {
            if queue.isEmpty {
                idle += 1
                let signalled = condition.wait(nanoseconds: idleNanoseconds)
                idle -= 1
                if !signalled && queue.isEmpty {
                    threads -= 1
                    condition.unlock()
                    return
                }
                continue
            }
            let next = queue.removeFirst()
            condition.unlock()
            next()
            condition.lock()
        }
    }
}
