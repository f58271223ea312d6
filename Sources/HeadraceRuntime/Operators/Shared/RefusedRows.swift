import HeadraceColumnar
import HeadraceCore

/// Rows whose key another row holds, on their way to be rejects: each with the place of the row that was kept.
final class RefusedRows: Sendable {
    private let rows: CarriedRows
    private let state: OperatorState
    private let sorter: ExternalSorter
    private let schema: Schema

    init(_ rows: CarriedRows, state: OperatorState) {
        self.rows = rows
        self.state = state
        schema = Schema(
            rows.schema.fields
                + Provenance.fields.map { Field("\($0.name)_kept", $0.type, nullable: false) })
        sorter = ExternalSorter(schema: schema, ordering: RowOrdering([], in: rows), state: state)
    }

    /// Takes the rows of `all` that are not the ones in `kept`, which has one row for each of their keys.
    func add(_ all: PartitionStore.Rows, notIn kept: RecordBatch, of store: PartitionStore, best: BestRows) throws {
        let keptKeys = kept.columns(at: best.keys)
        let groups = KeyGroups(
            hashes: kept.words(best.hash), rows: kept.count, equality: RowEquality(keptKeys, keptKeys))
        // Of rows that are equal in everything one is the kept one, whichever is met first.
        var isMet = [Bool](repeating: false, count: kept.count)
        func add(_ block: RecordBatch) throws {
            let hashes = block.words(best.hash)
            let equality = RowEquality(block.columns(at: best.keys), keptKeys)
            let order = best.ordering.comparator(block, kept)
            var refused: [Int32] = []
            var holders: [Int32] = []
            for row in 0..<block.count {
                guard let holder = groups.find(hashes[row], { equality(row, $0) }) else {
                    preconditionFailure("a row's key is not among the keys of its partition")
                }
                if !isMet[holder] && order.compare(row, holder) == 0 {
                    isMet[holder] = true
                } else {
                    refused.append(Int32(truncatingIfNeeded: row))
                    holders.append(Int32(truncatingIfNeeded: holder))
                }
            }
            try self.add(block, refused, holders: holders, of: kept)
        }
        for block in all.blocks { try add(block.rows) }
        for extent in all.extents { try add(store.spill.read(extent, schema: store.schema)) }
    }

    /// Takes rows of `block`, each with the row of `kept` that holds its key.
    func add(_ block: RecordBatch, _ refused: [Int32], holders: [Int32], of kept: RecordBatch) throws {
        if refused.isEmpty { return }
        let own = refused.withUnsafeBufferPointer { Kernels.take(block, indices: $0) }
        let places = holders.withUnsafeBufferPointer { holders in
            kept.columns(at: Array(rows.provenance)).map { Kernels.take($0, indices: holders) }
        }
        try sorter.add(RecordBatch(schema: schema, columns: own.columns + places, count: own.count))
    }

    /// How many rows have been refused so far.
    var count: Int { sorter.rows }

    /// Gives the refused rows as rejects in the order of their sources, in batches of no rows of `schema`.
    func finish(
        rule: String, keys: [String], schema: Schema, sequence: inout BatchSequence, emit: (Batch) throws -> Void
    ) throws {
        var next = sequence
        defer { sequence = next }
        try sorter.finish { block in
            let count = rows.schema.count
            let refused = rows.batch(
                RecordBatch(schema: rows.schema, columns: Array(block.columns.prefix(count)), count: block.count),
                sequence: 0)
            let kept = Provenance(columns: Array(block.columns.suffix(3)), files: state.context.files)
            var batch = Batch(
                RecordBatch(empty: schema), provenance: .derived(state.step), stream: StreamID(state.step),
                sequence: next.take(), recordsRead: 0)
            batch.rejects = (0..<refused.count).map { row in
                let value = keys.compactMap { refused.records[$0]?.scalar(at: row).description }
                return refused.reject(
                    row: row, rule: rule, code: "duplicate", field: keys.count == 1 ? keys[0] : nil,
                    value: value.joined(separator: ", "),
                    message: "\(kept.place(of: row)) has the same \(keys.joined(separator: ", ")) and is kept")
            }
            try emit(batch)
        }
    }
}
