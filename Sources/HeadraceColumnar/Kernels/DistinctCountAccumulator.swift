/// How many different values each group has, exactly.
///
/// Values get ids, text through an `Interner`, all others by their bits; a set holds the pairs of group and id.
final class DistinctCountAccumulator: GroupAccumulator {
    let resultType = DataType.int64
    private let type: DataType
    private var counts = GroupStates<Int64>()
    private var pairs = WordSet()
    private var texts: Interner
    private var numbers: [UInt128: Int32] = [:]

    init(_ type: DataType) {
        self.type = type
        texts = Interner(type.layout == .bytes ? type : .binary)
    }

    var byteSize: Int { counts.byteSize + pairs.byteSize + texts.byteSize + numbers.capacity * 40 }

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
        func number(_ row: Int) -> UInt128 {
            switch type.physical {
            case .bits: view.bool(row) ? 1 : 0
            case .int8, .uint8: UInt128(view.values(as: UInt8.self)[row])
            case .int16, .uint16: UInt128(view.values(as: UInt16.self)[row])
            case .int32, .uint32: UInt128(view.values(as: UInt32.self)[row])
            case .float32: UInt128(ByteHash.canonicalBits(Double(view.values(as: Float.self)[row])))
            case .float64: UInt128(ByteHash.canonicalBits(view.values(as: Double.self)[row]))
            case .int128: view.values(as: UInt128.self)[row]
            default: UInt128(view.values(as: UInt64.self)[row])
            }
        }
        return (0..<values.count).map { row in
            guard view.isValid(row) else { return 0 }
            let next = Int32(truncatingIfNeeded: numbers.count)
            let value = number(row)
            if let known = numbers[value] { return known }
            numbers[value] = next
            return next
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
        numbers = [:]
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
