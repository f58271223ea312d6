import HeadraceColumnar
import HeadraceCore

/// Joined rows of one partition on their way out, put in the order of the left side and then of the right.
struct JoinOutput {
    private let left: CarriedRows
    private let right: CarriedRows
    private let rightColumns: [Int]
    private let schema: Schema
    private let sorter: ExternalSorter

    /// - Parameter added: the fields that come out; those after the left side's are the right side's.
    init(_ left: CarriedRows, _ right: CarriedRows, _ rightColumns: [Int], added: Schema, state: OperatorState) {
        self.left = left
        self.right = right
        self.rightColumns = rightColumns
        let addedFields = added.fields.dropFirst(left.input.count)
        schema = Schema(left.schema.fields + [Field("_headrace_right", .int64)] + addedFields)
        let rightRow = left.schema.count
        let addedColumns = rightRow + 1..<rightRow + 1 + rightColumns.count
        sorter = ExternalSorter(
            schema: schema,
            ordering: RowOrdering(
                columns: [left.row] + Array(0..<left.input.count) + [rightRow] + Array(addedColumns)),
            state: state)
    }

    /// Takes the rows of `block`, of the left side, that came out of a probe.
    func add(_ block: RecordBatch, _ matches: JoinMatches, _ table: JoinTable) throws {
        try matches.forEachPart { left, right in
            let own = Kernels.take(block, indices: left)
            let columns = ([self.right.row] + rightColumns).map {
                Kernels.takeNullable(table.rows.columns[$0], indices: right)
            }
            try sorter.add(RecordBatch(schema: schema, columns: own.columns + columns, count: left.count))
        }
    }

    func finish(_ output: Schema, sequence: inout BatchSequence, emit: (Batch) throws -> Void) throws {
        var next = sequence
        defer { sequence = next }
        let count = left.schema.count
        try sorter.finish { block in
            var batch = left.batch(
                RecordBatch(schema: left.schema, columns: Array(block.columns.prefix(count)), count: block.count),
                sequence: next.take())
            batch.records = RecordBatch(
                schema: output, columns: batch.records.columns + block.columns.dropFirst(count + 1), count: block.count)
            try emit(batch)
        }
    }
}

/// Keeps one right row of each key where only its being there counts.
struct DistinctKeys: Sendable {
    let keys: JoinKeys
    let hash: Int

    func of(_ block: RecordBatch) throws -> RecordBatch {
        let values = keys.values(block.columns)
        let groups = KeyGroups(
            hashes: block.words(hash), rows: block.count, equality: RowEquality(values, values))
        if groups.count == block.count { return block }
        return withExtendedLifetime(groups) { Kernels.take(block, indices: groups.firstRows) }
    }
}
