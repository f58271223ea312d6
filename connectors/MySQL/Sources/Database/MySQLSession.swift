import HeadraceCore

/// One connection to a server, on a thread that may block, one call at a time.
///
/// It connects with the first call and closes with `close` or the last reference; what was not committed is undone then.
actor MySQLSession {
    private let executor = BlockingExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    nonisolated let configuration: MySQLConfiguration
    private nonisolated let interrupter = MySQLInterrupter()
    private var connection: MySQLConnection?
    private var isClosed = false

    init(_ configuration: MySQLConfiguration) { self.configuration = configuration }

    /// Runs `body` with the connection.
    /// - Throws: what `body` throws, the server's failures as `HeadraceError`; `cancelled` after `interrupt`.
    func use<R: Sendable>(_ body: @Sendable (MySQLConnection) throws -> R) throws -> R {
        if interrupter.isInterrupted { throw HeadraceError.cancelled }
        do { return try body(try opened()) } catch {
            if interrupter.isInterrupted {
                // The server may still be at work on a statement that nobody waits for.
                connection?.killOnServer()
                throw HeadraceError.cancelled
            }
            throw (error as? MySQLFailure)?.error ?? error
        }
    }

    private func opened() throws -> MySQLConnection {
        if let connection { return connection }
        guard !isClosed else {
            throw HeadraceError(.unexpected, "\(configuration) was used after it was closed")
        }
        let fresh = try MySQLConnection(configuration, interrupter: interrupter)
        connection = fresh
        return fresh
    }

    /// Runs `body` with the connection where it is open, even after `interrupt`; for letting go of what it holds.
    func finish(_ body: @Sendable (MySQLConnection) -> Void) {
        if let connection { body(connection) }
    }

    /// Closes the connection; an open transaction is undone. May be called twice.
    func close() {
        connection = nil
        isClosed = true
    }

    /// Stops the running call and refuses later ones; from any thread.
    nonisolated func interrupt() { interrupter.interrupt() }

    /// Interrupts the connection when the run is asked to stop; the key is for `Cancellation.remove`.
    nonisolated func follow(_ cancellation: Cancellation) -> Int {
        cancellation.onCancel { [interrupter] in interrupter.interrupt() }
    }

    /// Runs `body` on a connection of its own that is closed afterwards.
    static func once<R: Sendable>(
        _ configuration: MySQLConfiguration, following cancellation: Cancellation? = nil,
        _ body: @Sendable (MySQLConnection) throws -> R
    ) async throws -> R {
        let session = MySQLSession(configuration)
        let key = cancellation.map { session.follow($0) }
        defer { if let cancellation, let key { cancellation.remove(key) } }
        do {
            let result = try await session.use(body)
            await session.close()
            return result
        } catch {
            await session.close()
            throw error
        }
    }
}
