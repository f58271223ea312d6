import HeadraceColumnar

/// Finds the row of each key that comes first in an order.
struct BestRows: Sendable {
    let keys: [Int]
    /// The column of the keys' hashes.
    let hash: Int
    let ordering: RowOrdering

    /// The best row of each key of `block`, in the order in which they stand in it: where that is the source's, sorters
    /// find nothing to do.
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
        let kept = MutableBuffer(capacity: block.count)
        let isKept = kept.base.assumingMemoryBound(to: UInt8.self)
        isKept.update(repeating: 0, count: block.count)
        for group in 0..<groups.count { isKept[Int(best[group])] = 1 }
        var next = 0
        for row in 0..<block.count where isKept[row] != 0 {
            best[next] = Int32(truncatingIfNeeded: row)
            next &+= 1
        }
        _ = consume kept
        let result = Kernels.take(block, indices: UnsafeBufferPointer(start: best, count: groups.count))
        _ = consume memory
        return result
    }
}
