internal import Glibc
import HeadraceCore

/// The names of an object's members that mean something, found by their bytes.
struct MemberNames: ~Copyable {
    /// Names one after the other, with where each begins; one more start than names.
    private let text: UnsafeMutableRawPointer
    private let starts: UnsafeMutablePointer<Int>
    /// Indices of names plus one by hash, 0 where free.
    private let slots: UnsafeMutablePointer<Int32>
    private let mask: Int
    let count: Int
    /// `,"name":` of each name, one after the other, with where each begins: how members mostly stand in the text.
    private let written: UnsafeMutableRawPointer
    private let writtenStarts: UnsafeMutablePointer<Int>

    init(_ names: [[UInt8]]) {
        count = names.count
        (text, starts) = Self.joined(names)
        (written, writtenStarts) = Self.joined(names.map(Self.member))
        var size = 8
        while size < count * 3 { size *= 2 }
        mask = size - 1
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        for index in 0..<count {
            var slot = Self.hash(UnsafeRawPointer(text) + starts[index], starts[index + 1] - starts[index]) & mask
            while slots[slot] != 0 { slot = (slot &+ 1) & mask }
            slots[slot] = Int32(truncatingIfNeeded: index + 1)
        }
    }

    /// Texts one after the other, with where each begins and the last one ends.
    private static func joined(_ texts: [[UInt8]]) -> (text: UnsafeMutableRawPointer, starts: UnsafeMutablePointer<Int>)
    {
        let text = UnsafeMutableRawPointer.allocate(byteCount: max(texts.reduce(0) { $0 + $1.count }, 1), alignment: 8)
        let starts = UnsafeMutablePointer<Int>.allocate(capacity: texts.count + 1)
        var end = 0
        for (index, bytes) in texts.enumerated() {
            (starts + index).initialize(to: end)
            bytes.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { (text + end).copyMemory(from: source, byteCount: bytes.count) }
            }
            end += bytes.count
        }
        (starts + texts.count).initialize(to: end)
        return (text, starts)
    }

    /// A member up to its value as it is mostly written; empty for a name that is written with escapes.
    private static func member(_ name: [UInt8]) -> [UInt8] {
        if name.contains(where: { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 }) { return [] }
        return [0x2C, 0x22] + name + [0x22, 0x3A]
    }

    /// Passes the comma, the name and the colon of member `index` when they stand next in the text exactly so.
    @inline(__always)
    func pass(_ index: Int, _ tokenizer: inout JSONTokenizer) -> Bool {
        guard index < count else { return false }
        let start = writtenStarts[index]
        return tokenizer.passMember(written + start, writtenStarts[index &+ 1] &- start)
    }

    deinit {
        written.deallocate()
        writtenStarts.deallocate()
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
