import HeadraceCSQLite
import HeadraceColumnar
import HeadraceCore

/// Writes encoded rows into a table with prepared statements, and tells what became of each: counted by SQLite, never
/// taken from the batch.
struct SQLiteRowWriter: Sendable {
    struct Outcome: Sendable {
        var counts = WriteCounts()
        var refusals: [SQLiteRefusal] = []
    }

    private let rowsPerStatement: Int
    private let columnCount: Int
    private let many: String
    private let one: String
    /// For upserts and merges: updates the row of the same keys; nil when nothing but keys could differ.
    private let update: String?
    /// For merges: finds whether a row of the same keys is there.
    private let probe: String?
    private let isUpsert: Bool
    /// For histories.
    private let history: SQLiteHistorySQL?

    /// The writer of a plan's mode.
    init(_ plan: SQLiteTablePlan) {
        switch plan.mode {
        case .append, .replace: self.init(inserting: plan)
        case .upsert, .mirror: self.init(upserting: plan, updating: plan.valueColumns)
        case .insert: self.init(upserting: plan, updating: [])
        case .merge: self.init(merging: plan, updating: plan.valueColumns)
        case .history: self.init(versioning: plan)
        }
    }

    /// Adds versions of rows that differ from the one that held.
    private init(versioning plan: SQLiteTablePlan) {
        rowsPerStatement = 1
        columnCount = plan.columns.count
        (many, one) = ("", "")
        update = nil
        probe = nil
        isUpsert = false
        history = SQLiteHistorySQL(plan)
    }

    /// Inserts every row.
    init(inserting plan: SQLiteTablePlan) {
        rowsPerStatement = plan.rowsPerStatement
        columnCount = plan.columns.count
        many = plan.insertSQL(rows: plan.rowsPerStatement)
        one = plan.insertSQL(rows: 1)
        update = nil
        probe = nil
        isUpsert = false
        history = nil
    }

    /// Inserts rows whose keys are not there and updates the columns `updating` of those that are and differ.
    init(upserting plan: SQLiteTablePlan, updating: [Int]) {
        rowsPerStatement = 1
        columnCount = plan.columns.count
        many = plan.insertAbsentSQL
        one = plan.insertAbsentSQL
        update = plan.updateSQL(updating)
        probe = nil
        isUpsert = true
        history = nil
    }

    /// As an upsert, into a table whose rows the keys need not tell apart: all rows of the same keys are updated. Rows that
    /// are there are never inserted, so that they may lack columns which a new row needs.
    init(merging plan: SQLiteTablePlan, updating: [Int]) {
        rowsPerStatement = 1
        columnCount = plan.columns.count
        many = plan.insertSQL(rows: 1)
        one = many
        update = plan.updateSQL(updating)
        probe = plan.probeSQL
        isUpsert = false
        history = nil
    }

    /// Writes the rows of a batch in order.
    func write(_ batch: SQLiteEncodedBatch, to connection: SQLiteConnection) throws -> Outcome {
        let binder = SQLiteBinder(batch.columns)
        var outcome = Outcome()
        defer { withExtendedLifetime(batch) {} }
        if let history {
            try version(batch, history, binder, connection, &outcome)
        } else if let probe {
            try merge(batch, probe, binder, connection, &outcome)
        } else if isUpsert {
            try upsert(batch, binder, connection, &outcome)
        } else {
            try insert(batch, binder, connection, &outcome)
        }
        return outcome
    }

    // MARK: - Inserting

    private func insert(
        _ batch: SQLiteEncodedBatch, _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection,
        _ outcome: inout Outcome
    ) throws(SQLiteFailure) {
        var next = 0
        var trusts = true
        while next < batch.count {
            let size = min(rowsPerStatement, batch.count - next)
            let before = outcome.refusals.count
            if size == rowsPerStatement, size > 1, trusts {
                trusts = try insertTogether(batch, next, binder, connection, &outcome)
                if trusts {
                    next += size
                    continue
                }
            }
            for index in next..<next + size {
                try insertAlone(batch.row(index), binder, connection, &outcome)
            }
            // After a piece with refused rows the next goes row by row at once; a clean one restores the trust.
            trusts = outcome.refusals.count == before
            next += size
        }
    }

