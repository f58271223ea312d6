/// Sixty-four bytes of JSON as bit masks: bit k speaks of byte k.
///
/// Only `& | ^ ~ + -` on `SIMD8<UInt64>` and scalar multiplications: these compile to vector code on every target,
/// comparisons of vectors do not.
struct JSONBlock {
    private let words: SIMD8<UInt64>

    /// The block at a pointer with 64 readable bytes.
    @inline(__always)
    init(_ pointer: UnsafeRawPointer) {
        words = pointer.loadUnaligned(as: SIMD8<UInt64>.self)
    }

    /// A block of fewer bytes, filled up with spaces, which mean nothing outside strings and end nothing inside.
    @inline(never)
    init(_ pointer: UnsafeRawPointer, count: Int) {
        var filled = SIMD8<UInt64>(repeating: 0x2020_2020_2020_2020)
        withUnsafeMutableBytes(of: &filled) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: count))
        }
        words = filled
    }

    /// Quotes, escaped or not.
    @inline(__always) var quotes: UInt64 { Self.pack(Self.equal(words, 0x22)) }

    /// Backslashes; cheap when there are none, which is the rule.
    @inline(__always) var backslashes: UInt64 {
        let matches = Self.equal(words, 0x5C)
        return Self.isEmpty(matches) ? 0 : Self.pack(matches)
    }

    /// Opening and closing brackets; cheap when there are none. `{` and `[`, like `}` and `]`, differ in bit 5 only.
    @inline(__always) var brackets: (openers: UInt64, closers: UInt64) {
        let folded = words | SIMD8(repeating: 0x20 &* JSONBytes.ones)
        let openers = Self.equal(folded, 0x7B)
        let closers = Self.equal(folded, 0x7D)
        return Self.isEmpty(openers | closers) ? (0, 0) : (Self.pack(openers), Self.pack(closers))
    }

    /// Marks backslashes and control characters, line feeds only where wanted.
    @inline(__always)
    func oddMarks(lineFeeds: Bool) -> SIMD8<UInt64> {
        let controls = Self.equal(words & SIMD8(repeating: 0xE0 &* JSONBytes.ones), 0)
        let odd = lineFeeds ? controls : controls & ~Self.equal(words, 0x0A)
        return odd | Self.equal(words, 0x5C)
    }

    /// Whether there are backslashes, control characters other than line feeds, or bytes beyond ASCII; true now and then where
    /// there are none.
    @inline(__always)
    var mayBeOdd: Bool {
        let low = SIMD8<UInt64>(repeating: ~JSONBytes.highs)
        // Line feeds become zero, and other control characters stay what they are.
        let x = words ^ SIMD8(repeating: 0x0A &* JSONBytes.ones)
        let controls = (x &- SIMD8(repeating: 0x20 &* JSONBytes.ones)) & ~x & (((x & low) &+ low) | x)
        let y = words ^ SIMD8(repeating: 0x5C &* JSONBytes.ones)
        let backslashes = (y &- SIMD8(repeating: JSONBytes.ones)) & ~y
        return !Self.isEmpty((controls | backslashes | words) & SIMD8(repeating: JSONBytes.highs))
    }

    @inline(__always)
    static func bits(_ marks: SIMD8<UInt64>) -> UInt64 { pack(marks) }

    /// Whether there are bytes beyond ASCII.
    @inline(__always)
    var isWide: Bool { !Self.isEmpty(words & SIMD8(repeating: JSONBytes.highs)) }

    /// Commas.
    @inline(__always) var commas: UInt64 { Self.pack(Self.equal(words, 0x2C)) }

    @inline(__always)
    private static func isEmpty(_ matches: SIMD8<UInt64>) -> Bool {
        let half = matches.lowHalf | matches.highHalf
        let quarter = half.lowHalf | half.highHalf
        return quarter[0] | quarter[1] == 0
    }

    /// 0x80 in every byte that matches, exactly.
    @inline(__always)
    private static func equal(_ words: SIMD8<UInt64>, _ byte: UInt64) -> SIMD8<UInt64> {
        let low = SIMD8<UInt64>(repeating: ~JSONBytes.highs)
        let x = words ^ SIMD8(repeating: byte &* JSONBytes.ones)
        return ~((((x & low) &+ low) | x) | low)
    }

    /// The 0x80 bits of 64 bytes as one word: a multiplication gathers the eight of each lane.
    @inline(__always)
    private static func pack(_ matches: SIMD8<UInt64>) -> UInt64 {
        var packed: UInt64 = 0
        for lane in 0..<8 {
            packed |= ((UInt64(littleEndian: matches[lane]) &* 0x0002_0408_1020_4081) &>> 56) &<< UInt64(lane &* 8)
        }
        return packed
    }
}

