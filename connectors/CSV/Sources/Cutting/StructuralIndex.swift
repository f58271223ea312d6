import HeadraceColumnar

/// The places of all delimiters and line ends outside quotes, found by 64-byte blocks with quote parity.
///
/// Entry 0 is the byte before the first record, so that a field begins one byte after the entry before its own end. Entry
/// `UInt32.max` is the byte before the buffer. Parity is right only where every quote opens at a field's start or closes
/// at its end; `hasMisuse` says that one did not, and then nothing else may be believed.
struct StructuralIndex: ~Copyable {
    private(set) var entries: MutableBuffer
    /// Structural bytes found, entry 0 not counted.
    private(set) var count = 0
    /// Whether the text ends inside a quoted field.
    private(set) var endsInQuote = false
    private(set) var hasMisuse = false
    private(set) var hasCarriageReturn = false
    private(set) var isASCII = true
    /// Line feeds inside quotes.
    private(set) var quotedLineFeeds = 0

    init(capacity: Int) { entries = MutableBuffer(capacity: max(capacity, 256) * 4) }

    /// Entries as positions in the text; valid until the index changes.
    var positions: UnsafeMutablePointer<UInt32> { entries.base.assumingMemoryBound(to: UInt32.self) }

    /// Indexes `start..<end` of the text at `base`. At least 64 bytes after `end` must be readable.
    ///
    /// - Parameter withCarriageReturns: treats a carriage return outside quotes as structural too. Without it the
    ///   result counts only if there is none, which `hasCarriageReturn` tells.
    mutating func build(
        _ base: UnsafeRawPointer, from start: Int, to end: Int, delimiter: UInt8, quote: UInt8?,
        withCarriageReturns: Bool
    ) {
        let delimiters = ByteMask.all(delimiter)
        let lineFeeds = ByteMask.all(CSVDialect.lineFeed)
        let returns = ByteMask.all(CSVDialect.carriageReturn)
        let quotes = ByteMask.all(quote ?? 0)
        let quoteFilter = ByteMask.Block(repeating: quote == nil ? 0 : .max)
        var seen = ByteMask.Block()
        var notReturn = ByteMask.Block(repeating: .max)
        // Carried from block to block as the lowest bit, or for parity as all bits.
        var inQuote: UInt64 = 0
        var afterBoundary: UInt64 = 1
        var afterClosing: UInt64 = 0
        var misuse: UInt64 = 0
        var quotedLines = 0
        var found = 0
        positions[0] = UInt32(truncatingIfNeeded: start &- 1)

        var offset = start
        while offset < end {
            if (found &+ 72) &* 4 > entries.capacity {
                entries.reserve(entries.capacity &* 2, keeping: (found &+ 1) &* 4)
            }
            let block = ByteMask.load(base, offset)
            let left = end &- offset
            let valid: UInt64 = left >= 64 ? .max : (1 &<< UInt64(truncatingIfNeeded: left)) &- 1
            seen |= block
            let lineMismatch = ByteMask.mismatch(block, lineFeeds)
            let returnMismatch = ByteMask.mismatch(block, returns)
            notReturn &= returnMismatch
            var mismatch = ByteMask.mismatch(block, delimiters) & lineMismatch
            if withCarriageReturns { mismatch &= returnMismatch }
            var structural = ByteMask.bits(ByteMask.marks(mismatch)) & valid
            let quoteMarks = ByteMask.marks(ByteMask.mismatch(block, quotes)) & quoteFilter
            var closing: UInt64 = 0
            if ByteMask.any(quoteMarks) || (inQuote | afterClosing) != 0 {
                let toggles = ByteMask.bits(quoteMarks) & valid
                let inside = ByteMask.inside(toggles) ^ inQuote
                inQuote = UInt64(bitPattern: Int64(bitPattern: inside) &>> 63)
                quotedLines &+= (ByteMask.bits(ByteMask.marks(lineMismatch)) & valid & inside).nonzeroBitCount
                closing = toggles & ~inside
                let follows = (closing &<< 1) | afterClosing
                misuse |= follows & ~(structural | toggles) & valid
                structural &= ~inside
                misuse |= toggles & inside & ~(((structural | closing) &<< 1) | afterBoundary)
                afterClosing = closing &>> 63
            }
            afterBoundary = (structural | closing) &>> 63
            Self.write(structural, offset, positions + (found &+ 1))
            found &+= structural.nonzeroBitCount
            offset &+= 64
        }
        count = found
        endsInQuote = inQuote != 0
        hasMisuse = misuse != 0
        hasCarriageReturn = ByteMask.any(ByteMask.marks(notReturn))
        isASCII = !ByteMask.any(seen & ByteMask.Block(repeating: 0x8080_8080_8080_8080))
        quotedLineFeeds = quotedLines
    }

    /// Writes the places of the set bits; up to 64 entries from `target` may be overwritten.
    @inline(__always)
    private static func write(_ bits: UInt64, _ offset: Int, _ target: UnsafeMutablePointer<UInt32>) {
        var bits = bits
        let first = UInt32(truncatingIfNeeded: offset)
        for place in 0..<6 {
            target[place] = first &+ UInt32(truncatingIfNeeded: bits.trailingZeroBitCount)
            bits &= bits &- 1
        }
        var place = 6
        while bits != 0 {
            target[place] = first &+ UInt32(truncatingIfNeeded: bits.trailingZeroBitCount)
            bits &= bits &- 1
            place &+= 1
        }
    }

    /// Drops all entries after number `last`.
    mutating func truncate(to last: Int) { count = last }

    /// Entries 0 to `count` as a buffer.
    consuming func finish() -> Buffer {
        let byteCount = (count &+ 1) &* 4
        return entries.finish(byteCount: byteCount)
    }

    /// Adds a structural byte after all others, where the text ends without a line end.
    mutating func append(_ position: Int) {
        entries.reserve((count &+ 2) &* 4, keeping: (count &+ 1) &* 4)
        count &+= 1
        positions[count] = UInt32(truncatingIfNeeded: position)
    }

    /// Counts the line ends of `start..<end`: line feeds, and carriage returns that no line feed follows.
    static func lineEnds(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
        var lines = 0
        var offset = start
        let lineFeeds = ByteMask.all(CSVDialect.lineFeed)
        let returns = ByteMask.all(CSVDialect.carriageReturn)
        var afterReturn: UInt64 = 0
        while offset < end {
            let block = ByteMask.load(base, offset)
            let left = end &- offset
            let valid: UInt64 = left >= 64 ? .max : (1 &<< UInt64(truncatingIfNeeded: left)) &- 1
            let feeds = ByteMask.bits(ByteMask.marks(ByteMask.mismatch(block, lineFeeds))) & valid
            let carriage = ByteMask.bits(ByteMask.marks(ByteMask.mismatch(block, returns))) & valid
            // Every return counts, and every feed that does not follow one.
            lines &+= carriage.nonzeroBitCount &+ (feeds & ~((carriage &<< 1) | afterReturn)).nonzeroBitCount
            afterReturn = carriage &>> 63
            offset &+= 64
        }
        return lines
    }
}
