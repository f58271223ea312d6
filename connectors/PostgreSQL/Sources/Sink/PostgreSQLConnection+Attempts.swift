import HeadraceCore

extension PostgreSQLConnection {
    /// How long to wait before a piece of work that another transaction stood in the way of is tried again, in seconds.
    private static let pauses: [SQL] = ["0.01", "0.05", "0.2", "0.5", "1"]

    /// Runs `body` so that a failure that is expected leaves the transaction as it was.
    ///
    /// A deadlock or serialization failure undoes `body` alone and lets go of the locks that it took, so that the other
    /// transaction can go on; then `body` runs again. What the transaction did before stands, and so do its locks: where the
    /// other one waits for those, trying again does not help for ever.
    /// - Returns: the expected failure, nil when there was none.
    /// - Throws: every other failure, and a conflict that five more attempts do not resolve.
    func attempt(
        log: EventLog, expecting isExpected: (PostgreSQLFailure) -> Bool, _ body: () throws -> Void
    ) throws -> PostgreSQLFailure? {
        var pauses = Self.pauses[...]
        while true {
            try script("SAVEPOINT headrace")
            do { try body() } catch let failure as PostgreSQLFailure where isExpected(failure) {
                try script("ROLLBACK TO SAVEPOINT headrace; RELEASE SAVEPOINT headrace")
                return failure
            } catch let failure as PostgreSQLFailure where failure.isConflict {
                guard let pause = pauses.popFirst() else { throw failure }
                log.warning(
                    "another transaction stood in the way, trying again",
                    [("server", "\(configuration)"), ("postgresql", "\(failure.message) (SQLSTATE \(failure.state))")])
                try script("ROLLBACK TO SAVEPOINT headrace; RELEASE SAVEPOINT headrace")
                _ = try rows("SELECT pg_sleep(\(pause))") { _ in }
                continue
            }
            try script("RELEASE SAVEPOINT headrace")
            return nil
        }
    }
}
