import HeadraceColumnar
import HeadraceCore
import Synchronization

typealias JoinKind = JoinSpecification.Kind

extension JoinKind {
    /// Whether left rows without a match come out.
    var keepsUnmatched: Bool { self == .left || self == .anti }
    /// Whether columns of the right side come out.
    var addsColumns: Bool { self == .inner || self == .left }
}

/// Joins the rows of the left side (input 1) with those of the right side (input 0) by equal keys.
///
/// A key with a null matches nothing. While the right side fits into memory, left rows come out at once and in their order; if
/// not, both sides are kept by partitions, and rows come out partition by partition in the left side's source order. A left
/// row's matches follow in the source order of the right side. Rows keep the place of their left row.
///
/// The account: every right row counts as merged into the left side, or as rejected; a left row counts as one row out, its
/// second and further matches as added, and as filtered when it does not come out. So it holds for each input
/// (`inputAccounts`) and for both together.
final class JoinBreaker: Breaker {
    let inputs = 2
    let schema: Schema

    private enum Mode {
        case collecting
        case inMemory(JoinTable)
        case partitioned
    }

    private let specification: JoinSpecification
    private let leftKeys: JoinKeys
    private let rightKeys: JoinKeys
    private let leftRows: CarriedRows
    private let rightRows: CarriedRows
    /// Positions in the kept right rows of the columns that come out.
    private let rightColumns: [Int]
    private let state: OperatorState
    private let rightCounts = RowCounts()
    private let leftCounts = RowCounts()
    private let rightStore: PartitionStore
    private let leftStore: PartitionStore
    /// The refused rows of a right side in memory.
    private let refused: RefusedRows
    private let mode = Mutex(Mode.collecting)
    /// Columns of the right side that are kept, by position in its input.
    private let rightKept: [Int]

    /// - Throws: `schemaMismatch` when a key is missing or not comparable, or two columns share a name.
    init(_ specification: JoinSpecification, left: Schema, right: Schema, context: RunContext) throws {
        self.specification = specification
        let keys = try JoinKeys.both(specification, left: left, right: right)
        leftKeys = keys.left
        // Without columns to add and rows to refuse, the right side is only its keys.
        let isOnlyKeys = !specification.kind.addsColumns && !specification.rightIsUnique
        rightKept = isOnlyKeys ? Array(Set(keys.right.columns)).sorted() : Array(right.fields.indices)
        let kept = rightKept
        rightKeys = JoinKeys(
            columns: keys.right.columns.map { column in kept.firstIndex(of: column) ?? 0 }, types: keys.right.types)
        let added = right.fields.indices.filter { specification.kind.addsColumns && !keys.right.columns.contains($0) }
        rightColumns = added.map { column in kept.firstIndex(of: column) ?? 0 }
        let addedFields = added.map { index -> Field in
            var field = right.fields[index]
            if specification.kind == .left { field.isNullable = true }
            return field
        }
        schema = try SchemaCheck(step: specification.step, schema: left).output(left.fields + addedFields)
        let state = OperatorState(step: specification.step, context: context)
        self.state = state
        leftRows = try CarriedRows(left, keys: keys.left.columns, step: specification.step, files: context.files)
        rightRows = try CarriedRows(
            Schema(kept.map { right.fields[$0] }), keys: rightKeys.columns, step: specification.step,
            files: context.files)
        let distinct = DistinctKeys(keys: rightKeys, hash: rightRows.hash)
        rightStore = PartitionStore(
            schema: rightRows.schema, hash: rightRows.hash, keys: rightKeys.columns, state: state,
            merge: isOnlyKeys ? distinct.of : nil)
        leftStore = PartitionStore(
            schema: leftRows.schema, hash: leftRows.hash, keys: leftKeys.columns, state: state)
        refused = RefusedRows(rightRows, state: state)
    }

    /// What each input's rows became: the right side's first.
    var inputAccounts: [BreakerAccount] {
        var right = rightCounts.account
        right.merged += rightStore.mergedRows
        return [right, leftCounts.account]
    }

    var account: BreakerAccount { inputAccounts[0] + inputAccounts[1] }

    func discard() {
        mode.withLock { $0 = .collecting }
        rightStore.discard()
        leftStore.discard()
        state.discard()
    }

    // MARK: - Input

    func consume(_ batch: Batch, input: Int, emit: (Batch) throws -> Void) throws {
        if input == 0 { return try consumeRight(batch) }
        leftCounts.add(input: batch.count)
        let values = leftKeys.values(batch.records.columns)
        let hashes = CarriedRows.hashColumn(values, count: batch.count)
        switch mode.withLock({ $0 }) {
        case .inMemory(let table): try join(batch, values, hashes, table, emit)
        case .partitioned: try keepLeft(batch, values, hashes)
        case .collecting: throw HeadraceError.cancelled
        }
    }

    private func consumeRight(_ batch: Batch) throws {
        rightCounts.add(input: batch.count)
        let columns = rightKept.map { batch.records.columns[$0] }
        let kept = batch.with(RecordBatch(schema: rightRows.input, columns: columns, count: batch.count))
        let values = rightKeys.values(columns)
        var rows = rightRows.carry(kept, hash: CarriedRows.hashColumn(values, count: batch.count))
        if let complete = JoinKeys.complete(values) {
            rightCounts.add(merged: batch.count - complete.count)
            rows = complete.withUnsafeBufferPointer { Kernels.take(rows, indices: $0) }
        }
        if rows.count > 0 { try rightStore.add(rows) }
    }

