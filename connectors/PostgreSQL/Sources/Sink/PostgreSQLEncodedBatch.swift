import HeadraceColumnar
import HeadraceCore

/// A batch in the form that the server takes, made by a worker, with the rows that the table cannot hold.
public struct PostgreSQLEncodedBatch: Sendable {
    let batch: Batch
    /// The rows of a binary COPY; nil for fact loads, which look at the rows themselves.
    let rows: PostgreSQLEncodedRows?
    /// For a mirror: the keys of all rows, of those that are refused too. A row without a key that the table could hold has
    /// none.
    let keys: PostgreSQLEncodedRows?
    let rejects: [Reject]

    /// A batch for a fact load.
    init(facts batch: Batch) {
        self.batch = batch
        rows = nil
        keys = nil
        rejects = []
    }

    /// Encodes the rows of a batch as a plan says.
    init(_ batch: Batch, plan: PostgreSQLTablePlan) {
        self.batch = batch
        let records = batch.records.picking(plan.fields)
        let encoded = plan.encoder.encode(records)
        rows = encoded
        keys = plan.keyEncoder?.encode(records.picking(plan.keys))
        rejects = encoded.misfits.map { column, misfit in
            batch.reject(
                row: misfit.row, rule: "column \(column)", code: misfit.code,
                field: plan.fieldName(column, of: batch.records.schema), message: misfit.message)
        }
    }
}
