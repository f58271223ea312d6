import HeadraceColumnar

/// A total order of kept rows, so that no result depends on the order in which workers bring them.
///
/// First the sort keys, then source index and ordinal, then, because several rows can stem from one row of a source, the
/// values of all columns.
struct RowOrdering: Sendable {
    /// Positions of the columns compared, in order.
    let columns: [Int]
    let orders: [SortOrder]

    /// - Parameter latestFirst: rows that come later in their source stand before earlier ones.
    init(_ keys: [(column: Int, order: SortOrder)], in rows: CarriedRows, latestFirst: Bool = false) {
        self.init(keys, then: rows.row, latestFirst: latestFirst, values: rows.input.count)
    }

    /// - Parameters:
    ///   - row: the column of source index and ordinal.
    ///   - values: how many columns, from the first, break the last ties.
    init(_ keys: [(column: Int, order: SortOrder)], then row: Int, latestFirst: Bool = false, values: Int) {
        columns = keys.map(\.column) + [row] + Array(0..<values)
        orders =
            keys.map(\.order) + [SortOrder(ascending: !latestFirst)]
            + Array(repeating: .ascending, count: values)
    }

    /// Ascending by each of the columns in turn.
    init(columns: [Int]) {
        self.columns = columns
        orders = Array(repeating: .ascending, count: columns.count)
    }

    /// Compares rows of `left` with rows of `right`.
    func comparator(_ left: RecordBatch, _ right: RecordBatch) -> RowOrder {
        RowOrder(left.columns(at: columns), right.columns(at: columns), orders: orders)
    }

    /// The rows of `block` in this order, at most `limit` of them.
    func sorted(_ block: RecordBatch, limit: Int? = nil) -> RecordBatch {
        if block.count < 2 { return limit == 0 ? block.slice(from: 0, count: 0) : block }
        if isSorted(block) { return limit.map { block.slice(from: 0, count: min($0, block.count)) } ?? block }
        let selection = Kernels.sortIndices(block.columns(at: columns), by: orders)
        return selection.withIndices { rows in
            let kept = UnsafeBufferPointer(rebasing: rows.prefix(limit ?? rows.count))
            return Kernels.take(block, indices: kept)
        }
    }

    /// Whether the rows stand in this order already; looks no further than the first that does not.
    private func isSorted(_ block: RecordBatch) -> Bool {
        let order = comparator(block, block)
        for row in 1..<block.count where order.compare(row &- 1, row) > 0 { return false }
        return true
    }
}
