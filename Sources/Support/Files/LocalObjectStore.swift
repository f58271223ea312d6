import Glibc
public import HeadraceCore

/// A local folder as an object store: a key is a path below it.
///
/// Objects are written whole or not at all, durably. Keys must be relative, without empty, `.` or `..` parts and
/// without parts that begin with a dot; others are refused with `badLocation`.
public struct LocalObjectStore: ObjectStore {
    private let root: String

    /// The folder at `path`, made at the first `put` when it is not there.
    public init(at path: String) { root = path }

    /// The folder's path as given.
    public var name: String { root }

    public func put(_ key: String, _ bytes: [UInt8]) async throws {
        let path = try path(of: key)
        try await BlockingWork.run {
            try Folder.create(FilePath.split(path).folder)
            try FileContents.write(bytes, to: path)
        }
    }

    public func get(_ key: String) async throws -> [UInt8] {
        let path = try path(of: key)
        return try await BlockingWork.run { try FileContents.read(path, limit: .max) }
    }

    public func list(prefix: String) async throws -> [String] {
        try await BlockingWork.run {
            var keys: [String] = []
            Self.collect(below: root, prefix: "", into: &keys)
            return keys.filter { $0.hasPrefix(prefix) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    private static func collect(below folder: String, prefix: String, into keys: inout [String]) {
        for name in Folder.names(in: folder) ?? [] where !name.hasPrefix(".") {
            let path = FilePath.join(folder, name, like: "./")
            switch FileStatus(at: path)?.kind {
            case .regular: keys.append(prefix + name)
            case .folder: collect(below: path, prefix: prefix + name + "/", into: &keys)
            default: break
            }
        }
    }

    public func delete(_ key: String) async throws {
        let path = try path(of: key)
        try await BlockingWork.run {
            if unlink(path) == -1, errno != ENOENT { throw SystemError.failure("delete", path, errno) }
        }
    }

    public func byteSource(for keys: [String]) -> any ByteSource { StoredFiles(store: self, keys: keys) }

    /// The path of a key; throws `badLocation` for one that would leave the folder or hide.
    func path(of key: String) throws(HeadraceError) -> String {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }), !key.utf8.contains(0) else {
            throw HeadraceError(
                .badLocation, "\"\(key)\" cannot be the key of an object in \(root)",
                hint: "use a relative path without '.', '..' and hidden names")
        }
        return FilePath.join(root, key, like: "./")
    }
}

/// Objects of a folder in a given order.
struct StoredFiles: ResumableByteSource {
    let store: LocalObjectStore
    let keys: [String]

    var name: String { store.name }

    func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        var index = 0
        if let previous {
            guard let found = keys.firstIndex(of: previous.name) else { return nil }
            index = found + 1
        }
        guard index < keys.count else { return nil }
        let file = try LocalFiles.object(at: store.path(of: keys[index]))
        return ByteObject(
            name: keys[index], byteCount: file.byteCount, identity: file.identity, contentType: file.contentType)
    }

    func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        try LocalFileReader(store.path(of: object.name), at: offset)
    }
}
