extension Kernels {
    /// Text in upper case by Unicode's full mapping (`ß` becomes `SS`), the same in every locale; null stays null.
    /// - Throws: `KernelError` unless the column is text.
    public static func upper(_ column: ColumnVector) throws(KernelError) -> ColumnVector {
        if let result = asciiCase(column, first: 0x61, last: 0x7a) { return result }
        return try TextMap.run(column, "upper", remembers: true) { base, count, writer in
            if UTF8Bytes.isASCII(base, count) {
                let target = writer.reserve(count)
                ASCIICase.flip(base, to: target, count, first: 0x61, last: 0x7a)
                writer.commit(count)
            } else {
                mapScalars(base, count, &writer) { $0.properties.uppercaseMapping }
            }
        }
    }

    /// Text in lower case by Unicode's full mapping, the same in every locale; null stays null.
    /// - Throws: `KernelError` unless the column is text.
    public static func lower(_ column: ColumnVector) throws(KernelError) -> ColumnVector {
        if let result = asciiCase(column, first: 0x41, last: 0x5a) { return result }
        return try TextMap.run(column, "lower", remembers: true) { base, count, writer in
            if UTF8Bytes.isASCII(base, count) {
                let target = writer.reserve(count)
                ASCIICase.flip(base, to: target, count, first: 0x41, last: 0x5a)
                writer.commit(count)
            } else {
                mapScalars(base, count, &writer) { $0.properties.lowercaseMapping }
            }
        }
    }

    /// A plain column of nothing but ASCII, converted as one run of bytes under the same offsets; nil for any other.
    private static func asciiCase(_ column: ColumnVector, first: UInt8, last: UInt8) -> ColumnVector? {
        guard column.type == .utf8, column.dictionary == nil else { return nil }
        let view = column.unsafeView
        let start = Int(view.textOffset(0))
        let end = Int(view.textOffset(column.count))
        guard UTF8Bytes.isASCII(view.textBase + start, end &- start) else { return nil }
        let out = MutableBuffer(capacity: end)
        ASCIICase.flip(view.textBase + start, to: out.base + start, end &- start, first: first, last: last)
        return ColumnVector(
            type: .utf8, count: column.count, offset: column.offset, nullCount: column.nullCount,
            validity: column.validity, values: out.finish(byteCount: end), offsets: column.offsets)
    }

    private static func mapScalars(
        _ base: UnsafeRawPointer, _ count: Int, _ writer: inout TextWriter, _ map: (Unicode.Scalar) -> String
    ) {
        // No scalar's mapping is longer than three times its own bytes.
        let target = writer.reserve(count &* 3)
        var written = 0
        var index = 0
        while index < count {
            let length = UTF8Bytes.length(startingWith: base.load(fromByteOffset: index, as: UInt8.self))
            for byte in map(UTF8Bytes.scalar(base + index, length: length)).utf8 {
                target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
                written &+= 1
            }
            index &+= length
        }
        writer.commit(written)
    }
}

/// Changes of case eight ASCII bytes at a time.
private enum ASCIICase {
    /// Copies `count` ASCII bytes with the case of the letters `first` to `last` changed.
    @inline(__always)
    static func flip(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ count: Int, first: UInt8, last: UInt8
    ) {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let fromFirst = ones &* UInt64(0x80 &- first)
        let pastLast = ones &* UInt64(0x7f &- last)
        var index = 0
        while index &+ 8 <= count {
            let word = source.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // The top bit of each byte tells a letter: ASCII bytes cannot carry into the next.
            let letters = (word &+ fromFirst) & ~(word &+ pastLast) & 0x8080_8080_8080_8080
            target.storeBytes(of: word ^ letters &>> 2, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < count {
            let byte = source.load(fromByteOffset: index, as: UInt8.self)
            target.storeBytes(
                of: byte >= first && byte <= last ? byte ^ 0x20 : byte, toByteOffset: index, as: UInt8.self)
            index &+= 1
        }
    }
}
