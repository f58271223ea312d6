extension Kernels {
    /// Where `trim` cuts.
    public enum TrimSide: Sendable, Hashable {
        /// At both ends, at the beginning only or at the end only.
        case both, leading, trailing
    }

    /// Text without the white space at its ends; null stays null. White space is what Unicode's White_Space property says, so
    /// line breaks and no-break spaces too.
    /// - Throws: `KernelError` unless the column is text.
    public static func trim(_ column: ColumnVector, _ side: TrimSide = .both) throws(KernelError) -> ColumnVector {
        try TextMap.run(column, "trim", remembers: side == .both) { base, count, writer in
            let start = side == .trailing ? 0 : leadingSpace(base, count)
            let end = side == .leading ? count : count &- trailingSpace(base + start, count &- start)
            writer.append(base + start, count: end &- start)
        }
    }

    /// Text with each run of white space, at the ends too, as one space; null stays null.
    /// - Throws: `KernelError` unless the column is text.
    public static func collapseWhitespace(_ column: ColumnVector) throws(KernelError) -> ColumnVector {
        try TextMap.run(column, "collapseWhitespace", remembers: true) { base, count, writer in
            if isCollapsed(base, count) {
                writer.append(base, count: count)
                return
            }
            let target = writer.reserve(count)
            var written = 0
            var index = 0
            var inSpace = false
            while index < count {
                let space = UTF8Bytes.spaceLength(base + index, count &- index)
                if space == 0 {
                    target.storeBytes(
                        of: base.load(fromByteOffset: index, as: UInt8.self), toByteOffset: written, as: UInt8.self)
                    written &+= 1
                    index &+= 1
                    inSpace = false
                } else {
                    if !inSpace {
                        target.storeBytes(of: 0x20, toByteOffset: written, as: UInt8.self)
                        written &+= 1
                    }
                    inSpace = true
                    index &+= space
                }
            }
            writer.commit(written)
        }
    }

    /// Whether nothing but single spaces is white space, by a quick look: false may be said of text that has none either.
    @inline(__always)
    private static func isCollapsed(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var index = 0
        // Words overlap by a byte, so that each pair of neighbours is in one.
        while index &+ 8 <= count {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let control = (word &- ones &* 0x20) & ~word
            let other = word ^ (ones &* 0x20)
            let space = (other &- ones) & ~other & highs
            if (control | word | space & space &<< 8) & highs != 0 { return false }
            index &+= 7
        }
        var wasSpace = false
        while index < count {
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            if byte < 0x20 || byte >= 0x80 || (byte == 0x20 && wasSpace) { return false }
            wasSpace = byte == 0x20
            index &+= 1
        }
        return true
    }

    @inline(__always)
    private static func leadingSpace(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        var index = 0
        while index < count {
            let space = UTF8Bytes.spaceLength(base + index, count &- index)
            if space == 0 { return index }
            index &+= space
        }
        return index
    }

    /// The bytes of white space at the end.
    @inline(__always)
    private static func trailingSpace(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        var end = count
        while end > 0 {
            var start = end &- 1
            while start > 0 && base.load(fromByteOffset: start, as: UInt8.self) & 0xc0 == 0x80 { start &-= 1 }
            if UTF8Bytes.spaceLength(base + start, end &- start) == 0 { break }
            end = start
        }
        return count &- end
    }
}
