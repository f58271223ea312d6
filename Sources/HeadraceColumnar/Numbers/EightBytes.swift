/// Arithmetic on eight characters held in one 64-bit word, the first character in the lowest byte.
///
/// All loads stay inside the bytes that the caller names.
@usableFromInline
enum EightBytes {
    @usableFromInline static let zeros: UInt64 = 0x3030_3030_3030_3030
    @usableFromInline static let highBits: UInt64 = 0x8080_8080_8080_8080

    @inlinable
    @inline(__always)
    static func load(_ base: UnsafeRawPointer) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(as: UInt64.self))
    }

    /// Loads 1...8 bytes; the bytes above them are zero.
    @inlinable
    @inline(__always)
    static func load(_ base: UnsafeRawPointer, count: Int) -> UInt64 {
        if count == 8 { return load(base) }
        if count >= 4 {
            let first = UInt64(UInt32(littleEndian: base.loadUnaligned(as: UInt32.self)))
            let last = UInt64(UInt32(littleEndian: (base + (count &- 4)).loadUnaligned(as: UInt32.self)))
            return first | (last &<< (UInt64(truncatingIfNeeded: count &- 4) &* 8))
        }
        let middle = count &>> 1
        let end = count &- 1
        return UInt64(base.load(as: UInt8.self))
            | (UInt64(base.load(fromByteOffset: middle, as: UInt8.self)) &<< (UInt64(truncatingIfNeeded: middle) &* 8))
            | (UInt64(base.load(fromByteOffset: end, as: UInt8.self)) &<< (UInt64(truncatingIfNeeded: end) &* 8))
    }

    @inlinable
    @inline(__always)
    static func store(_ word: UInt64, to base: UnsafeMutableRawPointer) {
        base.storeBytes(of: word.littleEndian, as: UInt64.self)
    }

    /// Whether a byte of the word is above nine, the word being text exclusive-ored with `zeros`.
    @inlinable
    @inline(__always)
    static func hasNonDigit(_ digits: UInt64) -> Bool {
        ((digits &+ 0x7676_7676_7676_7676) | digits) & highBits != 0
    }

    /// Marks the bytes that equal `pattern`'s: the lowest marked bit is exact, those above it need not be.
    @inlinable
    @inline(__always)
    static func matches(_ word: UInt64, _ pattern: UInt64) -> UInt64 {
        let difference = word ^ pattern
        return (difference &- 0x0101_0101_0101_0101) & ~difference & highBits
    }

    /// The number written by eight digit bytes 0...9, most significant first.
    @inlinable
    @inline(__always)
    static func number(_ digits: UInt64) -> UInt64 {
        let pairs = digits &* 10 &+ (digits &>> 8)
        let lower = (pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let upper = ((pairs &>> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        return (lower &+ upper) &>> 32
    }

    /// The eight digit bytes 0...9 of a number below 100,000,000, most significant first.
    @inlinable
    @inline(__always)
    static func digits(_ number: UInt64) -> UInt64 {
        let upper = number / 10_000
        let fours = upper | ((number &- upper &* 10_000) &<< 32)
        let hundreds = ((fours &* 10_486) &>> 20) & 0x0000_007F_0000_007F
        let pairs = hundreds | ((fours &- hundreds &* 100) &<< 16)
        let tens = ((pairs &* 103) &>> 10) & 0x000F_000F_000F_000F
        return tens | ((pairs &- tens &* 10) &<< 8)
    }
}
