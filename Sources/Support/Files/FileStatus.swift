import Glibc

/// What the system says about a file: kind, size, and what tells one version from another.
struct FileStatus {
    enum Kind { case regular, folder, other }

    let kind: Kind
    let byteCount: Int
    let mode: mode_t
    let links: Int
    /// Size, time of last change in nanoseconds and inode.
    let identity: String

    private init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .folder
        default: kind = .other
        }
        byteCount = Int(status.st_size)
        mode = status.st_mode & 0o7777
        links = Int(status.st_nlink)
        let nanoseconds = Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
        identity = "\(status.st_size)-\(nanoseconds)-\(status.st_ino)"
    }

    /// The file that `path` leads to, links followed; nil when there is none or it cannot be seen.
    init?(at path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }
}
