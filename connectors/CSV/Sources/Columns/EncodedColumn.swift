import HeadraceColumnar
import HeadraceCore

/// Columns of text whose values repeat: numbered while they are read.
enum EncodedColumn {
    /// The texts of a column over a dictionary, the same as `TextColumn.decode` gives; nil when they are not to be encoded.
    static func decode(
        as type: DataType, _ cells: ColumnCells, _ encoding: TextEncoding, _ failures: inout [CellFailure]
    ) -> ColumnVector? {
        guard let dictionary = encoding.current else { return nil }
        let rows = cells.rows
        let out = MutableBuffer(capacity: rows &* 4)
        let keys = out.base.assumingMemoryBound(to: Int32.self)
        var nulls = NullBits(rows: rows)
        var found: [CellFailure] = []
        let quote = cells.dialect.quote ?? 0
        let hasQuotes = cells.dialect.quote != nil
        let isPlain = cells.dialect.nulls.isEmpty && cells.dialect.escape == nil && cells.dialect.encoding == .utf8
        var scratch = MutableBuffer(capacity: 256)
        for row in 0..<rows {
            let start = cells.start(row)
            let end = cells.end(row)
            var key: Int32 = 0
            if start == end {
                nulls.set(row)
            } else if isPlain, !hasQuotes || cells.byte(start) != quote {
                key = dictionary.find(cells.base + start, count: end &- start)
                if key < 0 { key = add(cells.base + start, end &- start, dictionary) }
            } else if !hasQuotes || cells.byte(start) != quote, cells.isNullText(start, end) {
                nulls.set(row)
            } else {
                scratch.reserve((end &- start) &* 3 &+ 32, keeping: 0)
                let count = CellText.write(cells.base, start, end, cells.dialect, to: scratch.base)
                key = dictionary.find(scratch.base, count: count)
                if key < 0 { key = add(scratch.base, count, dictionary) }
            }
            if key < 0 {
                if key == full {
                    encoding.giveUp()
                    return nil
                }
                nulls.set(row)
                found.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: .badUTF8))
                key = 0
            }
            keys[row] = key
        }
        TextColumn.noteRequired(cells, nulls, &failures)
        failures += found
        encoding.note(rows &- nulls.count)
        let nullCount = nulls.count
        return ColumnVector(
            type: type, count: rows, nullCount: nullCount, validity: nulls.finish(),
            values: out.finish(byteCount: rows &* 4), dictionary: dictionary.snapshot())
    }

    /// What stands for a dictionary without room.
    private static let full: Int32 = -1

    /// The number of a text that has none yet; -2 when it is not valid UTF-8.
    @inline(never)
    private static func add(_ base: UnsafeRawPointer, _ count: Int, _ dictionary: GrowingDictionary) -> Int32 {
        UTF8Check.isValid(base, count) ? dictionary.intern(base, count: count) : -2
    }
}
