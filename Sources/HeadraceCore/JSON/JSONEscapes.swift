internal import Glibc

/// Resolves the escapes of JSON strings.
enum JSONEscapes {
    /// Appends the text of a string's inside that a tokenizer has accepted; half surrogate pairs become U+FFFD.
    static func resolve(_ source: UnsafeRawBufferPointer, into buffer: inout JSONBuffer) {
        guard let base = source.baseAddress else { return }
        var i = 0
        while i < source.count {
            guard let found = memchr(base + i, 0x5C, source.count &- i) else { break }
            let slash = UnsafeRawPointer(found) - base
            buffer.append(UnsafeRawBufferPointer(rebasing: source[i..<slash]))
            i = slash &+ 2
            guard i <= source.count else { return }
            switch source[slash &+ 1] {
            case 0x62: buffer.append(0x08)
            case 0x66: buffer.append(0x0C)
            case 0x6E: buffer.append(0x0A)
            case 0x72: buffer.append(0x0D)
            case 0x74: buffer.append(0x09)
            case 0x75: i = appendScalar(source, at: slash, to: &buffer)
            case let other: buffer.append(other)
            }
        }
        buffer.append(UnsafeRawBufferPointer(rebasing: source[min(i, source.count)...]))
    }

    /// Appends the character of the `\u` escape at `slash`, or of the pair that begins there, and returns its end.
    private static func appendScalar(
        _ source: UnsafeRawBufferPointer, at slash: Int, to buffer: inout JSONBuffer
    ) -> Int {
        let first = codeUnit(source, at: slash)
        if first & 0xFC00 == 0xD800, slash &+ 12 <= source.count, source[slash &+ 6] == 0x5C,
            source[slash &+ 7] == 0x75
        {
            let second = codeUnit(source, at: slash &+ 6)
            if second & 0xFC00 == 0xDC00 {
                buffer.appendUTF8(0x10000 &+ (first & 0x3FF) &<< 10 &+ (second & 0x3FF))
                return slash &+ 12
            }
        }
        buffer.appendUTF8(first & 0xF800 == 0xD800 ? 0xFFFD : first)
        return slash &+ 6
    }

    private static func codeUnit(_ source: UnsafeRawBufferPointer, at slash: Int) -> UInt32 {
        var unit: UInt32 = 0
        for k in 2..<6 where slash &+ k < source.count {
            unit = unit &<< 4 | UInt32(JSONBytes.hexadecimal(source[slash &+ k]) & 0xF)
        }
        return unit
    }
}
