import Glibc
public import HeadraceCore
import Synchronization

/// Where the handler writes the signals; -1 as long as nobody watches.
private let pipeEnd = Atomic<Int32>(-1)

/// Turns SIGINT and SIGTERM into the cancellation of a run; a second signal ends the process at once.
public enum SignalWatch {
    /// Begins to watch, whatever threads there are already: the handler only hands the signal on to a thread of our own.
    public static func cancel(_ cancellation: Cancellation) {
        // A reader of standard output that goes away is an error of a write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (readEnd, writeEnd) = (ends[0], ends[1])
        EngineThread.start {
            guard next(readEnd) != nil else { return }
            cancellation.cancel()
            if let second = next(readEnd) { _exit(128 + second) }
        }
        pipeEnd.store(writeEnd, ordering: .sequentiallyConsistent)
        for number in [SIGINT, SIGTERM] { handle(number) }
    }

    private static func handle(_ number: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            // Only what is safe inside a handler: an atomic load and a write of one byte.
            let interrupted = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(pipeEnd.load(ordering: .sequentiallyConsistent), &byte, 1)
            errno = interrupted
        }
        sigemptyset(&action.sa_mask)
        action.sa_flags = SA_RESTART
        sigaction(number, &action, nil)
    }

    /// Waits for the next signal; nil when the pipe cannot be read.
    private static func next(_ readEnd: Int32) -> Int32? {
        var byte: UInt8 = 0
        while true {
            let count = read(readEnd, &byte, 1)
            if count == 1 { return Int32(byte) }
            if count < 0, errno == EINTR { continue }
            return nil
        }
    }
}
