/// How a connection is opened.
struct SQLiteOptions: Sendable {
    enum Access: Sendable {
        case readOnly
        /// Reads and writes a file that is there.
        case readWrite
        /// Makes the file when it is not there.
        case create
    }

    enum Durability: String, Sendable {
        /// The file survives a crash undamaged; the last commits before a power cut may be lost, none in part.
        case normal = "NORMAL"
        /// A commit is on the disk when it returns.
        case full = "FULL"
    }

    var access: Access
    var durability = Durability.normal
    /// How long a call waits for a lock.
    var busyMilliseconds: Int32 = 30_000
    /// The permissions of a file that is made, and of one that is there; nil leaves them to the process.
    var fileMode: UInt32?

    static let reading = SQLiteOptions(access: .readOnly)
    static let writing = SQLiteOptions(access: .create)
}
