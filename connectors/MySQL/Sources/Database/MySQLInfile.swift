import Glibc
import HeadraceCMariaDB

/// Bytes in memory that the server asks for in place of a file.
private final class MySQLInfile {
    let base: UnsafeRawPointer
    let pieces: [Range<Int>]
    var piece = 0
    var offset = 0

    init(_ base: UnsafeRawPointer, _ pieces: [Range<Int>]) {
        self.base = base
        self.pieces = pieces
    }

    func read(into buffer: UnsafeMutableRawPointer, _ size: Int) -> Int {
        var filled = 0
        while filled < size, piece < pieces.count {
            let range = pieces[piece]
            let count = min(size - filled, range.count - offset)
            memcpy(buffer + filled, base + range.lowerBound + offset, count)
            filled += count
            offset += count
            if offset == range.count {
                piece += 1
                offset = 0
            }
        }
        return filled
    }
}

extension MySQLConnection {
    /// Runs a `LOAD DATA LOCAL` whose file is `pieces` of the memory at `base`.
    /// - Returns: the rows that the server stored, some of which it may have altered: `warningCount` tells.
    func load(_ sql: SQL, _ base: UnsafeRawPointer, _ pieces: [Range<Int>]) throws(MySQLFailure) -> Int {
        let file = MySQLInfile(base, pieces)
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
