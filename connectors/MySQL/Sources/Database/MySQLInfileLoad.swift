import HeadraceCore

/// A `LOAD DATA LOCAL` that runs on a thread of its own while its file is handed in.
///
/// The connection belongs to that thread until `end` or `giveUp` has returned.
///
/// - Invariant (`@unchecked Sendable`): `connection` is used by the thread alone, or by the caller once it has ended; `result` is
///   touched under `condition` only.
final class MySQLInfileLoad: @unchecked Sendable {
    private let connection: MySQLConnection
    private let file = MySQLInfile()
    private let condition = Condition()
    private var result: Result<Int, MySQLFailure>?

    init(_ sql: SQL, on connection: MySQLConnection) {
        self.connection = connection
        EngineThread.start { [self, file] in
            let result = Result { () throws(MySQLFailure) in try self.connection.load(sql, file) }
            condition.withLock {
                self.result = result
                condition.broadcast()
            }
        }
    }

    /// Hands in what comes next. Does not wait for the server.
    func add(_ bytes: ArraySlice<UInt8>) { file.add(bytes) }

    /// Whether the statement is over, before its file is: the server or the connection has failed.
    var hasEnded: Bool { condition.withLock { result != nil } }

    /// Ends the file and waits for the server.
    /// - Returns: the rows that it stored, some of which it may have altered: `warningCount` tells.
    func end() throws(MySQLFailure) -> Int {
        file.end()
        return try wait().get()
    }

    /// Ends the connection, whatever the server is doing, and waits for the thread to let go of it.
    func giveUp() {
        file.giveUp()
        connection.shutDown()
        _ = wait()
    }

    private func wait() -> Result<Int, MySQLFailure> {
        condition.withLock {
            while true {
                if let result { return result }
                condition.wait()
            }
        }
    }
}
