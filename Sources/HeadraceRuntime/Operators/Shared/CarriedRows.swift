import HeadraceColumnar
import HeadraceCore

/// How rows travel through an operator with state: their own columns, where each came from, and the hash of its keys
/// where rows are parted by keys.
struct CarriedRows: Sendable {
    /// The fields of the rows as they come in.
    let input: Schema
    /// The fields of the rows as they are kept: the input's, the three of provenance, the hash.
    let schema: Schema
    /// Positions of the columns whose values decide the partition.
    let keys: [Int]
    private let step: String
    private let files: FileTable
    private let isHashed: Bool

    /// The column that ties fall to: source index and ordinal in one number.
    var row: Int { input.count }
    /// The column of hashes, where there is one.
    var hash: Int { input.count + 3 }
    /// The positions of the three columns of provenance.
    var provenance: Range<Int> { input.count..<input.count + 3 }

    static let hashField = Field("_headrace_hash", .uint64, nullable: false)

    /// - Parameter keys: the columns that part rows; nil when rows are not parted and have no hash.
    /// - Throws: `schemaMismatch` when the input uses a name that is kept for provenance.
    init(_ input: Schema, keys: [Int]?, step: String, files: FileTable) throws {
        self.input = input
        self.keys = keys ?? []
        self.step = step
        self.files = files
        isHashed = keys != nil
        let fields = input.fields + Provenance.fields + (isHashed ? [Self.hashField] : [])
        guard let schema = Schema(unique: fields) else {
            throw HeadraceError(
                .schemaMismatch, "step \(step) got a column whose name Headrace keeps for itself",
                fields: [("kept", (Provenance.columnNames + [Self.hashField.name]).joined(separator: ", "))],
                hint: "rename the column before the step")
        }
        self.schema = schema
    }

    /// The rows of `batch` as they are kept.
    func carry(_ batch: Batch) -> RecordBatch {
        carry(batch, hash: Self.hashColumn(keys.map { batch.records.columns[$0] }, count: batch.count))
    }

    /// The rows of `batch` as they are kept, with hashes that the caller made, nil for rows without.
    func carry(_ batch: Batch, hash: ColumnVector?) -> RecordBatch {
        RecordBatch(
            schema: schema,
            columns: batch.records.columns + batch.provenance.columns(count: batch.count, files: files)
                + (hash.map { [$0] } ?? []),
            count: batch.count)
    }

    /// The hash of each row over its key columns; of no columns, the same for all rows.
    static func hashColumn(_ keys: [ColumnVector], count: Int) -> ColumnVector {
        let out = MutableBuffer(capacity: count &* 8)
        let hashes = out.base.assumingMemoryBound(to: UInt64.self)
        if keys.isEmpty {
            hashes.update(repeating: 0, count: count)
        } else {
            Kernels.hash(keys, into: hashes)
        }
        return ColumnVector(type: .uint64, count: count, nullCount: 0, values: out.finish(byteCount: count &* 8))
    }

    /// Kept rows as a batch of the input's fields again.
    func batch(_ rows: RecordBatch, sequence: UInt64) -> Batch {
        Batch(
            RecordBatch(schema: input, columns: Array(rows.columns.prefix(input.count)), count: rows.count),
            provenance: Provenance(columns: Array(rows.columns[provenance]), files: files),
            stream: StreamID(step), sequence: sequence, recordsRead: rows.count)
    }
}

/// Numbers the batches that leave a partition: the partition in the upper half, its batches counted in the lower one.
struct BatchSequence {
    private(set) var next: UInt64

    init(partition: Int) { next = UInt64(partition) << 32 }

    mutating func take() -> UInt64 {
        defer { next += 1 }
        return next
    }
}
