import HeadraceColumnar
import HeadraceCore

/// A batch in the form that SQLite takes, made by a worker, with the rows that no column of the table can hold.
public struct SQLiteEncodedBatch: Sendable {
    let batch: Batch
    /// One a column of the table, empty for fact loads.
    let columns: [SQLiteColumn]
    /// The rows to write, in order; nil when all are.
    let rows: [Int32]?
    let rejects: [Reject]

    /// A batch for a fact load, which looks at the rows itself.
    init(facts batch: Batch) {
        self.batch = batch
        columns = []
        rows = nil
        rejects = []
    }

    /// Encodes the columns of a batch as a plan says.
    /// - Parameter now: the run's time in microseconds, for a history whose rows are not dated.
    init(_ batch: Batch, plan: SQLiteTablePlan, at now: Int64 = 0) {
        let sources = zip(plan.fields, plan.encoders).map { field, encoder in
            field.map { batch.records.columns[$0] } ?? Self.constant(now, encoder.source, count: batch.count)
        }
        var misfits: [Int: (column: Int, misfit: SQLiteMisfit)] = [:]
        columns = plan.encoders.enumerated().map { index, encoder in
            var found: [SQLiteMisfit] = []
            let column = encoder.encode(sources[index], misfits: &found)
            for misfit in found where misfits[misfit.row] == nil { misfits[misfit.row] = (index, misfit) }
            return column
        }
        for key in plan.keys + (plan.time.map { [$0.column] } ?? []) {
            let column = sources[key]
            guard column.nullCount > 0 else { continue }
            let message = key == plan.time?.column ? "nothing says since when the row holds" : "a key column is null"
            for row in 0..<batch.count where !column.isValid(row) && misfits[row] == nil {
                misfits[row] = (key, SQLiteMisfit(row: row, code: "missing", message: message))
            }
        }
        self.batch = batch
        guard !misfits.isEmpty else {
            rows = nil
            rejects = []
            return
        }
        rows = (0..<batch.count).filter { misfits[$0] == nil }.map(Int32.init)
        rejects = misfits.sorted { $0.key < $1.key }.map { row, found in
            batch.reject(
                row: row, rule: "column \(plan.columns[found.column])", code: found.misfit.code,
                field: plan.fieldName(found.column, of: batch.records.schema), message: found.misfit.message)
        }
    }

    /// The run's time in every row.
    private static func constant(_ now: Int64, _ type: DataType, count: Int) -> ColumnVector {
        let days = Int32(clamping: (now >= 0 ? now : now - 86_399_999_999) / 86_400_000_000)
        let value: Scalar = type == .date32 ? .date(days) : .timestamp(now)
        return ColumnVector.of(type, Array(repeating: value, count: count)) ?? .nulls(type, count: count)
    }

    /// How many rows there are to write.
    var count: Int { rows?.count ?? batch.count }

    /// The batch's row that is number `index` of those to write.
    func row(_ index: Int) -> Int { rows.map { Int($0[index]) } ?? index }
}
