extension Bitmap {
    /// Up to 64 bits from bit `offset`, the first at the lowest place, zeros above `count`.
    ///
    /// Reads only bytes that hold one of these bits, so that foreign memory needs no padding.
    @inline(__always)
    static func word(_ base: UnsafeRawPointer, _ offset: Int, count: Int) -> UInt64 {
        let byte = offset &>> 3
        let shift = UInt64(truncatingIfNeeded: offset & 7)
        if count >= 64 {
            let low = base.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
            if shift == 0 { return low }
            let high = UInt64(base.load(fromByteOffset: byte &+ 8, as: UInt8.self))
            return low &>> shift | high &<< (64 &- shift)
        }
        return partialWord(base + byte, shift, count)
    }

    private static func partialWord(_ base: UnsafeRawPointer, _ shift: UInt64, _ count: Int) -> UInt64 {
        if count <= 0 { return 0 }
        let bytes = (Int(shift) &+ count &+ 7) &>> 3
        var low: UInt64 = 0
        for index in 0..<min(bytes, 8) {
            low |= UInt64(base.load(fromByteOffset: index, as: UInt8.self)) &<< UInt64(truncatingIfNeeded: index &* 8)
        }
        var word = low &>> shift
        if bytes > 8 { word |= UInt64(base.load(fromByteOffset: 8, as: UInt8.self)) &<< (64 &- shift) }
        return word & mask(count)
    }

    /// The lowest `count` bits set; all for 64 and more.
    @inline(__always) static func mask(_ count: Int) -> UInt64 {
        count >= 64 ? ~0 : (1 &<< UInt64(truncatingIfNeeded: count)) &- 1
    }

    /// Bytes for `bits` bits in whole words.
    @inline(__always) static func wordBytes(_ bits: Int) -> Int { ((bits &+ 63) &>> 6) &* 8 }

    /// A bitmap of `count` bits from `make`, which is asked for word `index` holding bits `index * 64...`; bits above `count` in the
    /// last word must be zero for `setBits` to be right.
    @inline(__always)
    static func build(_ count: Int, _ make: (_ index: Int, _ bits: Int) -> UInt64) -> (buffer: Buffer, setBits: Int) {
        let out = MutableBuffer(capacity: wordBytes(count))
        let words = out.values(as: UInt64.self)
        var set = 0
        var start = 0
        var index = 0
        while start < count {
            let word = make(index, min(64, count &- start))
            words[index] = word
            set &+= word.nonzeroBitCount
            index &+= 1
            start &+= 64
        }
        return (out.finish(byteCount: byteCount(count)), set)
    }

    /// A bitmap of one predicate a row: 64 booleans go to bytes, which the compiler vectorises, then eight at a time to bits.
    @inline(__always)
    static func build(_ count: Int, where predicate: (_ row: Int) -> Bool) -> Buffer {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 64) { scratch in
            guard let flags = scratch.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
                preconditionFailure("64 bytes of scratch memory have no address")
            }
            return build(count) { index, bits in
                let start = index &* 64
                if bits == 64 {
                    for lane in 0..<64 { flags[lane] = predicate(start &+ lane) ? 1 : 0 }
                    return pack(UnsafeRawPointer(flags))
                }
                var word: UInt64 = 0
                for lane in 0..<bits where predicate(start &+ lane) {
                    word |= 1 &<< UInt64(truncatingIfNeeded: lane)
                }
                return word
            }.buffer
        }
    }

    /// 64 bytes of 0 or 1 as 64 bits.
    @inline(__always) static func pack(_ flags: UnsafeRawPointer) -> UInt64 {
        var word: UInt64 = 0
        for group in 0..<8 {
            let bytes = flags.load(fromByteOffset: group &* 8, as: UInt64.self)
            word |= ((bytes &* 0x0102_0408_1020_4080) &>> 56) &<< UInt64(truncatingIfNeeded: group &* 8)
        }
        return word
    }
}

/// Appends runs of bits to a bitmap of known length.
struct BitmapWriter: ~Copyable {
    private var out: MutableBuffer
    private var pending: UInt64 = 0
    private var filled = 0
    private var words = 0
    /// Bits set so far.
    private(set) var setBits = 0

