import Glibc
import HeadraceCMariaDB
import HeadraceCore

/// Bytes that the server asks for in place of a file, handed in piece by piece while it reads them.
///
/// - Invariant (`@unchecked Sendable`): stored properties are touched under `condition` only.
final class MySQLInfile: @unchecked Sendable {
    private let condition = Condition()
    private var pieces: [ArraySlice<UInt8>] = []
    private var isWhole = false
    private var isGivenUp = false

    /// Adds bytes at the end.
    func add(_ piece: ArraySlice<UInt8>) {
        condition.withLock {
            pieces.append(piece)
            condition.broadcast()
        }
    }

    /// Says that nothing more comes.
    func end() {
        condition.withLock {
            isWhole = true
            condition.broadcast()
        }
    }

    /// Makes whoever reads it fail.
    func giveUp() {
        condition.withLock {
            isGivenUp = true
            condition.broadcast()
        }
    }

    /// Copies what comes next, once there is something.
    /// - Returns: how many bytes; 0 at the end, less for a file that was given up.
    fileprivate func read(into buffer: UnsafeMutableRawPointer, _ size: Int) -> Int {
        condition.withLock {
            while pieces.isEmpty, !isWhole, !isGivenUp { condition.wait() }
            guard !isGivenUp else { return -1 }
            var filled = 0
            while filled < size, let piece = pieces.first {
                let count = min(size - filled, piece.count)
                piece.withUnsafeBytes { bytes in
                    if let base = bytes.baseAddress { memcpy(buffer + filled, base, count) }
                }
                filled += count
                if count == piece.count { pieces.removeFirst() } else { pieces[0] = piece.dropFirst(count) }
            }
            return filled
        }
    }
}

extension MySQLConnection {
    /// Runs a `LOAD DATA LOCAL` that reads `file`, to its end.
    /// - Returns: the rows that the server stored, some of which it may have altered: `warningCount` tells.
    func load(_ sql: SQL, _ file: MySQLInfile) throws(MySQLFailure) -> Int {
        mysql_set_local_infile_handler(
            handle,
            { context, _, source in
                context?.pointee = source
                return 0
            },
            { context, buffer, size in
                guard let context, let buffer else { return -1 }
                let file = Unmanaged<MySQLInfile>.fromOpaque(context).takeUnretainedValue()
                return Int32(file.read(into: buffer, Int(size)))
            },
            { _ in },
            { _, message, size in
                if size > 0 { message?[0] = 0 }
                return 0
            }, Unmanaged.passUnretained(file).toOpaque())
        defer {
            withExtendedLifetime(file) {}
            // No other statement may make the client send anything: a server that asks for a file is told no.
            mysql_set_local_infile_handler(
                handle, { _, _, _ in 1 }, { _, _, _ in -1 }, { _ in },
                { _, message, size in
                    if size > 0 { message?[0] = 0 }
                    return 1
                }, nil)
        }
        return try execute(sql)
    }
}
