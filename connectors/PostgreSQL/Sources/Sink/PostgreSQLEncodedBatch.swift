import HeadraceColumnar
import HeadraceCore

/// A batch in the form that the server takes, made by a worker, with the rows that the table cannot hold.
public struct PostgreSQLEncodedBatch: Sendable {
    let batch: Batch
    /// The rows of a binary COPY; nil for fact loads, which look at the rows themselves.
    let rows: PostgreSQLEncodedRows?
    let rejects: [Reject]

    /// A batch for a fact load.
    init(facts batch: Batch) {
        self.batch = batch
        rows = nil
        rejects = []
    }

    /// Encodes the rows of a batch as a plan says.
    init(_ batch: Batch, plan: PostgreSQLTablePlan) {
        self.batch = batch
        let encoded = plan.encoder.encode(batch.records)
        rows = encoded
        rejects = encoded.misfits.map { column, misfit in
            batch.reject(
                row: misfit.row, rule: "column \(column)", code: misfit.code, field: column, message: misfit.message)
        }
    }
}
