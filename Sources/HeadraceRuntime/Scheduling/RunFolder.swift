import Glibc
import HeadraceCore

/// The folder of one run's spill files.
enum RunFolder {
    /// A new folder that only this user can read.
    static func make(in parent: String) throws -> String {
        var template = Array("\(parent)/headrace-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw HeadraceError(
                .inputOutput, "a folder for spill files cannot be made in \(parent)",
                because: String(cString: strerror(errno)), hint: "set TMPDIR to a folder that can be written")
        }
        return String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Removes the folder and the files in it.
    static func remove(_ folder: String) {
        if let directory = opendir(folder) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != "." && name != ".." { unlink("\(folder)/\(name)") }
            }
            closedir(directory)
        }
        rmdir(folder)
    }
}
