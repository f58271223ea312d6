import HeadraceCore

extension PostgreSQLRowWriter {
    /// Copies the rows that break no check into the table, and the others into a stage, where every rule names its own.
    ///
    /// The server reads the rows once when all are good and twice when one is not; through a stage it would write them twice.
    /// - Returns: nil, with nothing written, where the table has no checks, where something else is refused, and where a row is
    ///   left out that no check refuses when it is alone.
    func checked(_ rows: PostgreSQLEncodedRows, _ connection: PostgreSQLConnection) throws -> Outcome? {
        let rules = try knownRules(connection).filter { $0.check != nil }
        // A trigger may put right what a check would refuse.
        guard checksTell, !rules.isEmpty, !plan.hasTriggers else { return nil }
        let all = rules.compactMap(\.check).map { "(\($0))" as SQL }.joined(by: " AND ")
        var outcome = Outcome()
        try stages.make(for: plan.columns, connection)
        try connection.script("SAVEPOINT headrace_checked")
        let failure = try attempt(connection, takesBadSQL: true) {
            outcome.counts.inserted = try copy(rows, where: "(\(all)) IS NOT FALSE", connection)
            guard outcome.counts.inserted < rows.count else { return }
            let stage = try stages.fill(plan.columns, rows, where: "(\(all)) IS FALSE", in: connection)
            try sort(stage, by: rules, connection, &outcome)
        }
        let isDone = failure == nil && outcome.counts.inserted + outcome.refusals.count == rows.count
        try connection.script(
            isDone
                ? "RELEASE SAVEPOINT headrace_checked"
                : "ROLLBACK TO SAVEPOINT headrace_checked; RELEASE SAVEPOINT headrace_checked")
        // An expression that a COPY cannot take, and a row that the table takes after all, will be there in the next batch too.
        checksTell = isDone || failure?.isRefusal == true
        return isDone ? outcome : nil
    }
}
