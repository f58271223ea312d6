import Glibc

/// A thread outside Swift's shared pool, on which calls may block.
public final class EngineThread: @unchecked Sendable {
    // Invariant: `handle` is written once before `start` returns and read by `join` only.
    private var handle = pthread_t()

    private init() {}

    /// Starts a thread that runs `body` and ends.
    @discardableResult
    public static func start(_ body: @escaping @Sendable () -> Void) -> EngineThread {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let thread = EngineThread()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 8 << 20)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let box = Unmanaged.passRetained(Box(body))
        let status = pthread_create(
            &thread.handle, &attributes,
            { argument in
                guard let argument else { return nil }
                let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
                box.body()
                return nil
            }, box.toOpaque())
        pthread_attr_destroy(&attributes)
        if status != 0 {
            box.release()
            fatalError("the system gives no more threads: \(String(cString: strerror(status)))")
        }
        return thread
    }
}
