import Glibc

/// Gives equal byte strings equal ids, counted from 0 in the order of their first appearance.
///
/// An open-addressing table whose slots hold half of the hash and the id; the strings lie one after the other, so that they
/// are an Arrow dictionary as they are. Holds up to 2 GiB of bytes.
public struct Interner: ~Copyable {
    private let type: DataType
    private var slots: MutableBuffer
    private var slotMask: Int
    private var text: MutableBuffer
    private var offsets: MutableBuffer
    private var last: ColumnVector?
    /// The number of distinct strings.
    public private(set) var count = 0
    /// The bytes of all distinct strings.
    public private(set) var byteCount = 0

    /// The memory held, in bytes.
    public var byteSize: Int { slots.capacity &+ text.capacity &+ offsets.capacity }

    /// An empty interner for values of `type` (`utf8`, `json` or `binary`) with room for `capacity` distinct ones.
    public init(_ type: DataType = .utf8, capacity: Int = 256) {
        precondition(type.layout == .bytes, "\(type) is not stored as bytes")
        self.type = type
        var size = 512
        while size < capacity &* 2 { size &*= 2 }
        slots = Self.emptySlots(size)
        slotMask = size &- 1
        text = MutableBuffer(capacity: 4096)
        offsets = MutableBuffer(capacity: (capacity &+ 1) &* 4)
        offsets.base.storeBytes(of: 0, as: Int32.self)
    }

    private static func emptySlots(_ count: Int) -> MutableBuffer {
        let slots = MutableBuffer(capacity: count &* 8)
        slots.base.initializeMemory(as: UInt8.self, repeating: 0, count: count &* 8)
        return slots
    }

    /// The id of `bytes`, a new one when they are new.
    public mutating func intern(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        guard let base = bytes.baseAddress else {
            return intern(UnsafeRawPointer(offsets.base), count: 0)
        }
        return intern(base, count: bytes.count)
    }

    /// The id of the `count` bytes at `base`, a new one when they are new.
    public mutating func intern(_ base: UnsafeRawPointer, count byteCount: Int) -> Int32 {
        let hash = ByteHash.hash(base, count: byteCount, seed: 0)
        let tag = hash & 0xffff_ffff_0000_0000
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while true {
            let entry = slots.base.load(fromByteOffset: slot &* 8, as: UInt64.self)
            if entry == 0 { return insert(base, byteCount, tag, slot) }
            if entry & 0xffff_ffff_0000_0000 == tag {
                let id = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
                if equals(id, base, byteCount) { return Int32(truncatingIfNeeded: id) }
            }
            slot = (slot &+ 1) & slotMask
        }
    }

    /// The id of `bytes`, nil when they have none.
    public func id(of bytes: UnsafeRawBufferPointer) -> Int32? {
        let base = bytes.baseAddress ?? UnsafeRawPointer(offsets.base)
        let hash = ByteHash.hash(base, count: bytes.count, seed: 0)
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while true {
            let entry = slots.base.load(fromByteOffset: slot &* 8, as: UInt64.self)
            if entry == 0 { return nil }
            if (entry ^ hash) &>> 32 == 0 {
                let id = Int(truncatingIfNeeded: entry & 0xffff_ffff) &- 1
                if equals(id, base, bytes.count) { return Int32(truncatingIfNeeded: id) }
            }
            slot = (slot &+ 1) & slotMask
        }
    }

    @inline(__always)
    private func equals(_ id: Int, _ base: UnsafeRawPointer, _ byteCount: Int) -> Bool {
        let starts = offsets.values(as: Int32.self)
        let start = Int(starts[id])
        return Int(starts[id &+ 1]) &- start == byteCount && memcmp(text.base + start, base, byteCount) == 0
    }

    private mutating func insert(_ base: UnsafeRawPointer, _ bytes: Int, _ tag: UInt64, _ slot: Int) -> Int32 {
        precondition(byteCount &+ bytes <= Int(Int32.max), "a dictionary passed 2 GiB")
        let id = count
        text.reserve(byteCount &+ bytes, keeping: byteCount)
        (text.base + byteCount).copyMemory(from: base, byteCount: bytes)
        byteCount &+= bytes
        count &+= 1
        offsets.reserve((count &+ 1) &* 4, keeping: count &* 4)
        offsets.values(as: Int32.self)[count] = Int32(truncatingIfNeeded: byteCount)
        slots.base.storeBytes(of: tag | UInt64(truncatingIfNeeded: count), toByteOffset: slot &* 8, as: UInt64.self)
        last = nil
        if count &* 2 > slotMask { rehash() }
        return Int32(truncatingIfNeeded: id)
    }

    private mutating func rehash() {
        let size = (slotMask &+ 1) &* 4
        let fresh = Self.emptySlots(size)
        let table = fresh.values(as: UInt64.self)
        let starts = offsets.values(as: Int32.self)
        for id in 0..<count {
            let start = Int(starts[id])
            let hash = ByteHash.hash(text.base + start, count: Int(starts[id &+ 1]) &- start, seed: 0)
            var slot = Int(truncatingIfNeeded: hash) & (size &- 1)
            while table[slot] != 0 { slot = (slot &+ 1) & (size &- 1) }
            table[slot] = hash & 0xffff_ffff_0000_0000 | UInt64(truncatingIfNeeded: id &+ 1)
        }
        slots = fresh
        slotMask = size &- 1
    }

    /// The strings interned so far as a dictionary; the same object until another string comes.
    public mutating func dictionary() -> ColumnVector {
        if let last { return last }
        let vector = ColumnVector(
            type: type, count: count, nullCount: 0,
            values: Buffer(copying: UnsafeRawBufferPointer(start: text.base, count: byteCount)),
            offsets: Buffer(copying: UnsafeRawBufferPointer(start: offsets.base, count: (count &+ 1) &* 4)))
        last = vector
        return vector
    }

    /// The strings as a dictionary, without a copy; the interner is gone afterwards.
    public consuming func finish() -> ColumnVector {
        ColumnVector(
            type: type, count: count, nullCount: 0, values: text.finish(byteCount: byteCount),
            offsets: offsets.finish(byteCount: (count &+ 1) &* 4))
    }
}
