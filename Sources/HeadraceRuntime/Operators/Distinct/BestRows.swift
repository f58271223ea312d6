import HeadraceColumnar

/// Finds the row of each key that comes first in an order.
struct BestRows: Sendable {
    let keys: [Int]
    /// The column of the keys' hashes.
    let hash: Int
    let ordering: RowOrdering

    /// The best row of each key of `block`, keys in the order of their first appearance.
    func of(_ block: RecordBatch) throws -> RecordBatch {
        let columns = block.columns(at: keys)
        let groups = KeyGroups(
            hashes: block.words(hash), rows: block.count, equality: RowEquality(columns, columns))
        if groups.count == block.count { return block }
        let order = ordering.comparator(block, block)
        let memory = MutableBuffer(capacity: groups.count &* 4)
        let best = memory.base.assumingMemoryBound(to: Int32.self)
        let ids = groups.ids
        let firsts = groups.firstRows
        for group in 0..<groups.count { best[group] = firsts[group] }
        for row in 0..<block.count {
            let group = Int(ids[row])
            let known = Int(best[group])
            if known != row && order.compare(row, known) < 0 { best[group] = Int32(truncatingIfNeeded: row) }
        }
        withExtendedLifetime(groups) {}
        let result = Kernels.take(block, indices: UnsafeBufferPointer(start: best, count: groups.count))
        _ = consume memory
        return result
    }
}
