import HeadraceCore

/// One connection to a database file, on a thread that may block, one call at a time.
///
/// The connection opens with the first call and closes with `close` or the last reference.
actor SQLiteDatabase {
    private let executor = BlockingExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    nonisolated let path: String
    nonisolated let options: SQLiteOptions
    private nonisolated let interrupter = SQLiteInterrupter()
    private var connection: SQLiteConnection?
    private var isClosed = false

    init(path: String, options: SQLiteOptions) {
        self.path = path
        self.options = options
    }

    /// Runs `body` with the connection.
    /// - Throws: what `body` throws, SQLite's failures as `HeadraceError`; `cancelled` after `interrupt`.
    func use<R: Sendable>(_ body: @Sendable (SQLiteConnection) throws -> R) throws -> R {
        if interrupter.isInterrupted { throw HeadraceError.cancelled }
        do { return try body(try opened()) } catch let failure as SQLiteFailure {
            throw interrupter.isInterrupted ? HeadraceError.cancelled : failure.error
        }
    }

    private func opened() throws -> SQLiteConnection {
        if let connection { return connection }
        guard !isClosed else {
            throw HeadraceError(.unexpected, "\(path) was used after it was closed")
        }
        let fresh = try SQLiteConnection(path: path, options: options, interrupter: interrupter)
        connection = fresh
        return fresh
    }

    /// Runs `body` with the connection where it is open, even after `interrupt`; for rolling back.
    func finish(_ body: @Sendable (SQLiteConnection) -> Void) {
        if let connection { body(connection) }
    }

    /// Closes the connection; an open transaction is undone. May be called twice.
    func close() {
        connection?.rollBack()
        connection = nil
        isClosed = true
    }

    /// Stops the running call and refuses later ones; from any thread.
    nonisolated func interrupt() { interrupter.interrupt() }

    /// Interrupts the connection when the run is asked to stop; the key is for `Cancellation.remove`.
    nonisolated func follow(_ cancellation: Cancellation) -> Int {
        cancellation.onCancel { [interrupter] in interrupter.interrupt() }
    }
}
