/// Undoes what quotes, escapes and encodings did to a cell's text.
enum CellText {
    /// Writes the text of the cell `start..<end` to `target` and gives its length.
    ///
    /// Writes at most as many bytes as the cell has, three times as many for single-byte encodings.
    static func write(
        _ base: UnsafeRawPointer, _ start: Int, _ end: Int, _ dialect: CSVDialect, to target: UnsafeMutableRawPointer
    ) -> Int {
        var (start, end) = (start, end)
        var isQuoted = false
        if let quote = dialect.quote, end > start, base.load(fromByteOffset: start, as: UInt8.self) == quote {
            isQuoted = true
            start &+= 1
            // The end of a cell is its closing quote, unless the text ended first.
            if end > start, base.load(fromByteOffset: end &- 1, as: UInt8.self) == quote { end &-= 1 }
        }
        let quote = dialect.quote
        let escape = dialect.escape
        var used = 0
        var place = start
        while place < end {
            var byte = base.load(fromByteOffset: place, as: UInt8.self)
            if let escape, byte == escape, place &+ 1 < end, isQuoted || escape != quote {
                place &+= 1
                byte = base.load(fromByteOffset: place, as: UInt8.self)
            } else if isQuoted, byte == quote {
                place &+= 1
            }
            place &+= 1
            if byte < 0x80 || dialect.encoding == .utf8 {
                target.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
                used &+= 1
            } else {
                used &+= encode(dialect.encoding.scalar(byte), to: target + used)
            }
        }
        return used
    }

    /// A scalar of the basic plane beyond ASCII as two or three bytes.
    private static func encode(_ scalar: UInt16, to target: UnsafeMutableRawPointer) -> Int {
        let low = UInt8(truncatingIfNeeded: scalar & 0x3F) | 0x80
        let middle = UInt8(truncatingIfNeeded: scalar &>> 6)
        if scalar < 0x800 {
            target.storeBytes(of: middle | 0xC0, as: UInt8.self)
            target.storeBytes(of: low, toByteOffset: 1, as: UInt8.self)
            return 2
        }
        target.storeBytes(of: UInt8(truncatingIfNeeded: scalar &>> 12) | 0xE0, as: UInt8.self)
        target.storeBytes(of: (middle & 0x3F) | 0x80, toByteOffset: 1, as: UInt8.self)
        target.storeBytes(of: low, toByteOffset: 2, as: UInt8.self)
        return 3
    }

    /// The text of the cell as an array.
    static func contents(_ base: UnsafeRawPointer, _ start: Int, _ end: Int, _ dialect: CSVDialect) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: max(end - start, 0) * 3) { buffer, count in
            count = buffer.baseAddress.map { write(base, start, end, dialect, to: UnsafeMutableRawPointer($0)) } ?? 0
        }
    }
}
