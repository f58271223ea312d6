extension Kernels {
    /// The rows of `columns` in the order of `orders`, one order a column; equal rows keep their order.
    ///
    /// Text is ordered by its UTF-8 bytes. One 64-bit prefix of the first key is radix-sorted; rows whose prefixes tie are
    /// compared by what the prefix does not hold and by the other keys.
    public static func sortIndices(_ columns: [ColumnVector], by orders: [SortOrder]) -> RowSelection {
        precondition(columns.count == orders.count, "each sort key needs an order")
        guard let first = columns.first, let order = orders.first else { return RowSelection(all: 0) }
        precondition(columns.allSatisfy { $0.count == first.count }, "sort keys of different lengths")
        precondition(first.count <= Int(Int32.max), "a sort of more than 2^31 rows")
        return Sorter(columns: columns, orders: orders).sorted(first, order)
    }

    /// The rows of `batch` ordered by `keys`, each a column of the batch by position; equal rows keep their order.
    public static func sortIndices(_ batch: RecordBatch, by keys: [(column: Int, order: SortOrder)]) -> RowSelection {
        if keys.isEmpty { return RowSelection(all: batch.count) }
        return sortIndices(keys.map { batch.columns[$0.column] }, by: keys.map(\.order))
    }

    /// Where each entry of a column without nulls and dictionary stands in ascending order; equal entries share a rank.
    static func ranks(_ column: ColumnVector) -> [Int32] {
        let order = sortIndices([column], by: [.ascending])
        let pair = ColumnPair(column, column)
        var ranks = [Int32](repeating: 0, count: column.count)
        order.withIndices { rows in
            var rank: Int32 = 0
            for position in 0..<rows.count {
                if position > 0 && pair.compare(Int(rows[position &- 1]), Int(rows[position])) != 0 { rank &+= 1 }
                ranks[Int(rows[position])] = rank
            }
        }
        withExtendedLifetime(column) {}
        return ranks
    }
}

/// A row and the order-preserving prefix of its first key.
struct SortEntry {
    var prefix: UInt64
    var row: Int32
}

private struct Sorter {
    let columns: [ColumnVector]
    let orders: [SortOrder]

    func sorted(_ first: ColumnVector, _ order: SortOrder) -> RowSelection {
        let count = first.count
        let nulls = first.nullCount
        let valid = count &- nulls
        let prefixes = PrefixMaker(first)
        let buffer = MutableBuffer(capacity: count &* MemoryLayout<SortEntry>.stride)
        let spare = MutableBuffer(capacity: count &* MemoryLayout<SortEntry>.stride)
        let out = MutableBuffer(capacity: count &* 4)
        let entries = buffer.values(as: SortEntry.self)
        let scratch = spare.values(as: SortEntry.self)
        let rows = out.values(as: Int32.self)
        let view = first.unsafeView
        // Nulls stand apart, so that the prefix has all its bits for values.
        var at = 0
        var nullAt = order.nullsFirst ? 0 : valid
        let nullStart = nullAt
        for row in 0..<count {
            if view.isValid(row) {
                entries[at] = SortEntry(prefix: 0, row: Int32(truncatingIfNeeded: row))
                at &+= 1
            } else {
                rows[nullAt] = Int32(truncatingIfNeeded: row)
                nullAt &+= 1
            }
        }
        prefixes.fill(entries, count: valid, inverted: !order.ascending)
        let comparator = RowOrder(columns, columns, orders: orders)
        Self.sortByPrefix(entries, scratch, count: valid)
        let nextKey = prefixes.isExact ? 1 : 0
        if prefixes.isText {
            refine(prefixes, entries, scratch, count: valid, depth: 8, inverted: !order.ascending, comparator)
        } else if nextKey < columns.count {
            Self.sortTies(entries, scratch, count: valid) { comparator.compare($0, $1, from: nextKey) }
        }
        let target = rows + (order.nullsFirst ? nulls : 0)
        for index in 0..<valid { target[index] = entries[index].row }
        if columns.count > 1 && nulls > 1 {
            for index in 0..<nulls { entries[index] = SortEntry(prefix: 0, row: rows[nullStart &+ index]) }
            Self.sortTies(entries, scratch, count: nulls) { comparator.compare($0, $1, from: 1) }
            for index in 0..<nulls { rows[nullStart &+ index] = entries[index].row }
        }
        _ = consume buffer
        _ = consume spare
        withExtendedLifetime(prefixes) {}
        return RowSelection(buffer: out.finish(byteCount: count &* 4), count: count)
    }

