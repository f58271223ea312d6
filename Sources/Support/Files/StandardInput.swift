import Glibc
public import HeadraceCore
import Synchronization

/// Standard input, or a pipe by its path, as one object that can be read once and from its start only.
public struct StandardInput: ByteSource {
    private let path: String?
    private let opened = Opened()

    private final class Opened: Sendable {
        let once = Atomic<Bool>(false)
    }

    /// The process's standard input.
    public init() { path = nil }

    /// A named pipe or device, such as `/dev/fd/63` of a shell's process substitution.
    init(pipe path: String) { self.path = path }

    /// `-`, or the pipe's path.
    public var name: String { path ?? "-" }

    public func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        previous == nil ? ByteObject(name: name, byteCount: nil, identity: "stream") : nil
    }

    /// Throws `unsupported` for an offset and when it was opened before: what was read is gone.
    public func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        guard offset == 0, !opened.once.exchange(true, ordering: .acquiringAndReleasing) else {
            throw HeadraceError(
                .unsupported, "\(path ?? "standard input") can be read once, from its start",
                hint: "write it to a file first to read it twice or to resume")
        }
        let file =
            try path.map { try FileDescriptor(opening: $0, O_RDONLY | O_CLOEXEC, verb: "read") }
            ?? FileDescriptor(standard: STDIN_FILENO, name: "standard input")
        return try StreamReader(file, context.cancellation)
    }
}

/// Reads a descriptor in order; a read that waits for bytes ends when the run is cancelled.
final class StreamReader: ByteReader {
    private let file: FileDescriptor
    private let cancellation: Cancellation
    private let wake: WakePipe
    private let key: Int

    init(_ file: FileDescriptor, _ cancellation: Cancellation) throws {
        self.file = file
        self.cancellation = cancellation
        let wake = try WakePipe()
        self.wake = wake
        key = cancellation.onCancel { wake.wake() }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try wake.wait(for: file.number)
        try cancellation.check()
        return try file.read(into: buffer)
    }

    func close() {
        cancellation.remove(key)
        wake.close()
        file.close()
    }
}

/// A pipe that interrupts a wait for another descriptor.
private final class WakePipe: Sendable {
    private let ends: Mutex<(read: Int32, write: Int32)?>

    init() throws(HeadraceError) {
        var made: [Int32] = [-1, -1]
        guard pipe(&made) == 0 else { throw SystemError.failure("read", "standard input", errno) }
        for end in made { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        ends = Mutex((made[0], made[1]))
    }

    func wake() {
        ends.withLock { ends in
            guard let ends else { return }
            var byte: UInt8 = 0
            _ = write(ends.write, &byte, 1)
        }
    }

    /// Returns when the descriptor can be read, or has ended, or `wake` was called.
    func wait(for descriptor: Int32) throws(HeadraceError) {
        guard let readEnd = ends.withLock({ $0?.read }) else { return }
        var watched = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&watched, 2, -1) < 0 {
            guard errno == EINTR || errno == EAGAIN else { throw SystemError.failure("read", "standard input", errno) }
        }
    }

    func close() {
        ends.withLock { ends in
            guard let open = ends else { return }
            _ = Glibc.close(open.read)
            _ = Glibc.close(open.write)
            ends = nil
        }
    }
}
