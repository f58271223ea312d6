/// Reads of Arrow bitmaps: bit `i` lies in byte `i / 8` at position `i % 8`, least significant first.
public enum Bitmap {
    /// The bytes that `bits` bits occupy.
    @inlinable public static func byteCount(_ bits: Int) -> Int { (bits &+ 7) &>> 3 }

    /// Whether bit `index` is set; nothing is checked.
    @inlinable public static func get(_ base: UnsafeRawPointer, _ index: Int) -> Bool {
        base.load(fromByteOffset: index &>> 3, as: UInt8.self) &>> UInt8(truncatingIfNeeded: index & 7) & 1 != 0
    }

    /// Sets or clears bit `index`; nothing is checked.
    @inlinable public static func set(_ base: UnsafeMutableRawPointer, _ index: Int, _ value: Bool) {
        let byte = index &>> 3
        let mask = UInt8(1) &<< UInt8(truncatingIfNeeded: index & 7)
        let old = base.load(fromByteOffset: byte, as: UInt8.self)
        base.storeBytes(of: value ? old | mask : old & ~mask, toByteOffset: byte, as: UInt8.self)
    }

    /// The number of set bits among `count` bits from bit `offset`.
    public static func countSet(_ base: UnsafeRawPointer, offset: Int, count: Int) -> Int {
        var index = offset
        let end = offset &+ count
        var total = 0
        while index < end && index & 7 != 0 {
            if get(base, index) { total &+= 1 }
            index &+= 1
        }
        while index &+ 64 <= end {
            total &+= base.loadUnaligned(fromByteOffset: index &>> 3, as: UInt64.self).nonzeroBitCount
            index &+= 64
        }
        while index < end {
            if get(base, index) { total &+= 1 }
            index &+= 1
        }
        return total
    }
}