    init(capacity: Int) { out = MutableBuffer(capacity: Bitmap.wordBytes(capacity) &+ 8) }

    /// Appends the lowest `count` bits of `word`, all others of which are zero.
    @inline(__always) mutating func append(_ word: UInt64, count: Int) {
        setBits &+= word.nonzeroBitCount
        pending |= word &<< UInt64(truncatingIfNeeded: filled)
        let total = filled &+ count
        if total < 64 {
            filled = total
            return
        }
        out.base.storeBytes(of: pending, toByteOffset: words &* 8, as: UInt64.self)
        words &+= 1
        pending = filled == 0 ? 0 : word &>> UInt64(truncatingIfNeeded: 64 &- filled)
        filled = total &- 64
    }

    mutating func append(_ base: UnsafeRawPointer, from offset: Int, count: Int) {
        var done = 0
        while done < count {
            let bits = min(64, count &- done)
            append(Bitmap.word(base, offset &+ done, count: bits), count: bits)
            done &+= bits
        }
    }

    mutating func append(repeating value: Bool, count: Int) {
        var left = count
        while left > 0 {
            let bits = min(64, left)
            append(value ? Bitmap.mask(bits) : 0, count: bits)
            left &-= bits
        }
    }

    consuming func finish(count: Int) -> Buffer {
        out.base.storeBytes(of: pending, toByteOffset: words &* 8, as: UInt64.self)
        return out.finish(byteCount: Bitmap.byteCount(count))
    }
}

/// The validity of a result: a bitmap and the number of nulls, none when every row has a value.
struct Validity {
    var buffer: Buffer?
    var nullCount: Int

    static let none = Validity(buffer: nil, nullCount: 0)

    init(buffer: Buffer?, nullCount: Int) {
        self.buffer = nullCount == 0 ? nil : buffer
        self.nullCount = nullCount
    }

    /// The rows that are valid in `column`, counted from bit 0.
    init(_ column: ColumnVector) {
        guard let bits = column.validity else {
            self = .none
            return
        }
        if column.offset == 0 {
            self.init(buffer: bits, nullCount: column.nullCount)
            return
        }
        let moved = Bitmap.build(column.count) { Bitmap.word(bits.base, column.offset &+ $0 &* 64, count: $1) }
        self.init(buffer: moved.buffer, nullCount: column.nullCount)
    }

    /// The rows that are valid in both columns.
    init(_ left: ColumnVector, _ right: ColumnVector) {
        guard let leftBits = left.validity else {
            self = Validity(right)
            return
        }
        guard let rightBits = right.validity else {
            self = Validity(left)
            return
        }
        let both = Bitmap.build(left.count) { index, bits in
            Bitmap.word(leftBits.base, left.offset &+ index &* 64, count: bits)
                & Bitmap.word(rightBits.base, right.offset &+ index &* 64, count: bits)
        }
        self.init(buffer: both.buffer, nullCount: left.count &- both.setBits)
    }

    /// These rows without `failures`.
    func removing(_ failures: [RowFailure], count: Int) -> Validity {
        if failures.isEmpty { return self }
        let out = MutableBuffer(capacity: Bitmap.wordBytes(count))
        if let buffer {
            out.base.copyMemory(from: buffer.base, byteCount: Bitmap.byteCount(count))
        } else {
            out.base.initializeMemory(as: UInt8.self, repeating: 0xff, count: Bitmap.byteCount(count))
        }
        var nulls = nullCount
        for failure in failures where Bitmap.get(out.base, Int(failure.row)) {
            Bitmap.set(out.base, Int(failure.row), false)
            nulls += 1
        }
        return Validity(buffer: out.finish(byteCount: Bitmap.byteCount(count)), nullCount: nulls)
    }
}

extension UnsafeColumnView {
    /// The validity of 64 rows from `row` as a word; ones where the column has no nulls.
    @inline(__always) func validWord(_ row: Int, count bits: Int) -> UInt64 {
        guard let validityBits else { return Bitmap.mask(bits) }
        return Bitmap.word(validityBits.base, validityBits.offset &+ row, count: bits)
    }
}
