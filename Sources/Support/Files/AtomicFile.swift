import Glibc
public import HeadraceCore

/// A local file that appears whole or not at all.
///
/// The bytes go into a hidden file in the same folder, `.NAME.headrace-….tmp`; publishing makes them durable, renames
/// the file and makes the name durable. An existing file keeps its permissions and is replaced in one step; where the
/// name is a symbolic link, the file behind it is. A killed process leaves its hidden file, which the next run that
/// writes any file to the folder removes. Throws `wrongKindOfFile` for a folder. Devices and pipes are written directly.
public struct AtomicFile: ByteSink {
    private let path: String

    /// The file at `path`; its folder must be there.
    public init(at path: String) { self.path = path }

    /// The path as given.
    public var name: String { path }

    public func create(in context: RunContext) throws -> any ByteWriter {
        if let status = FileStatus(at: path) {
            if status.kind == .folder { throw SystemError.failure("write", path, EISDIR) }
            if status.kind == .other { return try StandardOutput(device: path).create(in: context) }
        }
        return try AtomicFileWriter(path, faults: context.faults) { context.random.temporaryName("headrace") }
    }

    public func plan() -> String {
        switch FileStatus(at: path)?.kind {
        case nil: "create \(path)"
        case .regular: "replace \(path)"
        case .folder: "refuse \(path), which is a folder"
        case .other: "write to \(path)"
        }
    }
}

/// Writes one atomic file.
///
/// The writer holds a lock on its hidden file, by which others know that it is alive.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteWriter` promises.
final class AtomicFileWriter: ByteWriter, @unchecked Sendable {
    private let target: String
    private let folder: String
    private let temporary: String
    private let file: FileDescriptor
    private let faults: (any FaultPoints)?
    private var pending = WriteBuffer()
    private var isDone = false

    init(_ path: String, faults: (any FaultPoints)?, unique: () -> String) throws(HeadraceError) {
        target = Self.resolvingLink(path)
        let (folder, name) = FilePath.split(target)
        self.folder = folder
        self.faults = faults
        Self.sweep(folder)
        while true {
            let candidate = FilePath.join(folder, ".\(name).\(unique()).tmp")
            let file: FileDescriptor
            do {
                file = try FileDescriptor(
                    opening: candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, verb: "write")
            } catch {
                if FileStatus(at: candidate) != nil { continue }
                throw Self.explained(error, target, folder)
            }
            // Between creation and lock another run's sweep may have taken the file for a dead one's.
            if flock(file.number, LOCK_EX | LOCK_NB) == 0, FileStatus(descriptor: file.number)?.links == 1 {
                self.file = file
                temporary = candidate
                break
            }
            file.close()
            _ = unlink(candidate)
        }
        if let existing = FileStatus(at: target) { _ = fchmod(file.number, existing.mode) }
    }

    private static func explained(_ error: HeadraceError, _ target: String, _ folder: String) -> HeadraceError {
        guard error.code == .notFound else {
            var named = error
            named.message = "cannot write \(target)"
            return named
        }
        return HeadraceError(
            .notFound, "cannot write \(target), because its folder is not there", hint: "create the folder \(folder)")
    }

    private static func resolvingLink(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return path }
        return String(cString: real)
    }

    /// Removes the hidden files of writers that are no more, whatever they wrote: names that carry a time are never
    /// written again. Leaves those whose lock is held.
    static func sweep(_ folder: String) {
        for entry in Folder.names(in: folder) ?? [] where isTemporary(entry) {
            let path = FilePath.join(folder, entry)
            let number = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard number >= 0 else { continue }
            if flock(number, LOCK_EX | LOCK_NB) == 0 { _ = unlink(path) }
            _ = Glibc.close(number)
        }
    }

    /// Whether a name is one that a writer gives its hidden file, `.NAME.headrace-….tmp`.
    private static func isTemporary(_ name: String) -> Bool {
        guard name.hasPrefix("."), name.hasSuffix(".tmp") else { return false }
        let stem = name.dropLast(".tmp".count)
        guard let dot = stem.lastIndex(of: "."), dot > stem.startIndex else { return false }
        return stem[stem.index(after: dot)...].hasPrefix("headrace-")
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(!isDone, "bytes written after an atomic file was published or dropped")
        try pending.write(bytes, to: file)
    }

    func publish() throws {
        guard !isDone else { return }
        try pending.flush(to: file)
        try file.sync()
        try faults?.reach("file.publish")
        try SystemError.check("replace", target) { rename(temporary, target) }
        isDone = true
        file.close()
        try Folder.sync(folder)
    }

    func abort() {
        guard !isDone else { return }
        isDone = true
        pending.drop()
        _ = unlink(temporary)
        file.close()
    }

    deinit { abort() }
}