    func finishInput(_ input: Int) throws {
        guard input == 0 else { return }
        let bytes = rightStore.rowBytes
        // Sorting and building need as much again twice over.
        if !rightStore.hasSpilled && bytes <= PartitionStore.mostBlockBytes && state.budget.reserve(2 * bytes) {
            var rows = PartitionStore.Rows()
            for partition in 0..<PartitionStore.partitionCount {
                let part = rightStore.takeOut(partition)
                rows.blocks += part.blocks
                rows.bytes += part.bytes
            }
            let block = rows.blocks.isEmpty ? RecordBatch(empty: rightRows.schema) : KeptBlock.joined(rows.blocks)
            let table = try build(block, refused)
            rows.blocks = []
            state.budget.force(table.byteCount)
            state.budget.release(2 * bytes + rows.bytes)
            mode.withLock { $0 = .inMemory(table) }
            return
        }
        // Left rows need the memory now.
        try rightStore.spillAll()
        mode.withLock { $0 = .partitioned }
    }

    /// The table over complete right rows; those that must not be there go to `refused`.
    private func build(_ block: RecordBatch, _ refused: RefusedRows) throws -> JoinTable {
        let sorted = RowOrdering([], in: rightRows).sorted(block)
        let table = JoinTable(
            sorted, keys: rightKeys, hash: rightRows.hash, isUnique: specification.rightIsUnique)
        try refused.add(sorted, table.refused, holders: table.holders, of: sorted)
        rightCounts.add(merged: sorted.count - table.refused.count)
        return table
    }

    // MARK: - In memory

    private func join(
        _ batch: Batch, _ values: [ColumnVector], _ hashes: ColumnVector, _ table: JoinTable,
        _ emit: (Batch) throws -> Void
    ) throws {
        try probe(values, hashes, table) { matches in
            if matches.isIdentity(batch.count) {
                return try matches.forEachPart { _, right in try emit(joined(batch, right, table)) }
            }
            try matches.forEachPart { left, right in try emit(joined(batch.taking(left), right, table)) }
        }
    }

    /// The left rows `batch` with the columns of the right rows `right`.
    private func joined(_ batch: Batch, _ right: UnsafeBufferPointer<Int32>, _ table: JoinTable) -> Batch {
        var result = batch
        result.records = RecordBatch(
            schema: schema,
            columns: batch.records.columns
                + rightColumns.map { Kernels.takeNullable(table.rows.columns[$0], indices: right) },
            count: batch.count)
        return result
    }

    /// Finds the matches of left rows, some thousand pairs at a time.
    private func probe(
        _ values: [ColumnVector], _ hashes: ColumnVector, _ table: JoinTable, _ body: (JoinMatches) throws -> Void
    ) throws {
        var row = 0
        while row < hashes.count {
            let matches = table.probe(
                values, hashes: hashes, from: row, kind: specification.kind, isUnique: specification.rightIsUnique)
            leftCounts.add(added: matches.added, filtered: matches.filtered)
            try body(matches)
            row = matches.end
        }
    }

    // MARK: - By partitions

    private func keepLeft(_ batch: Batch, _ values: [ColumnVector], _ hashes: ColumnVector) throws {
        var rows = leftRows.carry(batch, hash: hashes)
        if !specification.kind.keepsUnmatched, let complete = JoinKeys.complete(values) {
            leftCounts.add(filtered: batch.count - complete.count)
            rows = complete.withUnsafeBufferPointer { Kernels.take(rows, indices: $0) }
        }
        if rows.count > 0 { try leftStore.add(rows) }
    }

    var partitions: Int {
        switch mode.withLock({ $0 }) {
        case .collecting: 0
        case .inMemory: refused.count > 0 ? 1 : 0
        case .partitioned: PartitionStore.partitionCount
        }
    }

    func produce(partition: Int, emit: (Batch) throws -> Void) throws {
        var sequence = BatchSequence(partition: partition)
        var refused = refused
        if case .partitioned = mode.withLock({ $0 }) {
            refused = RefusedRows(rightRows, state: state)
            let output = JoinOutput(leftRows, rightRows, rightColumns, added: schema, state: state)
            try join(rightStore.takeOut(partition), leftStore.takeOut(partition), level: 0, output, refused)
            try output.finish(schema, sequence: &sequence, emit: emit)
        }
        try refused.finish(
            rule: "one right row a key", keys: rightKeys.columns.map { rightRows.input.fields[$0].name },
            schema: schema, sequence: &sequence
        ) { batch in
            rightCounts.add(rejected: batch.rejects.count)
            try emit(batch)
        }
    }

    /// Joins what is in the same partition of both sides, parted further while the right side does not fit.
    private func join(
        _ right: PartitionStore.Rows, _ left: PartitionStore.Rows, level: Int, _ output: JoinOutput,
        _ refused: RefusedRows
    ) throws {
        // Sorting and building need as much again twice over.
        if let loaded = try rightStore.loadPart(right, merge: rightStore.merge, level: level, copies: 2) {
            let table = try build(loaded.block ?? RecordBatch(empty: rightRows.schema), refused)
            rightCounts.add(merged: loaded.merged)
            let bytes = table.byteCount
            state.budget.exchange(loaded.bytes + right.bytes, for: bytes)
            try leftStore.forEachBlock(of: left) { block in
                try probe(leftKeys.values(block.columns), block.columns[leftRows.hash], table) { matches in
                    try output.add(block, matches, table)
                }
            }
            state.budget.release(bytes)
            return
        }
        let rightParts = try rightStore.split(right, level: level + 1)
        let leftParts = try leftStore.split(left, level: level + 1)
        for (rightPart, leftPart) in zip(rightParts, leftParts) {
            try join(rightPart, leftPart, level: level + 1, output, refused)
        }
    }
}
