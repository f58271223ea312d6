internal import HeadraceColumnar

/// Where the quotes of a text of JSON lie that no backslash escapes, found 64 bytes at a time, and which bytes keep a
/// record from being read by its quotes alone.
package struct JSONQuoteIndex: ~Copyable {
    private var places: MutableBuffer
    /// Quotes found.
    private var count = 0
    /// Places of backslashes and control characters.
    private var oddPlaces: MutableBuffer
    private var oddCount = 0
    /// Starts of blocks with bytes beyond ASCII.
    private var wideBlocks: MutableBuffer
    private var wideCount = 0

    /// Indexes a text of less than 4 GiB.
    ///
    /// - Parameter lineFeedsAreOdd: whether a line feed may stand inside a record.
    package init(_ text: UnsafeRawBufferPointer, lineFeedsAreOdd: Bool) {
        places = MutableBuffer(capacity: text.count / 2 &+ 1024)
        oddPlaces = MutableBuffer(capacity: 1024)
        wideBlocks = MutableBuffer(capacity: 1024)
        if let base = text.baseAddress { scan(base, text.count, lineFeedsAreOdd) }
        // Whoever reads on past the last finds a place beyond the text.
        places.reserve((count &+ 8) &* 4, keeping: count &* 4)
        for index in 0..<8 { quotes[count &+ index] = .max }
        oddPlaces.reserve((oddCount &+ 1) &* 4, keeping: oddCount &* 4)
        odd[oddCount] = .max
        wideBlocks.reserve((wideCount &+ 1) &* 4, keeping: wideCount &* 4)
        wide[wideCount] = .max
    }

    /// The places of the quotes, then eight times `UInt32.max`; valid while the index lives.
    package var quotes: UnsafeMutablePointer<UInt32> { places.base.assumingMemoryBound(to: UInt32.self) }

    /// The places of backslashes and control characters, then `UInt32.max`; valid while the index lives.
    package var odd: UnsafeMutablePointer<UInt32> { oddPlaces.base.assumingMemoryBound(to: UInt32.self) }

    /// Where blocks of 64 bytes begin that hold bytes beyond ASCII, then `UInt32.max`; valid while the index lives.
    package var wide: UnsafeMutablePointer<UInt32> { wideBlocks.base.assumingMemoryBound(to: UInt32.self) }

    private mutating func scan(_ base: UnsafeRawPointer, _ length: Int, _ lineFeedsAreOdd: Bool) {
        var strings = JSONStringState()
        var found = 0
        var offset = 0
        while offset < length {
            let size = min(64, length &- offset)
            let block = size == 64 ? JSONBlock(base + offset) : JSONBlock(base + offset, count: size)
            if (found &+ 72) &* 4 > places.capacity {
                places.reserve(places.capacity &* 2, keeping: found &* 4)
            }
            var bits = block.quotes
            if lineFeedsAreOdd || strings.escape != 0 || block.mayBeOdd {
                look(block, offset, size, lineFeedsAreOdd, &strings, &bits)
            }
            found &+= Self.write(bits, offset, quotes + found)
            offset &+= 64
        }
        count = found
    }

    /// Takes quotes that are escaped out of `quotes`, and notes what is odd in a block.
    @inline(never)
    private mutating func look(
        _ block: JSONBlock, _ offset: Int, _ size: Int, _ lineFeedsAreOdd: Bool, _ strings: inout JSONStringState,
        _ quotes: inout UInt64
    ) {
        let backslashes = block.backslashes
        if backslashes | strings.escape != 0 { quotes &= ~strings.escaped(backslashes, count: size) }
        oddPlaces.reserve((oddCount &+ 72) &* 4, keeping: oddCount &* 4)
        oddCount &+= Self.write(JSONBlock.bits(block.oddMarks(lineFeeds: lineFeedsAreOdd)), offset, odd + oddCount)
        if block.isWide { noteWide(offset) }
    }

    @inline(never)
    private mutating func noteWide(_ offset: Int) {
        wideBlocks.reserve((wideCount &+ 1) &* 4, keeping: wideCount &* 4)
        wide[wideCount] = UInt32(truncatingIfNeeded: offset)
        wideCount &+= 1
    }

    /// Writes the places of the set bits; returns how many there are.
    @inline(__always)
    private static func write(_ bits: UInt64, _ offset: Int, _ target: UnsafeMutablePointer<UInt32>) -> Int {
        var bits = bits
        let first = UInt32(truncatingIfNeeded: offset)
        var place = 0
        while bits != 0 {
            target[place] = first &+ UInt32(truncatingIfNeeded: bits.trailingZeroBitCount)
            bits &= bits &- 1
            place &+= 1
        }
        return place
    }
}
