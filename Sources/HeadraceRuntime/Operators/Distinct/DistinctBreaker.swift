import HeadraceColumnar
import HeadraceCore

/// Keeps one row of each key; the others are merged into it or refused.
///
/// Null keys are equal to each other, as in SQL's DISTINCT. Which row is kept depends on `order`, then on the place in
/// the source, never on arrival. Rows leave a partition in the order of their sources. While others are merged,
/// memory is bounded by the number of keys; when they are refused, all rows are kept until the end.
final class DistinctBreaker: Breaker {
    let inputs = 1
    let schema: Schema
    let partitions = PartitionStore.partitionCount
    private let rows: CarriedRows
    private let best: BestRows
    private let others: DistinctSpecification.Others
    private let keyNames: [String]
    private let state: OperatorState
    private let store: PartitionStore
    private let sourceOrder: RowOrdering

    /// - Throws: `schemaMismatch` when a key or sort column is not in `input`.
    init(_ specification: DistinctSpecification, input: Schema, context: RunContext) throws {
        let check = SchemaCheck(step: specification.step, schema: input)
        let keys = try check.positions(of: specification.keys, for: "a key")
        let orders = try check.orders(of: specification.order)
        schema = input
        rows = try CarriedRows(input, keys: keys, step: specification.step, files: context.files)
        best = BestRows(
            keys: keys, hash: rows.hash,
            ordering: RowOrdering(orders, in: rows, latestFirst: orders.isEmpty && specification.keepsLast))
        others = specification.others
        keyNames = specification.keys
        state = OperatorState(step: specification.step, context: context)
        let merge: PartitionStore.Merge? = others == .merged ? best.of : nil
        store = PartitionStore(schema: rows.schema, hash: rows.hash, keys: keys, state: state, merge: merge)
        sourceOrder = RowOrdering([], in: rows)
    }

    func consume(_ batch: Batch, input: Int, emit: (Batch) throws -> Void) throws {
        state.counts.add(input: batch.count)
        try store.add(rows.carry(batch))
    }

    func finishInput(_ input: Int) throws {}

    func produce(partition: Int, emit: (Batch) throws -> Void) throws {
        let kept = ExternalSorter(schema: rows.schema, ordering: sourceOrder, state: state)
        let refused = others == .merged ? nil : RefusedRows(rows, state: state)
        try store.forEachPart(of: store.takeOut(partition), merge: best.of) { block, merged, all in
            try kept.add(block)
            if let refused {
                try refused.add(all, notIn: block, of: store, best: best)
            } else {
                state.counts.add(merged: merged)
            }
        }
        var sequence = BatchSequence(partition: partition)
        try kept.finish { try emit(rows.batch($0, sequence: sequence.take())) }
        guard let refused, case .rejected(let rule) = others else { return }
        try refused.finish(rule: rule, keys: keyNames, schema: schema, sequence: &sequence) { batch in
            state.counts.add(rejected: batch.rejects.count)
            try emit(batch)
        }
    }

    var account: BreakerAccount {
        var account = state.counts.account
        account.merged += store.mergedRows
        return account
    }

    func discard() {
        store.discard()
        state.discard()
    }
}
