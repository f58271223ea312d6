/// Tells valid UTF-8 (Unicode table 3-7) from other bytes.
enum UTF8Check {
    static func isASCII(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        var place = 0
        var seen = SIMD8<UInt64>()
        while place &+ 64 <= count {
            seen |= base.loadUnaligned(fromByteOffset: place, as: SIMD8<UInt64>.self)
            place &+= 64
        }
        var rest: UInt8 = 0
        while place < count {
            rest |= base.load(fromByteOffset: place, as: UInt8.self)
            place &+= 1
        }
        return rest < 0x80 && !ByteMask.any(seen & ByteMask.Block(repeating: 0x8080_8080_8080_8080))
    }

    static func isValid(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        var place = 0
        while place < count {
            if place &+ 8 <= count,
                base.loadUnaligned(fromByteOffset: place, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                place &+= 8
                continue
            }
            let first = base.load(fromByteOffset: place, as: UInt8.self)
            if first < 0x80 {
                place &+= 1
                continue
            }
            let length = sequenceLength(base + place, count &- place)
            if length == 0 { return false }
            place &+= length
        }
        return true
    }

    /// The length of the well-formed sequence at `base`, whose first byte is not ASCII; 0 when it is not well-formed.
    @inline(__always) private static func sequenceLength(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        let first = base.load(as: UInt8.self)
        guard first >= 0xC2, count >= 2 else { return 0 }
        let second = base.load(fromByteOffset: 1, as: UInt8.self)
        if first < 0xE0 { return second & 0xC0 == 0x80 ? 2 : 0 }
        guard count >= 3, base.load(fromByteOffset: 2, as: UInt8.self) & 0xC0 == 0x80 else { return 0 }
        if first < 0xF0 {
            let lowest: UInt8 = first == 0xE0 ? 0xA0 : 0x80
            let highest: UInt8 = first == 0xED ? 0x9F : 0xBF
            return second >= lowest && second <= highest ? 3 : 0
        }
        guard first <= 0xF4, count >= 4, base.load(fromByteOffset: 3, as: UInt8.self) & 0xC0 == 0x80 else { return 0 }
        let lowest: UInt8 = first == 0xF0 ? 0x90 : 0x80
        let highest: UInt8 = first == 0xF4 ? 0x8F : 0xBF
        return second >= lowest && second <= highest ? 4 : 0
    }
}
