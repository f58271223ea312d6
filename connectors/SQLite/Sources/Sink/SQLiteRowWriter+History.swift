import HeadraceColumnar
import HeadraceCore

/// One row of a history's batch and what its statements are bound to beside its values.
private struct VersionedRow {
    let row: Int
    /// Since when it holds, where another version says so; nil for the row's own time.
    let moment: SQLiteValue?
}

extension SQLiteRowWriter {
    /// Lets the rows of a batch take effect one after another: each adds a version, puts one right or changes nothing.
    func version(
        _ batch: SQLiteEncodedBatch, _ history: SQLiteHistorySQL, _ binder: borrowing SQLiteBinder,
        _ connection: SQLiteConnection, _ outcome: inout Outcome
    ) throws {
        for index in 0..<batch.count {
            let number = batch.row(index)
            let row = VersionedRow(row: number, moment: try moment(of: number, history, binder, connection))
            if let same = try values(history.same, row, history, binder, connection) {
                guard same[0] == .integer(1), let correct = history.correct else {
                    outcome.counts.unchanged += 1
                    continue
                }
                if let failure = try execute(correct, row, nil, history, binder, connection) {
                    outcome.refusals.append(SQLiteRefusal(row: number, failure))
                } else {
                    outcome.counts.updated += 1
                }
                continue
            }
            let holding = try values(history.holding, row, history, binder, connection)
            if let holding, holding[0] == .integer(0) {
                outcome.counts.unchanged += 1
                continue
            }
            var until = holding?[1] ?? .null
            if holding == nil, let next = try values(history.next, row, history, binder, connection) { until = next[0] }
            if let failure = try begin(row, ending: holding?[2], until: until, history, binder, connection) {
                outcome.refusals.append(SQLiteRefusal(row: number, failure))
            } else {
                outcome.counts.inserted += 1
            }
        }
    }

    /// Since when a row holds that the run dates: where a clock has gone back, from just after the newest version, so that the
    /// row is neither a late one nor changes what is there. Nil for the row's own time.
    private func moment(
        of row: Int, _ history: SQLiteHistorySQL, _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection
    ) throws -> SQLiteValue? {
        guard let newest = history.newest else { return nil }
        let lease = try connection.borrow(newest)
        defer { connection.giveBack(lease) }
        try bind(row, binder, lease, connection)
        guard try lease.step(), lease.integer(1) == 1 else { return nil }
        return try history.time(after: lease.text(0) ?? "")
    }

    /// Ends the version that held, where one did, and begins the row's: both or, when a constraint refuses, neither.
    private func begin(
        _ row: VersionedRow, ending holding: SQLiteValue?, until: SQLiteValue, _ history: SQLiteHistorySQL,
        _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> SQLiteFailure? {
        try connection.execute("SAVEPOINT headrace")
        var failure: SQLiteFailure?
        if let holding { failure = try execute(history.end, row, holding, history, binder, connection) }
        if failure == nil { failure = try execute(history.begin, row, until, history, binder, connection) }
        if failure != nil { try connection.execute("ROLLBACK TO headrace") }
        try connection.execute("RELEASE headrace")
        return failure
    }

    /// Runs a statement without rows; `extra` is the time that another statement found.
    private func execute(
        _ sql: String, _ row: VersionedRow, _ extra: SQLiteValue?, _ history: SQLiteHistorySQL,
        _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> SQLiteFailure? {
        let lease = try connection.borrow(sql)
        defer { connection.giveBack(lease) }
        try bind(row, history, binder, lease, connection)
        if let extra { try lease.bind(extra, at: history.extra) }
        return try Self.run(lease, connection)
    }

    /// The first row that a statement finds.
    private func values(
        _ sql: String, _ row: VersionedRow, _ history: SQLiteHistorySQL, _ binder: borrowing SQLiteBinder,
        _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> [SQLiteValue]? {
        let lease = try connection.borrow(sql)
        defer { connection.giveBack(lease) }
        try bind(row, history, binder, lease, connection)
        guard try lease.step() else { return nil }
        return (0..<lease.columnCount).map { lease.value($0) }
    }

    private func bind(
        _ row: VersionedRow, _ history: SQLiteHistorySQL, _ binder: borrowing SQLiteBinder,
        _ statement: SQLiteStatement, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) {
        try bind(row.row, binder, statement, connection)
        // It takes the place of the row's own time.
        if let moment = row.moment { try statement.bind(moment, at: history.time) }
    }
}
