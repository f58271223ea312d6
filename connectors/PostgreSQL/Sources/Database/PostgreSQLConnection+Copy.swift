import HeadraceCPQ
import HeadraceCore

extension PostgreSQLConnection {
    // MARK: - Out

    /// Starts `COPY … TO STDOUT`; rows come from `copyOut`.
    func beginCopyOut(_ sql: SQL) throws { try beginCopy(sql, PGRES_COPY_OUT) }

    private func beginCopy(_ sql: SQL, _ wanted: ExecStatusType) throws {
        try send(sql)
        guard let result = try nextResult() else { throw broken("no answer to COPY") }
        defer { PQclear(result) }
        if PQresultStatus(result) == wanted { return }
        let failure = PostgreSQLFailure(result, sql: sql)
        try results { _ in }
        throw failure
    }

    /// Calls `body` with row after row until it says that it has enough, or the COPY ends.
    ///
    /// Rows that libpq holds already come without a wait; with none at hand it waits for the server.
    /// - Parameter body: takes the bytes of one row; false ends this call, not the COPY.
    /// - Returns: false at the end of the COPY.
    func copyOut(_ body: (UnsafeRawBufferPointer) throws -> Bool) throws -> Bool {
        while true {
            var bytes: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(handle, &bytes, 1)
            if let bytes, count > 0 {
                defer { PQfreemem(bytes) }
                guard try body(UnsafeRawBufferPointer(start: bytes, count: Int(count))) else { return true }
            } else if count == 0 {
                ArrivingBytes.gather(PQsocket(handle))
                do { try receive() } catch let error as HeadraceError where error.code == .cancelled {
                    settle()
                    throw error
                }
            } else if count == -1 {
                try results { _ in }
                return false
            } else {
                try results { _ in }
                throw broken()
            }
        }
    }

    // MARK: - In

    /// Starts `COPY … FROM STDIN`; bytes go by `copyIn`, `endCopyIn` or `abandonCopyIn` ends it.
    func beginCopyIn(_ sql: SQL) throws { try beginCopy(sql, PGRES_COPY_IN) }

    /// The most that is handed to libpq at once; it keeps a buffer of that size.
    private static let putLimit = 64 << 10

    /// Sends bytes of the COPY; pieces may be cut anywhere. At most one piece waits in memory.
    func copyIn(_ bytes: UnsafeRawBufferPointer) throws {
        var sent = 0
        while sent < bytes.count, let base = bytes.baseAddress {
            let count = min(Self.putLimit, bytes.count - sent)
            let piece = (base + sent).assumingMemoryBound(to: CChar.self)
            switch PQputCopyData(handle, piece, Int32(count)) {
            case 1:
                sent += count
                try flush()
            case 0: try flush()
            default: throw broken()
            }
        }
    }

    /// Ends the COPY.
    /// - Returns: the rows that the server stored.
    /// - Throws: what the server refused; nothing of the COPY is stored then.
    func endCopyIn() throws -> Int {
        try closeCopyIn(nil)
        var count = 0
        try results { result in count = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }
        return count
    }

    /// Ends the COPY so that the server stores nothing of it; a transaction around it has failed then.
    func abandonCopyIn() {
        do {
            try closeCopyIn("given up by the client")
            try results { _ in }
        } catch {
            return
        }
    }

    private func closeCopyIn(_ reason: String?) throws {
        while true {
            switch PQputCopyEnd(handle, reason) {
            case 1: return try flush()
            case 0: try flush()
            default: throw broken()
            }
        }
    }
}
