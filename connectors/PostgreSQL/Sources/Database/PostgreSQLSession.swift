import HeadraceCore

/// One connection to a server, on a thread that may block, one call at a time.
///
/// It connects with the first call and closes with `close` or the last reference; what was not committed is undone then.
actor PostgreSQLSession {
    private let executor = BlockingExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    nonisolated let configuration: PostgreSQLConfiguration
    private nonisolated let interrupter = PostgreSQLInterrupter()
    private var connection: PostgreSQLConnection?
    private var isClosed = false

    init(_ configuration: PostgreSQLConfiguration) { self.configuration = configuration }

    /// Runs `body` with the connection.
    /// - Throws: what `body` throws; with `raw` a `PostgreSQLFailure` as it is, else as `HeadraceError`. `cancelled` after
    ///   `interrupt`.
    func use<R: Sendable>(raw: Bool = false, _ body: @Sendable (PostgreSQLConnection) throws -> R) throws -> R {
        if interrupter.isInterrupted { throw HeadraceError.cancelled }
        do { return try body(try opened()) } catch {
            if interrupter.isInterrupted {
                connection?.settle()
                throw HeadraceError.cancelled
            }
            if !raw, let failure = error as? PostgreSQLFailure { throw failure.error }
            throw error
        }
    }

    private func opened() throws -> PostgreSQLConnection {
        if let connection { return connection }
        guard !isClosed else {
            throw HeadraceError(.unexpected, "\(configuration) was used after it was closed")
        }
        let fresh = try PostgreSQLConnection(configuration, interrupter: interrupter)
        connection = fresh
        return fresh
    }

    /// Runs `body` with the connection where it is open, even after `interrupt`; for rolling back.
    func finish(_ body: @Sendable (PostgreSQLConnection) -> Void) {
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
