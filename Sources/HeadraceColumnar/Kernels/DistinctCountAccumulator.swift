/// How many different values each group has, exactly.
///
/// Values get ids, text through an `Interner`, all others by their bits; a set holds the pairs of group and id.
final class DistinctCountAccumulator: GroupAccumulator {
    let resultType = DataType.int64
    private let type: DataType
    private var counts = GroupStates<Int64>()
    private var pairs = WordSet()
    private var texts: Interner
    private var numbers = NumberIDs()

    init(_ type: DataType) {
        self.type = type
        texts = Interner(type.layout == .bytes ? type : .binary)
    }

    var byteSize: Int { counts.byteSize + pairs.byteSize + texts.byteSize + numbers.byteSize }

    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int) {
        let counts = counts.grown(to: groupCount)
        let ids = ids(values)
        ids.withUnsafeBufferPointer { ids in
            each(values.unsafeView, groups) { row, group in
                let pair = UInt64(truncatingIfNeeded: group) &<< 32 | UInt64(UInt32(bitPattern: ids[row]))
                if pairs.insert(pair) { counts[group] &+= 1 }
            }
        }
    }

    /// An id for each row, the same for equal values in all calls; 0 at nulls.
    private func ids(_ values: ColumnVector) -> [Int32] {
        if type.layout == .bytes { return textIDs(values) }
        let column = Kernels.decoded(values)
        let view = column.unsafeView
        defer { withExtendedLifetime(column) {} }
        @inline(__always) func ids(_ bits: (Int) -> UInt128) -> [Int32] {
            var ids = [Int32](repeating: 0, count: values.count)
            ids.withUnsafeMutableBufferPointer { ids in
                for row in 0..<ids.count where view.isValid(row) { ids[row] = numbers.id(of: bits(row)) }
            }
            return ids
        }
        switch type.physical {
        case .bits: return ids { view.bool($0) ? 1 : 0 }
        case .int8, .uint8: return ids { UInt128(view.values(as: UInt8.self)[$0]) }
        case .int16, .uint16: return ids { UInt128(view.values(as: UInt16.self)[$0]) }
        case .int32, .uint32: return ids { UInt128(view.values(as: UInt32.self)[$0]) }
        case .float32: return ids { UInt128(ByteHash.canonicalBits(Double(view.values(as: Float.self)[$0]))) }
        case .float64: return ids { UInt128(ByteHash.canonicalBits(view.values(as: Double.self)[$0])) }
        case .int128: return ids { view.values(as: UInt128.self)[$0] }
        case .int64, .uint64, .bytes, .list, .structure: return ids { UInt128(view.values(as: UInt64.self)[$0]) }
        }
    }

    private func textIDs(_ values: ColumnVector) -> [Int32] {
        let view = values.unsafeView
        guard let dictionary = values.dictionary else {
            return (0..<values.count).map { view.isValid($0) ? texts.intern(view.bytes($0)) : 0 }
        }
        let entries = dictionary.unsafeView
        if dictionary.count > values.count {
            return (0..<values.count).map { view.isValid($0) ? texts.intern(entries.bytes(view.key($0))) : 0 }
        }
        let known = (0..<dictionary.count).map { texts.intern(entries.bytes($0)) }
        return (0..<values.count).map { view.isValid($0) ? known[view.key($0)] : 0 }
    }

    func finish(groupCount: Int) -> KernelResult {
        pairs = WordSet()
        texts = Interner(type.layout == .bytes ? type : .binary)
        numbers = NumberIDs()
        return KernelResult(
            column: ColumnVector(type: .int64, count: groupCount, nullCount: 0, values: counts.take(groupCount)),
            failures: [])
    }
}

/// A set of 64-bit words below their greatest value, by open addressing.
private struct WordSet: ~Copyable {
    private var slots = WordSet.empty(512)
    private var mask = 511
    private var count = 0

    var byteSize: Int { slots.capacity }

    private static func empty(_ count: Int) -> MutableBuffer {
        let slots = MutableBuffer(capacity: count &* 8)
        slots.base.initializeMemory(as: UInt8.self, repeating: 0xff, count: count &* 8)
        return slots
    }

    /// Whether the word is new.
    mutating func insert(_ word: UInt64) -> Bool {
        let table = slots.values(as: UInt64.self)
        var slot = Int(truncatingIfNeeded: ByteHash.hash(word, seed: 0)) & mask
        while table[slot] != .max {
            if table[slot] == word { return false }
            slot = (slot &+ 1) & mask
        }
        table[slot] = word
        count &+= 1
        if count &* 2 > mask { grow() }
        return true
    }

    private mutating func grow() {
        let size = (mask &+ 1) &* 4
        let fresh = Self.empty(size)
        let table = fresh.values(as: UInt64.self)
        let old = slots.values(as: UInt64.self)
        for index in 0...mask where old[index] != .max {
            var slot = Int(truncatingIfNeeded: ByteHash.hash(old[index], seed: 0)) & (size &- 1)
            while table[slot] != .max { slot = (slot &+ 1) & (size &- 1) }
            table[slot] = old[index]
        }
        slots = fresh
        mask = size &- 1
    }
}

/// Ids of different numbers in the order of their first appearance, by open addressing.
private struct NumberIDs: ~Copyable {
    /// One more than the id, 0 for a free place.
    private var slots = MutableBuffer.zeros(512 * 4)
    private var mask = 511
    private var numbers = MutableBuffer(capacity: 1024)
    private var count = 0

    var byteSize: Int { slots.capacity + numbers.capacity }

    private static func hash(_ number: UInt128) -> Int {
        Int(
            truncatingIfNeeded: ByteHash.hash(
                UInt64(truncatingIfNeeded: number), seed: UInt64(truncatingIfNeeded: number &>> 64)))
    }

    mutating func id(of number: UInt128) -> Int32 {
        let table = slots.values(as: Int32.self)
        let known = numbers.values(as: UInt128.self)
        var slot = Self.hash(number) & mask
        while table[slot] != 0 {
            let id = table[slot] &- 1
            if known[Int(id)] == number { return id }
            slot = (slot &+ 1) & mask
        }
        numbers.reserve((count &+ 1) &* 16, keeping: count &* 16)
        numbers.values(as: UInt128.self)[count] = number
        count &+= 1
        table[slot] = Int32(truncatingIfNeeded: count)
        if count &* 2 > mask { grow() }
        return Int32(truncatingIfNeeded: count &- 1)
    }

    private mutating func grow() {
        let size = (mask &+ 1) &* 4
        let fresh = MutableBuffer.zeros(size &* 4)
        let table = fresh.values(as: Int32.self)
        let known = numbers.values(as: UInt128.self)
        for id in 0..<count {
            var slot = Self.hash(known[id]) & (size &- 1)
            while table[slot] != 0 { slot = (slot &+ 1) & (size &- 1) }
            table[slot] = Int32(truncatingIfNeeded: id &+ 1)
        }
        slots = fresh
        mask = size &- 1
    }
}

extension MutableBuffer {
    /// A growable buffer whose first `byteCount` bytes are zero.
    fileprivate static func zeros(_ byteCount: Int) -> MutableBuffer {
        let buffer = MutableBuffer(capacity: byteCount)
        buffer.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return buffer
    }
}
