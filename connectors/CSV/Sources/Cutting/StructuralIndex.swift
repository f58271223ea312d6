import Glibc
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
    /// - Parameter withCarriageReturns: treats a carriage return outside quotes as structural too. Without it nothing but
    ///   `hasCarriageReturn` counts where there is one.
    mutating func build(
        _ base: UnsafeRawPointer, from start: Int, to end: Int, delimiter: UInt8, quote: UInt8?,
        withCarriageReturns: Bool
    ) {
        count = 0
        hasCarriageReturn = Self.place(of: CSVDialect.carriageReturn, base, from: start, to: end) != nil
        if hasCarriageReturn && !withCarriageReturns { return }
        var state = Scan(delimiter: delimiter, quote: quote)
        positions[0] = UInt32(truncatingIfNeeded: start &- 1)
        var offset = start
        // Most blocks hold no quote: they are only looked at for one by the C library, at the speed of memory.
        var nextQuote = quote.flatMap { Self.place(of: $0, base, from: start, to: end) } ?? end
        while offset < end {
            let plain = state.isQuoted ? 0 : (min(nextQuote, end) &- offset) & ~63
            if plain > 0 {
                if hasCarriageReturn {
                    skim(base, offset, offset &+ plain, withCarriageReturns: true, &state)
                } else {
                    skim(base, offset, offset &+ plain, withCarriageReturns: false, &state)
                }
                offset &+= plain
                continue
            }
            index(base, offset, end, withCarriageReturns, &state)
            offset &+= 64
            if let quote, offset < end, nextQuote < offset, !state.isQuoted {
                nextQuote = Self.place(of: quote, base, from: offset, to: end) ?? end
            }
        }
        count = state.found
        endsInQuote = state.inQuote != 0
        hasMisuse = state.misuse != 0
        isASCII = !ByteMask.any(state.seen & ByteMask.Block(repeating: 0x8080_8080_8080_8080))
        quotedLineFeeds = state.quotedLines
    }

    /// What goes from block to block.
    private struct Scan {
        let delimiters: ByteMask.Block
        let lineFeeds = ByteMask.all(CSVDialect.lineFeed)
        let returns = ByteMask.all(CSVDialect.carriageReturn)
        let quotes: ByteMask.Block
        let quoteFilter: ByteMask.Block
        var seen = ByteMask.Block()
        /// All bits where the next block begins inside quotes.
        var inQuote: UInt64 = 0
        // Carried as the lowest bit.
        var afterBoundary: UInt64 = 1
        var afterClosing: UInt64 = 0
        var misuse: UInt64 = 0
        var quotedLines = 0
        var found = 0

        init(delimiter: UInt8, quote: UInt8?) {
            delimiters = ByteMask.all(delimiter)
            quotes = ByteMask.all(quote ?? 0)
            quoteFilter = ByteMask.Block(repeating: quote == nil ? 0 : .max)
        }

        /// Whether the next block cannot be read without what came before it.
        var isQuoted: Bool { (inQuote | afterClosing) != 0 }
    }

    /// Indexes whole blocks without quotes, outside quotes.
    @inline(__always)
    private mutating func skim(
        _ base: UnsafeRawPointer, _ start: Int, _ end: Int, withCarriageReturns: Bool, _ state: inout Scan
    ) {
        let (delimiters, lineFeeds, returns) = (state.delimiters, state.lineFeeds, state.returns)
        var seen = state.seen
        var found = state.found
        var structural: UInt64 = 0
        var offset = start
        while offset < end {
            if (found &+ 72) &* 4 > entries.capacity {
                entries.reserve(entries.capacity &* 2, keeping: (found &+ 1) &* 4)
            }
            let block = ByteMask.load(base, offset)
            seen |= block
            var mismatch = ByteMask.mismatch(block, delimiters) & ByteMask.mismatch(block, lineFeeds)
            if withCarriageReturns { mismatch &= ByteMask.mismatch(block, returns) }
            structural = ByteMask.matches(mismatch)
            Self.write(structural, offset, positions + (found &+ 1))
            found &+= structural.nonzeroBitCount
            offset &+= 64
        }
        state.seen = seen
        state.found = found
        state.afterBoundary = structural &>> 63
    }

    /// Indexes one block of any text, the last of which may reach beyond `end`.
    private mutating func index(
        _ base: UnsafeRawPointer, _ offset: Int, _ end: Int, _ withCarriageReturns: Bool, _ state: inout Scan
    ) {
        if (state.found &+ 72) &* 4 > entries.capacity {
            entries.reserve(entries.capacity &* 2, keeping: (state.found &+ 1) &* 4)
        }
        let block = ByteMask.load(base, offset)
        let left = end &- offset
        let valid: UInt64 = left >= 64 ? .max : (1 &<< UInt64(truncatingIfNeeded: left)) &- 1
        state.seen |= block
        let lineMismatch = ByteMask.mismatch(block, state.lineFeeds)
        var mismatch = ByteMask.mismatch(block, state.delimiters) & lineMismatch
        if withCarriageReturns { mismatch &= ByteMask.mismatch(block, state.returns) }
        var structural = ByteMask.matches(mismatch) & valid
        let quoteMarks = ByteMask.marks(ByteMask.mismatch(block, state.quotes)) & state.quoteFilter
        var closing: UInt64 = 0
        if ByteMask.any(quoteMarks) || state.isQuoted {
            let toggles = ByteMask.bits(quoteMarks) & valid
            let inside = ByteMask.inside(toggles) ^ state.inQuote
            state.inQuote = UInt64(bitPattern: Int64(bitPattern: inside) &>> 63)
            state.quotedLines &+= (ByteMask.matches(lineMismatch) & valid & inside).nonzeroBitCount
            closing = toggles & ~inside
            let follows = (closing &<< 1) | state.afterClosing
            state.misuse |= follows & ~(structural | toggles) & valid
            structural &= ~inside
            state.misuse |= toggles & inside & ~(((structural | closing) &<< 1) | state.afterBoundary)
            state.afterClosing = closing &>> 63
        }
        state.afterBoundary = (structural | closing) &>> 63
        Self.write(structural, offset, positions + (state.found &+ 1))
        state.found &+= structural.nonzeroBitCount
    }

    /// The first place of `byte` in `start..<end`.
    private static func place(of byte: UInt8, _ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int? {
        memchr(base + start, Int32(byte), end &- start).map { UnsafeRawPointer($0) - base }
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
