import Glibc
public import HeadraceCore

/// Turns SIGINT and SIGTERM into the cancellation of a run; a second signal ends the process at once.
public enum SignalWatch {
    /// Begins to watch. Call before other threads start: the signals are blocked in every thread made afterwards.
    public static func cancel(_ cancellation: Cancellation) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        // A reader of standard output that goes away is an error of a write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        EngineThread.start {
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGINT)
            sigaddset(&signals, SIGTERM)
            var received: Int32 = 0
            sigwait(&signals, &received)
            cancellation.cancel()
            sigwait(&signals, &received)
            _exit(128 + received)
        }
    }
}
