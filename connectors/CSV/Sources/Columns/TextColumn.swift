import HeadraceColumnar

/// Columns of text.
enum TextColumn {
    /// The texts of a column; an unquoted empty cell is null, a quoted one the empty text. Cells that are not valid
    /// UTF-8 become null and are added to `failures`.
    static func decode(as type: DataType, _ cells: ColumnCells, _ failures: inout [CellFailure]) -> ColumnVector {
        let rows = cells.rows
        let offsetBytes = MutableBuffer(capacity: (rows &+ 1) &* 4)
        let offsets = offsetBytes.base.assumingMemoryBound(to: UInt32.self)
        var text = MutableBuffer(capacity: estimate(cells))
        var nulls = NullBits(rows: rows)
        let quote = cells.dialect.quote ?? 0
        let hasQuotes = cells.dialect.quote != nil
        let isPlain =
            cells.dialect.nulls.isEmpty && cells.dialect.escape == nil
            && (cells.isASCII || cells.dialect.encoding == .utf8)
        var used = 0
        var entry = cells.entries
        offsets[0] = 0
        for row in 0..<rows {
            let start = Int(entry[0] &+ 1)
            let end = Int(entry[1])
            let count = end &- start
            entry += cells.stride
            // Copies come in pieces of 32 bytes, so that there is always room for one more.
            if used &+ count &+ 32 > text.capacity { text.reserve(used &+ count &+ 32, keeping: used) }
            if count == 0 {
                nulls.set(row)
            } else if isPlain, !hasQuotes || cells.byte(start) != quote {
                let source = cells.base + start
                let target = text.base + used
                var copied = 0
                while copied < count {
                    target.storeBytes(
                        of: source.loadUnaligned(fromByteOffset: copied, as: SIMD32<UInt8>.self), toByteOffset: copied,
                        as: SIMD32<UInt8>.self)
                    copied &+= 32
                }
                used &+= count
            } else if !hasQuotes || cells.byte(start) != quote, cells.isNullText(start, end) {
                nulls.set(row)
            } else {
                used &+= writeSlowly(cells, start, end, &text, used)
            }
            offsets[row &+ 1] = UInt32(truncatingIfNeeded: used)
        }
        noteRequired(cells, nulls, &failures)
        if !cells.isASCII && cells.dialect.encoding == .utf8 {
            validate(text.base, offsets, rows, &nulls, &failures)
        }
        let nullCount = nulls.count
        return ColumnVector(
            type: type, count: rows, nullCount: nullCount, validity: nulls.finish(),
            values: text.finish(byteCount: used), offsets: offsetBytes.finish(byteCount: (rows &+ 1) &* 4))
    }

    /// Room for the texts, judged by a few of the cells.
    private static func estimate(_ cells: ColumnCells) -> Int {
        let step = max(1, cells.rows / 64)
        var bytes = 0
        var seen = 0
        for row in stride(from: 0, to: cells.rows, by: step) {
            bytes &+= cells.end(row) &- cells.start(row)
            seen &+= 1
        }
        return seen == 0 ? 64 : bytes / seen * cells.rows + bytes / seen * cells.rows / 8 + 256
    }

    @inline(never)
    private static func writeSlowly(
        _ cells: ColumnCells, _ start: Int, _ end: Int, _ text: inout MutableBuffer, _ used: Int
    ) -> Int {
        text.reserve(used &+ (end &- start) &* 3 &+ 32, keeping: used)
        return CellText.write(cells.base, start, end, cells.dialect, to: text.base + used)
    }

    /// Notes the nulls of a column that must not have any.
    static func noteRequired(
        _ cells: ColumnCells, _ nulls: borrowing NullBits, _ failures: inout [CellFailure]
    ) {
        guard cells.isRequired, nulls.count > 0 else { return }
        for row in 0..<cells.rows {
            let (start, end) = (cells.start(row), cells.end(row))
            if start == end || !cells.isQuoted(start, end) && cells.isNullText(start, end) {
                failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: .missing))
            }
        }
    }

    /// Checks all texts at once, and one by one only when that fails.
    private static func validate(
        _ base: UnsafeRawPointer, _ offsets: UnsafePointer<UInt32>, _ rows: Int, _ nulls: inout NullBits,
        _ failures: inout [CellFailure]
    ) {
        let count = Int(offsets[rows])
        if UTF8Check.isASCII(base, count) { return }
        if UTF8Check.isValid(base, count) {
            // Two halves of a character in neighbouring cells make a valid whole.
            var splits = false
            for row in 1..<max(rows, 1) where Int(offsets[row]) < count {
                let first = base.load(fromByteOffset: Int(offsets[row]), as: UInt8.self)
                splits = splits || first & 0xC0 == 0x80
            }
            if !splits { return }
        }
        for row in 0..<rows {
            let start = Int(offsets[row])
            if !UTF8Check.isValid(base + start, Int(offsets[row &+ 1]) &- start) {
                nulls.set(row)
                failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: .badUTF8))
            }
        }
    }
}