    /// Inserts a piece with one statement; false, with nothing inserted, when a constraint refuses one of its rows.
    private func insertTogether(
        _ batch: SQLiteEncodedBatch, _ first: Int, _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection,
        _ outcome: inout Outcome
    ) throws(SQLiteFailure) -> Bool {
        let lease = try connection.borrow(many)
        defer { connection.giveBack(lease) }
        var parameter: Int32 = 1
        for index in first..<first + rowsPerStatement {
            guard binder.bind(batch.row(index), from: parameter, to: lease.handle) == SQLITE_OK else {
                throw connection.failure(many)
            }
            parameter &+= Int32(columnCount)
        }
        guard try Self.run(lease, connection) == nil else { return false }
        outcome.counts.inserted += connection.changes
        return true
    }

    private func insertAlone(
        _ row: Int, _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection, _ outcome: inout Outcome
    ) throws(SQLiteFailure) {
        switch try execute(one, row, binder, connection) {
        case .changed(let rows): outcome.counts.inserted += rows
        case .refused(let failure): outcome.refusals.append(SQLiteRefusal(row: row, failure))
        }
    }

    // MARK: - Upserting

    private func upsert(
        _ batch: SQLiteEncodedBatch, _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection,
        _ outcome: inout Outcome
    ) throws(SQLiteFailure) {
        // Rows come in runs of new and known ones: what the last one was is tried first.
        var expectsKnown = false
        for index in 0..<batch.count {
            let row = batch.row(index)
            if expectsKnown, let update {
                switch try execute(update, row, binder, connection) {
                case .refused(let failure):
                    outcome.refusals.append(SQLiteRefusal(row: row, failure))
                    continue
                case .changed(let rows) where rows > 0:
                    outcome.counts.updated += rows
                    continue
                case .changed: break
                }
            }
            switch try execute(one, row, binder, connection) {
            case .refused(let failure): outcome.refusals.append(SQLiteRefusal(row: row, failure))
            case .changed(let rows) where rows > 0:
                outcome.counts.inserted += rows
                expectsKnown = false
            case .changed:
                guard !expectsKnown, let update else {
                    outcome.counts.unchanged += 1
                    continue
                }
                expectsKnown = true
                switch try execute(update, row, binder, connection) {
                case .refused(let failure): outcome.refusals.append(SQLiteRefusal(row: row, failure))
                case .changed(let rows):
                    outcome.counts.updated += rows
                    if rows == 0 { outcome.counts.unchanged += 1 }
                }
            }
        }
    }

    // MARK: - Merging

    private func merge(
        _ batch: SQLiteEncodedBatch, _ probe: String, _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection,
        _ outcome: inout Outcome
    ) throws(SQLiteFailure) {
        for index in 0..<batch.count {
            let row = batch.row(index)
            if let update {
                switch try execute(update, row, binder, connection) {
                case .refused(let failure):
                    outcome.refusals.append(SQLiteRefusal(row: row, failure))
                    continue
                case .changed(let rows) where rows > 0:
                    outcome.counts.updated += 1
                    continue
                case .changed: break
                }
            }
            if try isThere(probe, row, binder, connection) {
                outcome.counts.unchanged += 1
            } else {
                try insertAlone(row, binder, connection, &outcome)
            }
        }
    }

    private func isThere(
        _ probe: String, _ row: Int, _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> Bool {
        let lease = try connection.borrow(probe)
        defer { connection.giveBack(lease) }
        try bind(row, binder, lease, connection)
        return try lease.step()
    }

    // MARK: - One statement

    /// Binds a row to a statement that may use fewer parameters than an insert.
    func bind(
        _ row: Int, _ binder: borrowing SQLiteBinder, _ statement: SQLiteStatement, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) {
        let status = binder.bind(row, from: 1, to: statement.handle, limit: statement.parameterCount)
        guard status == SQLITE_OK else { throw connection.failure(statement.sql) }
    }

    enum Result {
        case changed(Int)
        case refused(SQLiteFailure)
    }

    func execute(
        _ sql: String, _ row: Int, _ binder: borrowing SQLiteBinder, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> Result {
        let lease = try connection.borrow(sql)
        defer { connection.giveBack(lease) }
        try bind(row, binder, lease, connection)
        if let failure = try Self.run(lease, connection) { return .refused(failure) }
        return .changed(connection.changes)
    }

    /// Runs a statement without rows.
    /// - Returns: why a constraint refused it; the transaction goes on as if it had not been run.
    static func run(
        _ statement: SQLiteStatement, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> SQLiteFailure? {
        do {
            _ = try statement.step()
            statement.reset()
            return nil
        } catch  where error.isConstraint && connection.isInTransaction {
            return error
        }
    }
}
