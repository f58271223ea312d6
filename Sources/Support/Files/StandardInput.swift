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
        return StreamReader(file)
    }
}

/// Reads a descriptor in order.
final class StreamReader: ByteReader {
    private let file: FileDescriptor

    init(_ file: FileDescriptor) { self.file = file }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try file.read(into: buffer) }
    func close() { file.close() }
}
