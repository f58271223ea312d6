import HeadraceCore

extension MySQLConnection {
    /// How long to wait before work that another transaction stood in the way of is tried again, in seconds.
    private static let pauses: [SQL] = ["0.01", "0.05", "0.2", "0.5", "1"]
    private static let point = MySQLName(known: "headrace_attempt")

    /// Runs `body` in the open transaction, and again where another transaction stood in its way.
    ///
    /// A statement that waited too long for a lock is undone alone, so that what the transaction did before stands. A deadlock
    /// undoes the whole transaction, and so does a time-out where the server is told so; then only `reopen` can go on. Locks of
    /// an attempt that is undone alone stay until the transaction ends.
    /// - Parameter reopen: begins the transaction anew; throws what it is given where work of it is lost that nobody could do
    ///   again.
    /// - Throws: every other failure, and a conflict that five more attempts do not resolve.
    func attempt<R>(
        log: EventLog, reopen: (MySQLFailure) throws -> Void, _ body: () throws -> R
    ) throws -> R {
        var pauses = Self.pauses[...]
        while true {
            try execute("SAVEPOINT \(Self.point)")
            let failure: MySQLFailure
            do {
                let result = try body()
                try execute("RELEASE SAVEPOINT \(Self.point)")
                return result
            } catch let found as MySQLFailure where isWorthAnotherTry(found) {
                failure = found
            }
            let isThere = try isInTransaction()
            guard let pause = pauses.popFirst() else { throw failure }
            log.warning(
                "another transaction stood in the way, trying again",
                [("server", "\(configuration)"), ("mysql", "\(failure.message) (error \(failure.number))")])
            if !isThere { try reopen(failure) }
            _ = try rows("SELECT SLEEP(\(pause))")
        }
    }

    /// A lock that was waited for as long as the user allows is not waited for again.
    private func isWorthAnotherTry(_ failure: MySQLFailure) -> Bool {
        failure.isConflict || failure.isLockTimeout && configuration.lockTimeout == nil
    }

    /// Goes back to where the attempt began; false where the transaction is gone with it.
    private func isInTransaction() throws -> Bool {
        do {
            try execute("ROLLBACK TO SAVEPOINT \(Self.point)")
            return true
        } catch {
            // There is no such savepoint any more.
            guard error.number == 1305 else { throw error }
            return false
        }
    }
}
