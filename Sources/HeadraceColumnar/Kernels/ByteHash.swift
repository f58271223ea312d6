/// 64-bit hashes of single values, after wyhash: one wide multiplication a step, the same on every machine and in every run.
enum ByteHash {
    static let secret0: UInt64 = 0x2d35_8dcc_aa6c_78a5
    static let secret1: UInt64 = 0x8bb8_4b93_962e_acc9
    static let secret2: UInt64 = 0x4b33_a62e_d433_d4a3
    /// The hash of null.
    static let null: UInt64 = 0x4d5a_2da5_1de1_aa47

    /// The two halves of the product, folded.
    @inline(__always) static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inline(__always) static func hash(_ value: UInt64, seed: UInt64) -> UInt64 {
        fold(fold(value ^ secret0, seed ^ secret1) ^ secret2, secret1)
    }

    /// The hash of a second column's value on top of the hash of those before; the order counts.
    @inline(__always) static func combine(_ before: UInt64, _ next: UInt64) -> UInt64 {
        fold((before &<< 23 | before &>> 41) ^ next ^ secret0, secret2)
    }

    @inline(__always) private static func load8(_ base: UnsafeRawPointer) -> UInt64 {
        base.loadUnaligned(as: UInt64.self)
    }
    @inline(__always) private static func load4(_ base: UnsafeRawPointer) -> UInt64 {
        UInt64(base.loadUnaligned(as: UInt32.self))
    }

    /// The hash of `count` bytes; reads no others.
    @inline(__always)
    static func hash(_ base: UnsafeRawPointer, count: Int, seed: UInt64) -> UInt64 {
        let start = seed ^ secret0
        var left: UInt64 = 0
        var right: UInt64 = 0
        if count <= 16 {
            if count >= 4 {
                let middle = (count &>> 3) &<< 2
                left = load4(base) &<< 32 | load4(base + middle)
                right = load4(base + (count &- 4)) &<< 32 | load4(base + (count &- 4 &- middle))
            } else if count > 0 {
                left =
                    UInt64(base.load(as: UInt8.self)) &<< 16
                    | UInt64(base.load(fromByteOffset: count &>> 1, as: UInt8.self)) &<< 8
                    | UInt64(base.load(fromByteOffset: count &- 1, as: UInt8.self))
            }
            return finish(left, right, start, count)
        }
        return long(base, count, start)
    }

    private static func long(_ base: UnsafeRawPointer, _ count: Int, _ start: UInt64) -> UInt64 {
        var at = base
        var remaining = count
        var state = start
        if remaining > 32 {
            var second = start
            repeat {
                state = fold(load8(at) ^ secret1, load8(at + 8) ^ state)
                second = fold(load8(at + 16) ^ secret2, load8(at + 24) ^ second)
                at += 32
                remaining &-= 32
            } while remaining > 32
            state ^= second
        }
        if remaining > 16 {
            state = fold(load8(at) ^ secret1, load8(at + 8) ^ state)
            at += 16
            remaining &-= 16
        }
        let end = at + remaining
        return finish(load8(end - 16), load8(end - 8), state, count)
    }

    @inline(__always)
    private static func finish(_ left: UInt64, _ right: UInt64, _ state: UInt64, _ count: Int) -> UInt64 {
        let product = (left ^ secret1).multipliedFullWidth(by: right ^ state)
        return fold(product.low ^ secret0 ^ UInt64(truncatingIfNeeded: count), product.high ^ secret1)
    }

    /// A float's bits with one pattern for zero and one for NaN, so that equal values have equal bits.
    @inline(__always) static func canonicalBits(_ value: Double) -> UInt64 {
        if value == 0 { return 0 }
        return value.isNaN ? 0x7ff8_0000_0000_0000 : value.bitPattern
    }
}
