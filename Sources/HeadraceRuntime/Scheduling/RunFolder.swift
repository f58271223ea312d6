import Glibc
import HeadraceCore

/// The folder of one run's spill files.
///
/// The run holds a lock on it, by which others know that it is alive: the folder that a killed run left goes when the next
/// run makes its own in the same place.
struct RunFolder: Sendable {
    private static let prefix = "headrace-run-"

    let path: String
    private let lock: Int32

    /// A new folder that only this user can read.
    static func make(in parent: String) throws -> RunFolder {
        sweep(parent)
        while true {
            var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else {
                throw HeadraceError(
                    .inputOutput, "a folder for spill files cannot be made in \(parent)",
                    because: String(cString: strerror(errno)), hint: "set TMPDIR to a folder that can be written")
            }
            let path = String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            // Before it is locked, another run's sweep may take the folder for a dead one's.
            let lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard lock >= 0 else { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0, access(path, F_OK) == 0 { return RunFolder(path: path, lock: lock) }
            close(lock)
        }
    }

    /// Removes the folder and the files in it.
    func remove() {
        Self.empty(path)
        close(lock)
    }

    /// Removes the folders of runs that are no more; leaves those whose lock is held.
    private static func sweep(_ parent: String) {
        for name in names(in: parent) where name.hasPrefix(prefix) {
            let path = "\(parent)/\(name)"
            let lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard lock >= 0 else { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { empty(path) }
            close(lock)
        }
    }

    private static func empty(_ folder: String) {
        for name in names(in: folder) { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}
