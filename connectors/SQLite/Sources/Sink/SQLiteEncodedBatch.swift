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
    init(_ batch: Batch, plan: SQLiteTablePlan) {
        var misfits: [Int: (column: Int, misfit: SQLiteMisfit)] = [:]
        columns = plan.encoders.enumerated().map { index, encoder in
            var found: [SQLiteMisfit] = []
            let column = encoder.encode(batch.records.columns[index], misfits: &found)
            for misfit in found where misfits[misfit.row] == nil { misfits[misfit.row] = (index, misfit) }
            return column
        }
        for key in plan.keys {
            let column = batch.records.columns[key]
            guard column.nullCount > 0 else { continue }
            for row in 0..<batch.count where !column.isValid(row) && misfits[row] == nil {
                misfits[row] = (key, SQLiteMisfit(row: row, code: "missing", message: "a key column is null"))
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
                field: batch.records.schema.fields[found.column].name, message: found.misfit.message)
        }
    }

    /// How many rows there are to write.
    var count: Int { rows?.count ?? batch.count }

    /// The batch's row that is number `index` of those to write.
    func row(_ index: Int) -> Int { rows.map { Int($0[index]) } ?? index }
}
