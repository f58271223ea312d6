import HeadraceColumnar
import HeadraceCore

/// The different values of one column in each group, for a count of them: kept as pairs of keys and value, partitioned like
/// the groups, parted further by the value.
final class DistinctValues: Sendable {
    private let plan: AggregatePlan
    private let distinct: AggregatePlan.Distinct
    private let schema: Schema
    private let store: PartitionStore

    init(_ plan: AggregatePlan, _ distinct: AggregatePlan.Distinct, input: Schema, state: OperatorState) {
        self.plan = plan
        self.distinct = distinct
        let keys = plan.keys.enumerated().map { Field("key \($0)", input.fields[$1].type) }
        let fields =
            keys + [
                Field("value", input.fields[distinct.column].type), Field("keys", .uint64, nullable: false),
                CarriedRows.hashField,
            ]
        let schema = Schema(fields)
        self.schema = schema
        let columns = Array(0...plan.keys.count)
        store = PartitionStore(
            schema: schema, hash: schema.count - 1, keys: columns, state: state,
            merge: { block in
                let pairs = block.columns(at: columns)
                let groups = KeyGroups(
                    hashes: block.words(schema.count - 1), rows: block.count, equality: RowEquality(pairs, pairs))
                if groups.count == block.count { return block }
                return withExtendedLifetime(groups) { Kernels.take(block, indices: groups.firstRows) }
            })
    }

    /// Adds the values of `batch` that are not null; `groups` are its rows as the plan made them.
    func add(_ batch: Batch, _ groups: RecordBatch) throws {
        let value = batch.records.columns[distinct.column]
        let keyHashes = groups.columns[plan.hash]
        let pairs = CarriedRows.hashColumn(
            (plan.keys + [distinct.column]).map { batch.records.columns[$0] }, count: batch.count)
        // The partition is that of the group, whatever the value.
        let mixed = MutableBuffer(capacity: batch.count &* 8)
        let target = mixed.base.assumingMemoryBound(to: UInt64.self)
        let upper = keyHashes.unsafeView.values(as: UInt64.self)
        let lower = pairs.unsafeView.values(as: UInt64.self)
        let shift = Scatter.Bits.partitions.shift
        for row in 0..<batch.count {
            target[row] = (upper[row] &>> shift) &<< shift | lower[row] &>> (64 &- shift)
        }
        withExtendedLifetime((keyHashes, pairs)) {}
        let hash = ColumnVector(
            type: .uint64, count: batch.count, nullCount: 0, values: mixed.finish(byteCount: batch.count &* 8))
        var rows = RecordBatch(
            schema: schema, columns: groups.columns.prefix(plan.keys.count) + [value, keyHashes, hash],
            count: batch.count)
        if value.nullCount > 0 {
            let valid = (0..<Int32(batch.count)).filter { value.isValid(Int($0)) }
            rows = valid.withUnsafeBufferPointer { Kernels.take(rows, indices: $0) }
        }
        if rows.count > 0 { try store.add(rows) }
    }

    /// The groups of a partition with the numbers of their different values and nothing else, in one block a part.
    func counts(partition: Int, _ body: (RecordBatch) throws -> Void) throws {
        try store.forEachPart(of: store.takeOut(partition), merge: store.merge) { block, _, _ in
            let count = block.count
            let none = GroupValues<Int64>(count, repeating: .max).column(.int64, count: count)
            let ones = GroupValues<Int64>(count, repeating: 1).column(.int64, count: count)
            var columns = block.columns.prefix(plan.keys.count) + [none]
            for (index, function) in plan.functions.enumerated() {
                columns += index == distinct.function ? [ones] : function.empty(count)
            }
            columns.append(block.columns[plan.keys.count + 1])
            try body(
                plan.merge(RecordBatch(schema: plan.schema, columns: Array(columns), count: count)))
        }
    }

    func discard() { store.discard() }
}
