import HeadraceCore
import Synchronization

/// Runs the same work on several engine threads and waits for all of them.
enum WorkerGroup {
    /// Runs `work(worker)` for each worker from 0; returns when all have ended.
    ///
    /// The first error is thrown after every worker has ended; `fail` is called as soon as it happens, so that waiting
    /// workers can be woken. Blocks the calling thread, which must not belong to the shared pool.
    static func run(
        _ workers: Int, stepper: Stepper?, fail: @escaping @Sendable (any Error) -> Void,
        work: @escaping @Sendable (Int) throws -> Void
    ) throws {
        let state = Group(workers)
        for worker in 0..<workers {
            EngineThread.start {
                stepper?.begin(worker)
                do { try work(worker) } catch {
                    if state.note(error) { fail(error) }
                }
                stepper?.end(worker)
                state.finish()
            }
        }
        try state.wait()
    }

    /// - Invariant (`@unchecked Sendable`): stored properties are touched under `condition` only.
    private final class Group: @unchecked Sendable {
        private let condition = Condition()
        private var running: Int
        private var error: (any Error)?

        init(_ workers: Int) { running = workers }

        func note(_ error: any Error) -> Bool {
            condition.withLock {
                let isFirst = self.error == nil
                if isFirst { self.error = error }
                return isFirst
            }
        }

        func finish() {
            condition.lock()
            running -= 1
            condition.broadcast()
            condition.unlock()
        }

        func wait() throws {
            condition.lock()
            while running > 0 { condition.wait() }
            let error = self.error
            condition.unlock()
            if let error { throw error }
        }
    }
}
