import Glibc
import HeadraceCore
import Synchronization

/// An open file, closed once.
///
/// Calls may block. Reads and writes are made by one thread at a time; `close` may come from another.
final class FileDescriptor: Sendable {
    let path: String
    let number: Int32
    private let isOpen = Atomic<Bool>(true)
    private let isOwned: Bool

    /// Opens `path`; `verb` is what the error message says could not be done.
    init(opening path: String, _ flags: Int32, mode: mode_t = 0o666, verb: String) throws(HeadraceError) {
        number = try SystemError.check(verb, path) { open(path, flags, mode) }
        self.path = path
        isOwned = true
    }

    /// A descriptor of the process, such as standard input, which `close` leaves open.
    init(standard number: Int32, name: String) {
        self.number = number
        path = name
        isOwned = false
    }

    deinit { close() }

    /// Reads up to a buffer's length; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(HeadraceError) -> Int {
        guard buffer.count > 0 else { return 0 }
        return try SystemError.check("read", path) { Glibc.read(number, buffer.baseAddress, buffer.count) }
    }

    /// Writes all of `bytes`.
    func write(_ bytes: UnsafeRawBufferPointer) throws(HeadraceError) {
        var done = 0
        while done < bytes.count {
            done += try SystemError.check("write", path) {
                Glibc.write(number, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            }
        }
    }

    func seek(to offset: Int) throws(HeadraceError) {
        if lseek(number, off_t(offset), SEEK_SET) == -1 {
            throw HeadraceError(
                .unsupported, "\(path) cannot be read from byte \(offset)", because: String(cString: strerror(errno)))
        }
    }

    /// Makes the contents durable.
    func sync() throws(HeadraceError) {
        try SystemError.check("sync", path) { fsync(number) }
    }

    func close() {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing), isOwned else { return }
        _ = Glibc.close(number)
    }
}
