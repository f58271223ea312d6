import HeadraceColumnar
import HeadraceCore

/// Puts all rows in order, or only the first of them.
///
/// Rows that the sort keys do not tell apart stay in the order of their sources. Text is ordered by its UTF-8 bytes, NaN after
/// all numbers. Rows come out of one partition; rows beyond `limit` count as filtered and are dropped early, so that
/// memory is bounded by the limit.
final class SortBreaker: Breaker {
    let inputs = 1
    let schema: Schema
    let partitions = 1
    private let rows: CarriedRows
    private let state: OperatorState
    private let sorter: ExternalSorter

    /// - Throws: `schemaMismatch` when a sort column is not in `input`.
    init(step: String, keys: [SortKey], limit: Int?, input: Schema, context: RunContext) throws {
        let orders = try SchemaCheck(step: step, schema: input).orders(of: keys)
        if let limit, limit < 0 {
            throw HeadraceError(.badOption, "step \(step) keeps \(limit) rows", hint: "a limit is 0 or more")
        }
        schema = input
        rows = try CarriedRows(input, keys: nil, step: step, files: context.files)
        state = OperatorState(step: step, context: context)
        sorter = ExternalSorter(
            schema: rows.schema, ordering: RowOrdering(orders, in: rows), limit: limit, state: state)
    }

    func consume(_ batch: Batch, input: Int, emit: (Batch) throws -> Void) throws {
        state.counts.add(input: batch.count)
        let kept = rows.carry(batch, hash: nil)
        // The dictionaries of different batches have nothing in common.
        try sorter.add(
            RecordBatch(schema: kept.schema, columns: kept.columns.map(Kernels.decoded), count: kept.count))
    }

    func finishInput(_ input: Int) throws {}

    func produce(partition: Int, emit: (Batch) throws -> Void) throws {
        var sequence = BatchSequence(partition: partition)
        try sorter.finish { try emit(rows.batch($0, sequence: sequence.take())) }
    }

    var account: BreakerAccount {
        var account = state.counts.account
        account.filtered = sorter.droppedRows
        return account
    }

    func discard() {
        sorter.discard()
        state.discard()
    }
}
