/// Byte tests that the JSON readers and writers share; eight bytes at a time where it pays.
///
/// The masks have 0x80 in matching bytes. Above the lowest match they may hold false ones (a borrow runs upwards), so
/// only the lowest set bit is exact.
enum JSONBytes {
    @inline(__always) static var ones: UInt64 { 0x0101_0101_0101_0101 }
    @inline(__always) static var highs: UInt64 { 0x8080_8080_8080_8080 }

    @inline(__always)
    static func load8(_ pointer: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: pointer.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Where a word equals a byte; see the type about matches above the lowest.
    @inline(__always)
    static func equal(_ word: UInt64, _ byte: UInt64) -> UInt64 {
        let x = word ^ (byte &* ones)
        return (x &- ones) & ~x
    }

    /// The bytes that end a plain run inside a string: quote, backslash, control characters and all beyond ASCII.
    @inline(__always)
    static func stringStops(_ word: UInt64) -> UInt64 {
        (escapes(word) | word) & highs
    }

    /// The bytes that must be escaped inside a string, in bit 7 of each; other bits are noise.
    @inline(__always)
    static func escapes(_ word: UInt64) -> UInt64 {
        equal(word, 0x22) | equal(word, 0x5C) | ((word &- (0x20 &* ones)) & ~word)
    }

    /// How often a byte occurs.
    ///
    /// Each byte of the sum counts the words' matches at its place, for no more words than it can hold; the loop is
    /// simple enough to become vector code.
    static func count(_ byte: UInt64, _ pointer: UnsafeRawPointer, _ count: Int) -> Int {
        let pattern = byte &* ones
        var total = 0
        var i = 0
        while i &+ 8 <= count {
            let words = min((count &- i) &>> 3, 255)
            var others: UInt64 = 0
            for k in 0..<words {
                let x = load8(pointer, i &+ k &* 8) ^ pattern
                others &+= (((((x & ~highs) &+ ~highs) | x) & highs) &>> 7)
            }
            let even = others & 0x00FF_00FF_00FF_00FF
            let odd = (others &>> 8) & 0x00FF_00FF_00FF_00FF
            total &+= words &* 8 &- Int(truncatingIfNeeded: ((even &+ odd) &* 0x0001_0001_0001_0001) &>> 48)
            i &+= words &* 8
        }
        while i < count {
            total &+= pointer.load(fromByteOffset: i, as: UInt8.self) == UInt8(truncatingIfNeeded: byte) ? 1 : 0
            i &+= 1
        }
        return total
    }

    /// Whether a byte is white space of RFC 8259: space, tab, line feed or carriage return.
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// The value of a hexadecimal digit, or 0xFF.
    @inline(__always)
    static func hexadecimal(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46: byte &- 0x37
        case 0x61...0x66: byte &- 0x57
        default: 0xFF
        }
    }

    /// The length, 1 to 4, of the well-formed UTF-8 sequence at an offset, or 0 (Unicode table 3-7).
    static func sequenceLength(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
        let first = bytes[offset]
        let left = bytes.count &- offset
        @inline(__always) func continues(_ index: Int) -> Bool { bytes[offset &+ index] & 0xC0 == 0x80 }
        switch first {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: return left >= 2 && continues(1) ? 2 : 0
        case 0xE0...0xEF:
            guard left >= 3, continues(1), continues(2) else { return 0 }
            let second = bytes[offset &+ 1]
            // E0 below A0 is overlong, ED from A0 is a surrogate.
            return (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ? 0 : 3
        case 0xF0...0xF4:
            guard left >= 4, continues(1), continues(2), continues(3) else { return 0 }
            let second = bytes[offset &+ 1]
            // F0 below 90 is overlong, F4 from 90 is beyond U+10FFFF.
            return (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90) ? 0 : 4
        default: return 0
        }
    }
}

/// Checks of the bytes that JSON is made of, for readers beside the tokenizer.
package enum JSONText {
    /// Whether bytes are well-formed UTF-8.
    package static func isWellFormed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        var i = 0
        while i < bytes.count {
            if i &+ 8 <= bytes.count, JSONBytes.load8(base, i) & JSONBytes.highs == 0 {
                i &+= 8
                continue
            }
            let length = JSONBytes.sequenceLength(bytes, at: i)
            if length == 0 { return false }
            i &+= length
        }
        return true
    }
}
