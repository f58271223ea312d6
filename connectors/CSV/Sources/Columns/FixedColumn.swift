import HeadraceColumnar

/// Columns of values of fixed width: one loop a parser, specialised by the compiler.
enum FixedColumn {
    /// The values of a column. Cells without one become null and are added to `failures`.
    static func decode<Parser: CellParser>(
        _ parser: Parser, as type: DataType, _ cells: ColumnCells, _ failures: inout [CellFailure]
    ) -> ColumnVector {
        let rows = cells.rows
        let width = MemoryLayout<Parser.Value>.stride
        let values = MutableBuffer(capacity: rows &* width)
        let target = values.base.assumingMemoryBound(to: Parser.Value.self)
        var nulls = NullBits(rows: rows)
        let isUnsure = nullsMayParse(parser, cells)
        var entry = cells.entries
        for row in 0..<rows {
            let start = Int(entry[0] &+ 1)
            let count = Int(entry[1]) &- start
            entry += cells.stride
            let parsed = parser.parse(cells.base + start, count)
            target[row] = parsed.value
            if parsed.problem != .none || isUnsure {
                if let value = decideSlowly(parser, cells, row, &failures) {
                    target[row] = value
                } else {
                    nulls.set(row)
                }
            }
        }
        let nullCount = nulls.count
        return ColumnVector(
            type: type, count: rows, nullCount: nullCount, validity: nulls.finish(),
            values: values.finish(byteCount: rows &* width))
    }

    /// Booleans, one bit a value.
    static func decodeBooleans(_ cells: ColumnCells, _ failures: inout [CellFailure]) -> ColumnVector {
        let rows = cells.rows
        let byteCount = Bitmap.byteCount(rows)
        let values = MutableBuffer(capacity: byteCount)
        values.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        var nulls = NullBits(rows: rows)
        let parser = BooleanParser()
        let isUnsure = nullsMayParse(parser, cells)
        for row in 0..<rows {
            let start = cells.start(row)
            let parsed = parser.parse(cells.base + start, cells.end(row) &- start)
            if parsed.problem == .none && !isUnsure {
                if parsed.value { Bitmap.set(values.base, row, true) }
            } else if let value = decideSlowly(parser, cells, row, &failures) {
                if value { Bitmap.set(values.base, row, true) }
            } else {
                nulls.set(row)
            }
        }
        let nullCount = nulls.count
        return ColumnVector(
            type: .bool, count: rows, nullCount: nullCount, validity: nulls.finish(),
            values: values.finish(byteCount: byteCount))
    }

    /// Whether a text that stands for null, such as -999, would also be a value.
    private static func nullsMayParse<Parser: CellParser>(_ parser: Parser, _ cells: ColumnCells) -> Bool {
        cells.dialect.nulls.contains { text in
            text.withUnsafeBytes { bytes in bytes.baseAddress.map { parser.parse($0, bytes.count).isValid } ?? false }
        }
    }

    /// Judges a cell that did not parse as it stands: null, quoted, surrounded by spaces, or a failure.
    @inline(never)
    private static func decideSlowly<Parser: CellParser>(
        _ parser: Parser, _ cells: ColumnCells, _ row: Int, _ failures: inout [CellFailure]
    ) -> Parser.Value? {
        var start = cells.start(row)
        var end = cells.end(row)
        func fail(_ problem: CellProblem) -> Parser.Value? {
            failures.append(CellFailure(row: Int32(truncatingIfNeeded: row), problem: problem))
            return nil
        }
        if cells.isQuoted(start, end) {
            start &+= 1
            if end > start { end &-= 1 }
        } else if cells.isNullText(start, end) {
            end = start
        }
        while start < end, isBlank(cells.byte(start)) { start &+= 1 }
        while start < end, isBlank(cells.byte(end &- 1)) { end &-= 1 }
        // An empty text cannot be a value of these types, quoted or not.
        if start == end { return cells.isRequired ? fail(.missing) : nil }
        let parsed = parser.parse(cells.base + start, end &- start)
        if parsed.problem == .none { return parsed.value }
        return fail(parser.explain(parsed.problem, cells.base + start, end &- start))
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
