import Glibc
import HeadraceCore

/// Lists, makes and syncs folders.
enum Folder {
    /// The names in a folder in byte order, `.` and `..` left out; nil when it cannot be listed.
    static func names(in path: String) -> [String]? {
        guard let stream = opendir(path) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Makes a folder and those above it; does nothing where they are.
    static func create(_ path: String) throws(HeadraceError) {
        if mkdir(path, 0o777) == 0 { return }
        let number = errno
        if number == EEXIST, FileStatus(at: path)?.kind == .folder { return }
        guard number == ENOENT else { throw SystemError.failure("create the folder", path, number) }
        try create(FilePath.split(path).folder)
        if mkdir(path, 0o777) == -1, errno != EEXIST {
            throw SystemError.failure("create the folder", path, errno)
        }
    }

    /// Makes names in a folder durable: what was created, renamed or removed there survives a loss of power.
    static func sync(_ path: String) throws(HeadraceError) {
        let folder = try FileDescriptor(opening: path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, verb: "sync the folder")
        defer { folder.close() }
        // Some file systems cannot sync folders and say so with EINVAL; they need no sync either.
        if fsync(folder.number) == -1, errno != EINVAL {
            throw SystemError.failure("sync the folder", path, errno)
        }
    }
}
