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
private struct Entry {
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
        let buffer = MutableBuffer(capacity: count &* MemoryLayout<Entry>.stride)
        let spare = MutableBuffer(capacity: count &* MemoryLayout<Entry>.stride)
        let out = MutableBuffer(capacity: count &* 4)
        let entries = buffer.values(as: Entry.self)
        let scratch = spare.values(as: Entry.self)
        let rows = out.values(as: Int32.self)
        let view = first.unsafeView
        // Nulls stand apart, so that the prefix has all its bits for values.
        var at = 0
        var nullAt = order.nullsFirst ? 0 : valid
        let nullStart = nullAt
        for row in 0..<count {
            if view.isValid(row) {
                entries[at] = Entry(prefix: 0, row: Int32(truncatingIfNeeded: row))
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
        if nextKey < columns.count {
            Self.sortTies(entries, scratch, count: valid) { comparator.compare($0, $1, from: nextKey) }
        }
        let target = rows + (order.nullsFirst ? nulls : 0)
        for index in 0..<valid { target[index] = entries[index].row }
        if columns.count > 1 && nulls > 1 {
            for index in 0..<nulls { entries[index] = Entry(prefix: 0, row: rows[nullStart &+ index]) }
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
        _ entries: UnsafeMutablePointer<Entry>, _ scratch: UnsafeMutablePointer<Entry>, count: Int
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

    /// Sorts each run of equal prefixes by `compare`, stably.
    private static func sortTies(
        _ entries: UnsafeMutablePointer<Entry>, _ scratch: UnsafeMutablePointer<Entry>, count: Int,
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
        _ entries: UnsafeMutablePointer<Entry>, _ scratch: UnsafeMutablePointer<Entry>, count: Int,
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
        _ from: UnsafeMutablePointer<Entry>, _ to: UnsafeMutablePointer<Entry>, _ start: Int, _ middle: Int, _ end: Int,
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
        _ entries: UnsafeMutablePointer<Entry>, _ start: Int, _ end: Int, _ less: (Entry, Entry) -> Bool
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

/// Maps a column's values to 64-bit numbers in the same order, or at least never in the opposite one.
private struct PrefixMaker {
    /// Equal numbers mean equal values.
    let isExact: Bool
    private let column: ColumnVector
    private let ranks: [Int32]

    init(_ column: ColumnVector) {
        self.column = column
        if let dictionary = column.dictionary, dictionary.count <= column.count {
            ranks = Kernels.ranks(dictionary)
            isExact = true
            return
        }
        ranks = []
        switch column.type.physical {
        case .bytes, .int128, .list, .structure: isExact = false
        default: isExact = column.dictionary == nil
        }
    }

    func fill(_ entries: UnsafeMutablePointer<Entry>, count: Int, inverted: Bool) {
        let view = column.unsafeView
        let flip: UInt64 = inverted ? ~0 : 0
        @inline(__always) func each(_ prefix: (Int) -> UInt64) {
            for index in 0..<count { entries[index].prefix = prefix(Int(entries[index].row)) ^ flip }
        }
        @inline(__always) func signed<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) {
            let values = view.values(as: T.self)
            each { UInt64(bitPattern: Int64(truncatingIfNeeded: values[$0])) ^ 1 &<< 63 }
        }
        @inline(__always) func unsigned<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) {
            let values = view.values(as: T.self)
            each { UInt64(truncatingIfNeeded: values[$0]) }
        }
        if let dictionary = column.dictionary {
            if ranks.isEmpty {
                let entries = dictionary.unsafeView
                if dictionary.type.layout == .bytes { each { Self.textPrefix(entries.bytes(view.key($0))) } }
            } else {
                ranks.withUnsafeBufferPointer { ranks in each { UInt64(truncatingIfNeeded: ranks[view.key($0)]) } }
            }
            return
        }
        switch column.type.physical {
        case .bits: each { view.bool($0) ? 1 : 0 }
        case .int8: signed(Int8.self)
        case .int16: signed(Int16.self)
        case .int32: signed(Int32.self)
        case .int64: signed(Int64.self)
        case .uint8: unsigned(UInt8.self)
        case .uint16: unsigned(UInt16.self)
        case .uint32: unsigned(UInt32.self)
        case .uint64: unsigned(UInt64.self)
        case .int128:
            let values = view.values(as: Int128.self)
            each { UInt64(bitPattern: Int64(clamping: values[$0])) ^ 1 &<< 63 }
        case .float32:
            let values = view.values(as: Float.self)
            each { Self.floatPrefix(Double(values[$0])) }
        case .float64:
            let values = view.values(as: Double.self)
            each { Self.floatPrefix(values[$0]) }
        case .bytes: each { Self.textPrefix(view.bytes($0)) }
        // Lists and structs have no prefix; all tie and are compared whole.
        case .list, .structure: each { _ in 0 }
        }
    }

    @inline(__always) private static func floatPrefix(_ value: Double) -> UInt64 {
        let bits = ByteHash.canonicalBits(value)
        return bits &>> 63 == 0 ? bits | 1 &<< 63 : ~bits
    }

    /// The first eight bytes as a big-endian number.
    @inline(__always) private static func textPrefix(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = bytes.baseAddress else { return 0 }
        if bytes.count >= 8 { return UInt64(bigEndian: base.loadUnaligned(as: UInt64.self)) }
        var prefix: UInt64 = 0
        for index in 0..<bytes.count {
            prefix |=
                UInt64(base.load(fromByteOffset: index, as: UInt8.self))
                &<< UInt64(truncatingIfNeeded: 56 &- index &* 8)
        }
        return prefix
    }
}
