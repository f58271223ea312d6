import HeadraceCore

extension PostgreSQLRowWriter {
    /// Puts the rows that break a check into a stage, where every rule names its own, and copies the others into the table.
    ///
    /// The server reads every row twice and writes it once; through a stage it would write it twice. Which rows break a check is
    /// asked once: what the table's own columns would say a second time could differ.
    /// - Returns: nil, with nothing written, where the table has no checks, where something else is refused, and where a row
    ///   breaks the checks together that no check refuses when it is alone.
    func checked(_ rows: PostgreSQLEncodedRows, _ connection: PostgreSQLConnection) throws -> Outcome? {
        let rules = try knownRules(connection).filter { $0.check != nil }
        // A trigger may put right what a check would refuse.
        guard checksTell, !rules.isEmpty, !plan.hasTriggers else { return nil }
        let all = rules.compactMap(\.check).map { "(\($0))" as SQL }.joined(by: " AND ")
        var outcome = Outcome()
        try stages.make(for: plan.columns, connection)
        try connection.script("SAVEPOINT headrace_checked")
        var isWhole = false
        let failure = try attempt(connection, takesBadSQL: true) {
            outcome = Outcome()
            let stage = try stages.fill(plan.columns, rows, where: "(\(all)) IS FALSE", in: connection)
            try sort(stage, by: rules, connection, &outcome)
            let left = outcome.refusals.map { rows.index(ofBatchRow: $0.row) }.sorted()
            isWhole = try connection.first("SELECT count(*) FROM \(stage)") { $0.integer(0) } == 0
            guard isWhole else { return }
            outcome.counts.inserted = try copy(rows, without: left, connection)
        }
        let isDone = failure == nil && isWhole
        try connection.script(
            isDone
                ? "RELEASE SAVEPOINT headrace_checked"
                : "ROLLBACK TO SAVEPOINT headrace_checked; RELEASE SAVEPOINT headrace_checked")
        // An expression that a COPY cannot take, and a row that the table takes after all, will be there in the next batch too.
        checksTell = isDone || failure?.isRefusal == true
        return isDone ? outcome : nil
    }
}
