import HeadraceColumnar
import HeadraceCore

/// The statements by which one row of a history (type 2) takes effect. Their parameters are numbered as in an insert; one
/// behind those is a time that another statement found.
struct SQLiteHistorySQL: Sendable {
    /// Whether the version of the very same time differs; no row where there is none.
    let same: String
    /// Puts the version of the same time right; nil where nothing but keys could differ.
    let correct: String?
    /// Whether the version that held differs, when it ended and when it began; no row where none did.
    let holding: String
    /// When the next version begins.
    let next: String
    /// Ends the version that began at the parameter behind the row's.
    let end: String
    /// Begins a version that ends at the parameter behind the row's, or has not ended.
    let begin: String
    /// The number of the parameter behind the row's.
    let extra: Int

    /// Nil for a plan of another mode.
    init?(_ plan: SQLiteTablePlan) {
        guard let history = plan.mode.history, let time = plan.time else { return nil }
        let table = SQLiteName.quoted(plan.table)
        let (from, until, current) = (
            SQLiteName.quoted(history.from), SQLiteName.quoted(history.until), SQLiteName.quoted(history.current)
        )
        extra = plan.columns.count + 1
        let keys = plan.sameKeys(by: "=")
        // Texts of instants order as their times do once the Z is gone: ".5Z" is before "Z".
        func order(_ time: String, _ type: DataType) -> String {
            if case .timestamp(_?) = type { "rtrim(\(time), 'Z')" } else { time }
        }
        func inOrder(_ text: String) -> String { order(text, time.type) }
        let given = "?\(time.column + 1)"
        // A clock that has gone back must not make the newest row a late one.
        let latest = "(SELECT \(from) FROM \(table) WHERE \(keys) ORDER BY \(inOrder(from)) DESC LIMIT 1)"
        let moment =
            plan.fields[time.column] != nil
            ? given : "(CASE WHEN \(inOrder(latest)) > \(inOrder(given)) THEN \(latest) ELSE \(given) END)"
        let differs = "(\(plan.difference(in: plan.valueColumns)))"
        same = "SELECT \(differs) FROM \(table) WHERE \(keys) AND \(from) = \(moment)"
        let changes = plan.valueColumns.map { "\(SQLiteName.quoted(plan.columns[$0])) = ?\($0 + 1)" }
        correct =
            changes.isEmpty
            ? nil
            : "UPDATE OR ABORT \(table) SET \(changes.joined(separator: ", ")) WHERE \(keys) AND \(from) = \(moment)"
        holding = """
            SELECT \(differs), \(until), \(from) FROM \(table) WHERE \(keys) AND \(inOrder(from)) < \(inOrder(moment)) \
            AND (\(until) IS NULL OR \(inOrder(until)) > \(inOrder(moment))) ORDER BY \(inOrder(from)) DESC LIMIT 1
            """
        next = """
            SELECT \(from) FROM \(table) WHERE \(keys) AND \(inOrder(from)) > \(inOrder(moment)) \
            ORDER BY \(inOrder(from)) LIMIT 1
            """
        end = "UPDATE OR ABORT \(table) SET \(until) = \(moment), \(current) = 0 WHERE \(keys) AND \(from) = ?\(extra)"
        let values = plan.columns.indices.map { $0 == time.column ? moment : "?\($0 + 1)" }.joined(separator: ", ")
        begin = """
            INSERT OR ABORT INTO \(table) (\(SQLiteName.list(plan.columns)), \(until), \(current)) \
            VALUES (\(values), ?\(extra), ?\(extra) IS NULL)
            """
    }

    /// What a row runs, for `plan`.
    var statements: [String] { [same] + (correct.map { [$0] } ?? []) + [holding, next, end, begin] }
}

extension SQLiteRowWriter {
    /// Lets the rows of a batch take effect one after another: each adds a version, puts one right or changes nothing.
    func version(
        _ batch: SQLiteEncodedBatch, _ history: SQLiteHistorySQL, _ binder: borrowing SQLiteBinder,
        _ connection: SQLiteConnection, _ outcome: inout Outcome
    ) throws(SQLiteFailure) {
        for index in 0..<batch.count {
            let row = batch.row(index)
            if let same = try values(history.same, row, binder, connection) {
                guard same[0] == .integer(1), let correct = history.correct else {
                    outcome.counts.unchanged += 1
                    continue
                }
                switch try execute(correct, row, binder, connection) {
                case .refused(let failure): outcome.refusals.append(SQLiteRefusal(row: row, failure))
                case .changed: outcome.counts.updated += 1
                }
                continue
            }
            let holding = try values(history.holding, row, binder, connection)
            if let holding, holding[0] == .integer(0) {
                outcome.counts.unchanged += 1
                continue
            }
            var until = holding?[1] ?? .null
            if holding == nil, let next = try values(history.next, row, binder, connection) { until = next[0] }
            if let failure = try begin(row, ending: holding?[2], until: until, history, binder, connection) {
                outcome.refusals.append(SQLiteRefusal(row: row, failure))
            } else {
                outcome.counts.inserted += 1
            }
        }
    }

    /// Ends the version that held, where one did, and begins the row's: both or, when a constraint refuses, neither.
    private func begin(
        _ row: Int, ending holding: SQLiteValue?, until: SQLiteValue, _ history: SQLiteHistorySQL,
        _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> SQLiteFailure? {
        try connection.execute("SAVEPOINT headrace")
        var failure: SQLiteFailure?
        if let holding {
            failure = try execute(history.end, row, (holding, history.extra), binder, connection)
        }
        if failure == nil { failure = try execute(history.begin, row, (until, history.extra), binder, connection) }
        if failure != nil { try connection.execute("ROLLBACK TO headrace") }
        try connection.execute("RELEASE headrace")
        return failure
    }

    private func execute(
        _ sql: String, _ row: Int, _ extra: (value: SQLiteValue, parameter: Int), _ binder: borrowing SQLiteBinder,
        _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> SQLiteFailure? {
        let lease = try connection.borrow(sql)
        defer { connection.giveBack(lease) }
        try bind(row, binder, lease, connection)
        try lease.bind(extra.value, at: extra.parameter)
        return try Self.run(lease, connection)
    }

    /// The first row that a statement finds.
    private func values(
        _ sql: String, _ row: Int, _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> [SQLiteValue]? {
        let lease = try connection.borrow(sql)
        defer { connection.giveBack(lease) }
        try bind(row, binder, lease, connection)
        guard try lease.step() else { return nil }
        return (0..<lease.columnCount).map { lease.value($0) }
    }
}
