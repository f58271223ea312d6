import HeadraceColumnar
import HeadraceCore

/// One row a group of equal keys, with its aggregates.
///
/// Null keys are equal to each other. Groups are merged while rows come in, so that memory is bounded by groups (and by
/// different values where these are counted). Groups leave a partition in the order of their first rows, as rows of
/// the step itself: their place is the step and the ordinal of the group's first row. Without keys there is one partition
/// with exactly one row, which counts as added when the input is empty. A group with a result beyond its type is a
/// reject with code `overflow`.
final class AggregateBreaker: Breaker {
    let inputs = 1
    let partitions: Int
    private let plan: AggregatePlan
    private let state: OperatorState
    private let store: PartitionStore
    private let distincts: [DistinctValues]

    /// - Throws: `schemaMismatch` when a column is not in `input` or of a type that its aggregate cannot use.
    init(_ specification: AggregateSpecification, input: Schema, context: RunContext) throws {
        let plan = try AggregatePlan(specification, input: input)
        let state = OperatorState(step: specification.step, context: context)
        self.plan = plan
        self.state = state
        partitions = plan.keys.isEmpty ? 1 : PartitionStore.partitionCount
        store = PartitionStore(
            schema: plan.schema, hash: plan.hash, keys: Array(0..<plan.keys.count), state: state, merge: plan.merge)
        distincts = plan.distincts.map { DistinctValues(plan, $0, input: input, state: state) }
    }

    var schema: Schema { plan.output }

    func consume(_ batch: Batch, input: Int, emit: (Batch) throws -> Void) throws {
        state.counts.add(input: batch.count)
        if batch.count == 0 { return }
        let groups = plan.groups(batch, files: state.context.files)
        for values in distincts { try values.add(batch, groups) }
        try store.add(groups)
    }

    func finishInput(_ input: Int) throws {}

    func produce(partition: Int, emit: (Batch) throws -> Void) throws {
        var rows = store.takeOut(partition)
        if rows.isEmpty && plan.keys.isEmpty {
            state.counts.add(added: 1)
            rows.blocks.append(KeptBlock(plan.emptyGroup()))
        }
        // The groups of counts are no rows of the input: what merges them is not counted.
        var counted = 0
        for values in distincts {
            try values.counts(partition: partition) { block in
                let kept = KeptBlock(block)
                state.budget.force(kept.byteCount)
                rows.bytes += kept.byteCount
                rows.blocks.append(kept)
                counted += block.count
            }
        }
        let sorter = ExternalSorter(
            schema: plan.schema, ordering: RowOrdering([], then: plan.row, values: plan.keys.count), state: state)
        var merged = 0
        try store.forEachPart(of: rows, merge: plan.merge) { block, count, _ in
            try sorter.add(block)
            merged += count
        }
        rows = PartitionStore.Rows()
        state.counts.add(merged: merged - counted)
        var sequence = BatchSequence(partition: partition)
        try sorter.finish { block in try emit(finished(block, sequence.take())) }
    }

    private func finished(_ block: RecordBatch, _ sequence: UInt64) -> Batch {
        let (rows, failures) = plan.finish(block)
        let file = state.context.files.index(source: state.step, file: nil)
        let lines = GroupValues<Int64>(block.count, repeating: Int64(file) << 40).column(.int64, count: block.count)
        let offsets = GroupValues<Int64>(block.count, repeating: -1).column(.int64, count: block.count)
        var batch = Batch(
            rows,
            provenance: Provenance(columns: [block.columns[plan.row], lines, offsets], files: state.context.files),
            stream: StreamID(state.step), sequence: sequence, recordsRead: block.count)
        if failures.isEmpty { return batch }
        var failed: [Int: AggregateFailure] = [:]
        for failure in failures where failed[failure.row] == nil { failed[failure.row] = failure }
        let rejects = failed.sorted { $0.key < $1.key }.map { row, failure in
            batch.reject(
                row: row, rule: failure.field, code: "overflow", field: failure.field, message: failure.message)
        }
        let kept = (0..<Int32(block.count)).filter { failed[Int($0)] == nil }
        batch = kept.withUnsafeBufferPointer { batch.taking($0) }
        batch.rejects = rejects
        state.counts.add(rejected: rejects.count)
        return batch
    }

    var account: BreakerAccount {
        var account = state.counts.account
        account.merged += store.mergedRows
        return account
    }

    func discard() {
        store.discard()
        for values in distincts { values.discard() }
        state.discard()
    }
}