/// Whether a byte of JSON is inside a string, carried from block to block and from chunk to chunk.
struct JSONStringState {
    /// All ones inside a string, zero outside.
    var inString: UInt64 = 0
    /// 1 when the next byte is escaped by a backslash before it.
    var escape: UInt64 = 0

    /// The bytes of a block outside strings (a closing quote counts as outside, an opening one as inside); moves the
    /// state past the block's first `count` bytes.
    @inline(__always)
    mutating func outside(_ block: JSONBlock, count: Int) -> UInt64 {
        var quotes = block.quotes
        let backslashes = block.backslashes
        if backslashes | escape != 0 { quotes &= ~escaped(backslashes, count: count) }
        var inside = quotes
        inside ^= inside &<< 1
        inside ^= inside &<< 2
        inside ^= inside &<< 4
        inside ^= inside &<< 8
        inside ^= inside &<< 16
        inside ^= inside &<< 32
        inside ^= inString
        inString = UInt64(bitPattern: Int64(bitPattern: inside) &>> 63)
        return ~inside
    }

    /// The bytes that a backslash escapes. In a run of backslashes every second one is itself escaped: adding the
    /// odd positions to the runs' starts finds where runs end by the parity of their length.
    @inline(__always)
    mutating func escaped(_ backslashes: UInt64, count: Int) -> UInt64 {
        let odd: UInt64 = 0xAAAA_AAAA_AAAA_AAAA
        let starters = backslashes & ~escape
        let series = ((starters &<< 1) | odd) &- starters
        let codes = series ^ odd
        let escaped = codes ^ (backslashes | escape)
        escape = ((codes & backslashes) &>> UInt64(count &- 1)) & 1
        return escaped
    }
}

/// Finds the end of a container by counting brackets outside strings; nothing else is looked at.
struct JSONContainerSkipper {
    var strings = JSONStringState()
    /// Open containers, counting the one to leave.
    var depth = 1

    /// Passes bytes from `start`; returns the index after the bracket that closes the container, or nil when the
    /// bytes end before.
    mutating func skip(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int? {
        var i = start
        var depth = depth
        var strings = strings
        defer {
            self.depth = depth
            self.strings = strings
        }
        while i < end {
            let count = min(64, end &- i)
            let block = count == 64 ? JSONBlock(base + i) : JSONBlock(base + i, count: count)
            let outside = strings.outside(block, count: count)
            let brackets = block.brackets
            let openers = brackets.openers & outside
            let closers = brackets.closers & outside
            let closing = closers.nonzeroBitCount
            if depth > closing {
                depth &+= openers.nonzeroBitCount &- closing
                i &+= count
                continue
            }
            var rest = openers | closers
            while rest != 0 {
                let bit = rest & (0 &- rest)
                rest ^= bit
                if openers & bit != 0 {
                    depth &+= 1
                } else {
                    depth &-= 1
                    if depth == 0 {
                        strings = JSONStringState()
                        return i &+ bit.trailingZeroBitCount &+ 1
                    }
                }
            }
            i &+= count
        }
        return nil
    }
}
