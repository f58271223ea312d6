import Glibc

/// Runs work on a thread of its own: scripts block, which tasks must not.
package func runThread(_ work: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let work: @Sendable () -> Void
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(work))
    let result = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().work()
            return nil
        }, box.toOpaque())
    precondition(result == 0, "a test needs a thread")
    pthread_detach(thread)
}

package func sleep(milliseconds: Int) {
    usleep(UInt32(milliseconds) * 1000)
}
