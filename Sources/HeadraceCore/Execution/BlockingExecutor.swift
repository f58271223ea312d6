/// A serial executor for actors that own a blocking C handle; its jobs run on threads of `BlockingWork`, one at a time.
public final class BlockingExecutor: SerialExecutor, @unchecked Sendable {
    // Invariant: `queue` and `isRunning` are touched under `condition` only.
    private let condition = Condition()
    private var queue: [UnownedJob] = []
    private var isRunning = false

    /// An executor for one actor; the jobs of two executors may overlap.
    public init() {}

    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let start = condition.withLock {
            queue.append(unowned)
            defer { isRunning = true }
            return !isRunning
        }
        if start { ThreadPool.shared.enqueue { self.drain() } }
    }

    private func drain() {
        while true {
            let job: UnownedJob? = condition.withLock {
                if queue.isEmpty {
                    isRunning = false
                    return nil
                }
                return queue.removeFirst()
            }
            guard let job else { return }
            job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}
