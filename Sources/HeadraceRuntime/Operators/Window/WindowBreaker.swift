import HeadraceColumnar
import HeadraceCore

/// Adds columns computed over partitions of ordered rows.
///
/// Null partition values are equal to each other. Rows that the order does not tell apart follow in the order of their sources; they
/// are peers for rank and dense rank, and frames count rows. First and last value are those of the whole partition,
/// and lag and lead beyond it are null. Rows come out window partition by window partition, in its order; the order of the input is
/// not restored. Without partition columns all rows are one window partition. A sum or mean beyond its type makes its row a
/// reject with code `overflow`.
///
/// Rows are sorted with spilling, but one window partition at a time must fit into memory, into half of the run's budget
/// when there is no more to be had: else the step fails with `outOfBudget` and names it.
final class WindowBreaker: Breaker {
    let inputs = 1
    let partitions: Int
    private let plan: WindowPlan
    private let rows: CarriedRows
    private let state: OperatorState
    private let store: PartitionStore

    /// - Throws: `schemaMismatch` when a column is not in `input` or of a type that its function cannot use.
    init(_ specification: WindowSpecification, input: Schema, context: RunContext) throws {
        plan = try WindowPlan(specification, input: input)
        rows = try CarriedRows(input, keys: plan.partition, step: specification.step, files: context.files)
        state = OperatorState(step: specification.step, context: context)
        store = PartitionStore(schema: rows.schema, hash: rows.hash, keys: plan.partition, state: state)
        partitions = plan.partition.isEmpty ? 1 : PartitionStore.partitionCount
    }

    var schema: Schema { plan.output }

    func consume(_ batch: Batch, input: Int, emit: (Batch) throws -> Void) throws {
        state.counts.add(input: batch.count)
        try store.add(rows.carry(batch))
    }

    func finishInput(_ input: Int) throws {}

    func produce(partition: Int, emit: (Batch) throws -> Void) throws {
        let keys = plan.partition.map { (column: $0, order: SortOrder.ascending) }
        let sorter = ExternalSorter(
            schema: rows.schema, ordering: RowOrdering(keys + plan.orders, in: rows), state: state)
        try store.forEachBlock(of: store.takeOut(partition)) { try sorter.add($0) }
        var sequence = BatchSequence(partition: partition)
        var groups = WindowGroups(keys: plan.partition, state: state)
        try sorter.finish { piece in
            if let whole = try groups.add(piece) { try compute(whole, &sequence, emit) }
        }
        if let whole = groups.finish() { try compute(whole, &sequence, emit) }
    }

    /// Computes the functions over whole window partitions and hands the rows on.
    private func compute(
        _ groups: WindowGroups.Whole, _ sequence: inout BatchSequence, _ emit: (Batch) throws -> Void
    ) throws {
        let block = groups.block
        let ordering = block.columns(at: plan.orders.map(\.column))
        let window = WindowRows(block: block, starts: groups.starts, peers: RowEquality(ordering, ordering))
        var failures: [AggregateFailure] = []
        let added = plan.functions.map { $0.compute(window, failures: &failures) }
        var batch = rows.batch(block, sequence: 0)
        var rejects: [Reject] = []
        if !failures.isEmpty {
            var failed: Set<Int> = []
            for failure in failures.sorted(by: { $0.row < $1.row }) where failed.insert(failure.row).inserted {
                rejects.append(
                    batch.reject(
                        row: failure.row, rule: failure.field, code: "overflow", field: failure.field,
                        message: failure.message))
            }
            batch.records = RecordBatch(schema: plan.output, columns: batch.records.columns + added, count: block.count)
            let kept = (0..<Int32(block.count)).filter { !failed.contains(Int($0)) }
            batch = kept.withUnsafeBufferPointer { batch.taking($0) }
            state.counts.add(rejected: rejects.count)
        } else {
            batch.records = RecordBatch(schema: plan.output, columns: batch.records.columns + added, count: block.count)
        }
        let step = 4096
        for start in stride(from: 0, to: max(batch.count, 1), by: step) {
            var piece = Batch(
                batch.records.slice(from: start, count: min(step, batch.count - start)),
                provenance: batch.provenance, stream: batch.stream, sequence: sequence.take(),
                recordsRead: min(step, batch.count - start))
            if batch.count > step {
                let indices = (start..<start + piece.count).map { Int32(truncatingIfNeeded: $0) }
                piece.provenance = indices.withUnsafeBufferPointer { batch.provenance.selecting($0) }
            }
            piece.rejects = start == 0 ? rejects : []
            try emit(piece)
        }
    }

    var account: BreakerAccount { state.counts.account }

    func discard() {
        store.discard()
        state.discard()
    }
}
