import Glibc
public import HeadraceCore

/// Standard output, or a pipe or device by its path: bytes are visible as soon as they are written.
///
/// A reader that goes away is the error `outputClosed`; for that, writing turns off the signal SIGPIPE, which would end
/// the process, unless the program handles it.
public struct StandardOutput: ByteSink {
    private let path: String?

    /// The process's standard output.
    public init() { path = nil }

    /// A named pipe or device, such as `/dev/null`.
    init(device path: String) { self.path = path }

    /// `-`, or the device's path.
    public var name: String { path ?? "-" }

    public func create(in context: RunContext) throws -> any ByteWriter {
        var current = sigaction()
        if sigaction(SIGPIPE, nil, &current) == 0, current.__sigaction_handler.sa_handler == nil {
            signal(SIGPIPE, SIG_IGN)
        }
        let file =
            try path.map { try FileDescriptor(opening: $0, O_WRONLY | O_CLOEXEC, verb: "write") }
            ?? FileDescriptor(standard: STDOUT_FILENO, name: "standard output")
        return StreamWriter(file)
    }

    public func plan() -> String { "write to \(path ?? "standard output")" }
}

/// Writes a descriptor in order, small pieces gathered.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteWriter` promises.
final class StreamWriter: ByteWriter, @unchecked Sendable {
    private let file: FileDescriptor
    private var pending = WriteBuffer()

    init(_ file: FileDescriptor) { self.file = file }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try pending.write(bytes, to: file) }

    func publish() throws {
        try pending.flush(to: file)
        file.close()
    }

    func abort() {
        pending.drop()
        file.close()
    }
}
