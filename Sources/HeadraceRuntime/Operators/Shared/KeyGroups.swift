import HeadraceColumnar

/// Numbers the different keys of rows: rows with equal keys have the same number, counted in order of first appearance.
///
/// Open addressing over the rows' hashes; a slot is the low half of the hash and the group's number plus one.
struct KeyGroups {
    private let idBuffer: Buffer
    private let firstBuffer: Buffer
    private let slotBuffer: Buffer
    private let shift: UInt64
    /// The number of different keys.
    let count: Int
    /// The number of rows.
    let rows: Int

    /// - Parameter equality: whether row `i` and row `j` of these rows have equal keys.
    init(hashes: UnsafePointer<UInt64>, rows: Int, equality: RowEquality) {
        self.rows = rows
        var bits: UInt64 = 4
        while 1 &<< Int(bits) < rows &* 2 { bits &+= 1 }
        shift = 64 &- bits
        let slotCount = 1 &<< Int(bits)
        let slotMemory = MutableBuffer(capacity: slotCount &* 8)
        slotMemory.base.initializeMemory(as: UInt8.self, repeating: 0, count: slotCount &* 8)
        let slots = slotMemory.base.assumingMemoryBound(to: UInt64.self)
        let idMemory = MutableBuffer(capacity: rows &* 4)
        let ids = idMemory.base.assumingMemoryBound(to: Int32.self)
        let firstMemory = MutableBuffer(capacity: rows &* 4)
        let firsts = firstMemory.base.assumingMemoryBound(to: Int32.self)
        var groups = 0
        let mask = slotCount &- 1
        for row in 0..<rows {
            let hash = hashes[row]
            let tag = hash &<< 32
            var slot = Self.slot(hash, shift)
            while true {
                let entry = slots[slot]
                if entry == 0 {
                    firsts[groups] = Int32(truncatingIfNeeded: row)
                    ids[row] = Int32(truncatingIfNeeded: groups)
                    groups &+= 1
                    slots[slot] = tag | UInt64(truncatingIfNeeded: groups)
                    break
                }
                if entry & 0xffff_ffff_0000_0000 == tag {
                    let group = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
                    if equality(row, Int(firsts[group])) {
                        ids[row] = Int32(truncatingIfNeeded: group)
                        break
                    }
                }
                slot = (slot &+ 1) & mask
            }
        }
        count = groups
        idBuffer = idMemory.finish(byteCount: rows &* 4)
        firstBuffer = firstMemory.finish(byteCount: groups &* 4)
        slotBuffer = slotMemory.finish(byteCount: slotCount &* 8)
    }

    /// Spreads all bits of the hash over the slots, because rows of one partition share its upper bits.
    @inline(__always) private static func slot(_ hash: UInt64, _ shift: UInt64) -> Int {
        Int(truncatingIfNeeded: (hash &* 0x9e37_79b9_7f4a_7c15) &>> shift)
    }

    /// The group of each row; valid while the groups live.
    var ids: UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(start: idBuffer.base.assumingMemoryBound(to: Int32.self), count: rows)
    }

    /// The first row of each group; valid while the groups live.
    var firstRows: UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(start: firstBuffer.base.assumingMemoryBound(to: Int32.self), count: count)
    }

    /// The group whose key has this hash and for whose first row `matches` is true, nil when there is none.
    @inline(__always)
    func find(_ hash: UInt64, _ matches: (_ firstRow: Int) -> Bool) -> Int? {
        let slots = slotBuffer.base.assumingMemoryBound(to: UInt64.self)
        let firsts = firstBuffer.base.assumingMemoryBound(to: Int32.self)
        let mask = 1 &<< Int(64 &- shift) &- 1
        let tag = hash &<< 32
        var slot = Self.slot(hash, shift)
        while true {
            let entry = slots[slot]
            if entry == 0 { return nil }
            if entry & 0xffff_ffff_0000_0000 == tag {
                let group = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
                if matches(Int(firsts[group])) { return group }
            }
            slot = (slot &+ 1) & mask
        }
    }
}

extension RecordBatch {
    /// The 64-bit unsigned values of column `index`, such as hashes; valid while the batch lives.
    func words(_ index: Int) -> UnsafePointer<UInt64> { columns[index].unsafeView.values(as: UInt64.self) }

    /// The 64-bit integers of column `index`, such as ordinals; valid while the batch lives.
    func integers(_ index: Int) -> UnsafePointer<Int64> { columns[index].unsafeView.values(as: Int64.self) }

    /// The columns at `positions`, in that order.
    func columns(at positions: [Int]) -> [ColumnVector] { positions.map { columns[$0] } }

    /// The rows in pieces of about `bytes` and at most 4096 rows, which share the memory of the whole.
    func pieces(bytes: Int) -> [RecordBatch] {
        if count == 0 { return [] }
        let perRow = max(1, byteSize / count)
        let step = max(1, min(4096, bytes / perRow))
        if count <= step { return [self] }
        return stride(from: 0, to: count, by: step).map { slice(from: $0, count: min(step, count - $0)) }
    }
}
