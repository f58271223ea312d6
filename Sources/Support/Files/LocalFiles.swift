import Glibc
public import HeadraceCore
import Synchronization

/// One local file, or the files that match a pattern in byte order of their names.
///
/// A name that exists as written wins over its meaning as a pattern. An object's identity is its size, time of last
/// change in nanoseconds and inode. The files are listed when reading starts; one that appears later is not read, one
/// that goes away is an error.
public struct LocalFiles: ResumableByteSource {
    private let pattern: FilePattern
    private let listed = Listed()

    private final class Listed: Sendable {
        let paths = Mutex<[String]>([])
    }

    /// The file or pattern at `path`; a relative one counts from the process's folder.
    public init(at path: String) { pattern = FilePattern(text: path) }

    /// The path or pattern as given.
    public var name: String { pattern.text }

    public func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        if previous == nil {
            let found = try pattern.files()
            listed.paths.withLock { $0 = found }
        }
        let next = listed.paths.withLock { paths -> String? in
            guard let previous else { return paths.first }
            var (low, high) = (0, paths.count)
            while low < high {
                let middle = (low + high) / 2
                if previous.name.utf8.lexicographicallyPrecedes(paths[middle].utf8) {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            return low < paths.count ? paths[low] : nil
        }
        return try next.map(Self.object(at:))
    }

    static func object(at path: String) throws(HeadraceError) -> ByteObject {
        guard let status = FileStatus(at: path) else { throw SystemError.failure("read", path, errno) }
        let (_, name) = FilePath.split(path)
        return ByteObject(
            name: path, byteCount: status.kind == .regular ? status.byteCount : nil, identity: status.identity,
            contentType: StandardCodecs.splitting(name).fileExtension)
    }

    public func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        try LocalFileReader(object.name, at: offset)
    }
}

/// Reads one local file from an offset.
final class LocalFileReader: ByteReader {
    private let file: FileDescriptor

    init(_ path: String, at offset: Int) throws(HeadraceError) {
        file = try FileDescriptor(opening: path, O_RDONLY | O_CLOEXEC, verb: "read")
        guard let status = FileStatus(descriptor: file.number), status.kind != .folder else {
            throw SystemError.failure("read", path, EISDIR)
        }
        if offset > 0 { try file.seek(to: offset) }
        posix_fadvise(file.number, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try file.read(into: buffer) }
    func close() { file.close() }
}
