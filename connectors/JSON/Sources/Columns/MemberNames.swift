internal import Glibc

/// The names of an object's members that mean something, found by their bytes.
struct MemberNames: ~Copyable {
    /// Names one after the other, with where each begins; one more start than names.
    private let text: UnsafeMutableRawPointer
    private let starts: UnsafeMutablePointer<Int>
    /// Indices of names plus one by hash, 0 where free.
    private let slots: UnsafeMutablePointer<Int32>
    private let mask: Int
    let count: Int

    init(_ names: [[UInt8]]) {
        count = names.count
        text = .allocate(byteCount: max(names.reduce(0) { $0 + $1.count }, 1), alignment: 8)
        starts = .allocate(capacity: count + 1)
        var size = 8
        while size < count * 3 { size *= 2 }
        mask = size - 1
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        var end = 0
        for (index, name) in names.enumerated() {
            starts[index] = end
            name.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { (text + end).copyMemory(from: source, byteCount: bytes.count) }
            }
            var slot = Self.hash(UnsafeRawPointer(text) + end, name.count) & mask
            while slots[slot] != 0 { slot = (slot &+ 1) & mask }
            slots[slot] = Int32(truncatingIfNeeded: index + 1)
            end += name.count
        }
        starts[count] = end
    }

    deinit {
        text.deallocate()
        starts.deallocate()
        slots.deallocate()
    }

    /// The index of a name, -1 if it means nothing; members mostly come in order, so the expected one is tried first.
    @inline(__always)
    func index(of name: UnsafeRawBufferPointer, expected: Int) -> Int {
        guard let base = name.baseAddress else { return find(UnsafeRawPointer(text), 0) }
        if expected < count, matches(expected, base, name.count) { return expected }
        return find(base, name.count)
    }

    @inline(__always)
    private func matches(_ index: Int, _ base: UnsafeRawPointer, _ length: Int) -> Bool {
        let start = starts[index]
        return starts[index &+ 1] &- start == length && memcmp(text + start, base, length) == 0
    }

    @inline(never)
    private func find(_ base: UnsafeRawPointer, _ length: Int) -> Int {
        var slot = Self.hash(base, length) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) &- 1
            if matches(index, base, length) { return index }
            slot = (slot &+ 1) & mask
        }
        return -1
    }

    private static func hash(_ base: UnsafeRawPointer, _ length: Int) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for i in 0..<length {
            hash = (hash ^ UInt64(base.load(fromByteOffset: i, as: UInt8.self))) &* 0x0000_0100_0000_01B3
        }
        return Int(truncatingIfNeeded: hash &>> 7)
    }
}
