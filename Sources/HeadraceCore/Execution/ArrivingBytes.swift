import Glibc

/// What a socket brings while rows stream in.
package enum ArrivingBytes {
    /// How long a server may get ahead. A tenth of a second's rows are three hundred times that.
    private static let moment: Int = 300_000

    /// Where nothing has arrived, lets the other side send for a moment before anybody waits for it.
    ///
    /// A reader that sleeps until something comes is woken for every few kilobytes, and to wake it costs the sender half as
    /// much again as to make them. For streams of rows, not for answers.
    package static func gather(_ socket: Int32) {
        var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&watched, 1, 0) == 0 else { return }
        var pause = timespec(tv_sec: 0, tv_nsec: moment)
        nanosleep(&pause, nil)
    }
}
