/// Finds bytes 64 at a time with plain word arithmetic, which the compiler turns into vector code on every machine.
///
/// Comparisons of SIMD vectors and their masks are left out on purpose: they compile to one step a lane.
enum ByteMask {
    typealias Block = SIMD8<UInt64>

    /// `byte` in every place of a block.
    @inline(__always) static func all(_ byte: UInt8) -> Block {
        Block(repeating: UInt64(byte) &* 0x0101_0101_0101_0101)
    }

    @inline(__always) static func load(_ base: UnsafeRawPointer, _ offset: Int) -> Block {
        base.loadUnaligned(fromByteOffset: offset, as: Block.self)
    }

    /// A block whose byte has its top bit clear exactly where `block` equals `wanted`; the other bits are undefined.
    @inline(__always) static func mismatch(_ block: Block, _ wanted: Block) -> Block {
        let low = Block(repeating: 0x7f7f_7f7f_7f7f_7f7f)
        let difference = block ^ wanted
        return ((difference & low) &+ low) | difference
    }

    /// The top bit of every byte where `mismatches` has it clear, nothing else.
    @inline(__always) static func marks(_ mismatches: Block) -> Block {
        ~mismatches & Block(repeating: 0x8080_8080_8080_8080)
    }

    /// Whether a block of marks has any.
    @inline(__always) static func any(_ marks: Block) -> Bool {
        let halves = marks.lowHalf | marks.highHalf
        let quarters = halves.lowHalf | halves.highHalf
        return quarters[0] | quarters[1] != 0
    }

    /// One bit a byte, the first byte's lowest, set where `marks` has the top bit.
    @inline(__always) static func bits(_ marks: Block) -> UInt64 { transposed(gathered(marks)) }

    /// One bit a byte, the first byte's lowest, set where `mismatches` has the top bit clear.
    @inline(__always) static func matches(_ mismatches: Block) -> UInt64 { transposed(~gathered(mismatches)) }

    /// The top bits of a block: bit `lane` of byte `index` is that of byte `index` of the lane.
    @inline(__always) private static func gathered(_ block: Block) -> UInt64 {
        var bits: UInt64 = 0
        for lane in 0..<8 {
            bits |= (block[lane] & 0x8080_8080_8080_8080) &>> UInt64(7 &- lane)
        }
        return bits
    }

    /// Swaps rows and columns of eight by eight bits.
    @inline(__always) private static func transposed(_ square: UInt64) -> UInt64 {
        var bits = square
        var swapped = (bits ^ (bits &>> 7)) & 0x00AA_00AA_00AA_00AA
        bits ^= swapped ^ (swapped &<< 7)
        swapped = (bits ^ (bits &>> 14)) & 0x0000_CCCC_0000_CCCC
        bits ^= swapped ^ (swapped &<< 14)
        swapped = (bits ^ (bits &>> 28)) & 0x0000_0000_F0F0_F0F0
        return bits ^ swapped ^ (swapped &<< 28)
    }

    /// Sets every bit from an odd-numbered set bit of `toggles` up to, but not including, the next one.
    @inline(__always) static func inside(_ toggles: UInt64) -> UInt64 {
        var bits = toggles
        bits ^= bits &<< 1
        bits ^= bits &<< 2
        bits ^= bits &<< 4
        bits ^= bits &<< 8
        bits ^= bits &<< 16
        bits ^= bits &<< 32
        return bits
    }
}