    /// Stable; bytes of the prefix that are the same in all entries are skipped.
    private static func sortByPrefix(
        _ entries: UnsafeMutablePointer<SortEntry>, _ scratch: UnsafeMutablePointer<SortEntry>, count: Int
    ) {
        if count < 96 {
            insertionSort(entries, 0, count) { $0.prefix < $1.prefix }
            return
        }
        var varying: UInt64 = 0
        let sample = entries[0].prefix
        for index in 0..<count { varying |= entries[index].prefix ^ sample }
        var from = entries
        var to = scratch
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { places in
            for byte in 0..<8 {
                let shift = UInt64(byte &* 8)
                if (varying &>> shift) & 0xff == 0 { continue }
                for bucket in 0..<256 { places[bucket] = 0 }
                for index in 0..<count { places[Int((from[index].prefix &>> shift) & 0xff)] &+= 1 }
                var start = 0
                for bucket in 0..<256 {
                    let size = places[bucket]
                    places[bucket] = start
                    start &+= size
                }
                for index in 0..<count {
                    let bucket = Int((from[index].prefix &>> shift) & 0xff)
                    to[places[bucket]] = from[index]
                    places[bucket] &+= 1
                }
                swap(&from, &to)
            }
        }
        if from != entries { entries.update(from: from, count: count) }
    }

    /// Sorts runs of texts that are equal up to `depth` by their next eight bytes while that is worth it, then by comparison.
    private func refine(
        _ prefixes: PrefixMaker, _ entries: UnsafeMutablePointer<SortEntry>, _ scratch: UnsafeMutablePointer<SortEntry>,
        count: Int,
        depth: Int, inverted: Bool, _ comparator: RowOrder
    ) {
        var start = 0
        while start < count {
            var end = start &+ 1
            while end < count && entries[end].prefix == entries[start].prefix { end &+= 1 }
            let run = entries + start
            let length = end &- start
            if length >= 32 && prefixes.allReach(depth, run, count: length) {
                prefixes.fillText(run, count: length, from: depth, inverted: inverted)
                Self.sortByPrefix(run, scratch, count: length)
                refine(prefixes, run, scratch, count: length, depth: depth &+ 8, inverted: inverted, comparator)
            } else if length > 1 {
                Self.mergeSort(run, scratch, count: length) { comparator.compare($0, $1, from: 0) }
            }
            start = end
        }
    }

    /// Sorts each run of equal prefixes by `compare`, stably.
    private static func sortTies(
        _ entries: UnsafeMutablePointer<SortEntry>, _ scratch: UnsafeMutablePointer<SortEntry>, count: Int,
        _ compare: (Int, Int) -> Int
    ) {
        var start = 0
        while start < count {
            var end = start &+ 1
            while end < count && entries[end].prefix == entries[start].prefix { end &+= 1 }
            if end &- start > 1 { mergeSort(entries + start, scratch, count: end &- start, compare) }
            start = end
        }
    }

    private static func mergeSort(
        _ entries: UnsafeMutablePointer<SortEntry>, _ scratch: UnsafeMutablePointer<SortEntry>, count: Int,
        _ compare: (Int, Int) -> Int
    ) {
        let run = 16
        var start = 0
        while start < count {
            insertionSort(entries, start, min(start &+ run, count)) { compare(Int($0.row), Int($1.row)) < 0 }
            start &+= run
        }
        var from = entries
        var to = scratch
        var width = run
        while width < count {
            start = 0
            while start < count {
                let middle = min(start &+ width, count)
                let end = min(start &+ 2 &* width, count)
                merge(from, to, start, middle, end, compare)
                start = end
            }
            swap(&from, &to)
            width &*= 2
        }
        if from != entries { entries.update(from: from, count: count) }
    }

    private static func merge(
        _ from: UnsafeMutablePointer<SortEntry>, _ to: UnsafeMutablePointer<SortEntry>, _ start: Int, _ middle: Int,
        _ end: Int,
        _ compare: (Int, Int) -> Int
    ) {
        var left = start
        var right = middle
        var at = start
        while left < middle && right < end {
            if compare(Int(from[right].row), Int(from[left].row)) < 0 {
                to[at] = from[right]
                right &+= 1
            } else {
                to[at] = from[left]
                left &+= 1
            }
            at &+= 1
        }
        (to + at).update(from: from + left, count: middle &- left)
        at &+= middle &- left
        (to + at).update(from: from + right, count: end &- right)
    }

    @inline(__always)
    private static func insertionSort(
        _ entries: UnsafeMutablePointer<SortEntry>, _ start: Int, _ end: Int, _ less: (SortEntry, SortEntry) -> Bool
    ) {
        var index = start &+ 1
        while index < end {
            let entry = entries[index]
            var hole = index
            while hole > start && less(entry, entries[hole &- 1]) {
                entries[hole] = entries[hole &- 1]
                hole &-= 1
            }
            entries[hole] = entry
            index &+= 1
        }
    }
}
