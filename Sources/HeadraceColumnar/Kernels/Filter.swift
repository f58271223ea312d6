extension Kernels {
    /// The values of `column` where `mask`, a column of booleans, is true; null counts as false.
    public static func filter(_ column: ColumnVector, where mask: ColumnVector) -> ColumnVector {
        precondition(column.count == mask.count, "a mask of \(mask.count) rows on a column of \(column.count)")
        return take(column, RowSelection(where: mask))
    }

    /// The rows of `batch` where `mask` is true; null counts as false. Order is kept.
    public static func filter(_ batch: RecordBatch, where mask: ColumnVector) -> RecordBatch {
        precondition(batch.count == mask.count, "a mask of \(mask.count) rows on a batch of \(batch.count)")
        return filter(batch, keeping: RowSelection(where: mask))
    }

    /// The rows of `batch` that `rows` selects in ascending order; the batch itself when that is all of them.
    public static func filter(_ batch: RecordBatch, keeping rows: RowSelection) -> RecordBatch {
        rows.count == batch.count ? batch : take(batch, rows)
    }
}
