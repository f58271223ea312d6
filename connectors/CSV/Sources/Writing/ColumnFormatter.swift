import HeadraceColumnar
import HeadraceCore

/// Formats the values of a column, one loop a type.
enum ColumnFormatter {
    /// The cells of a column; nulls are written as `null`. Throws `unsupported` where a value needs quotes that the
    /// rules forbid.
    static func format(_ column: ColumnVector, _ rules: QuoteRules, null: [UInt8]) throws -> FormattedColumn {
        // The loops hold pointers into the column.
        defer { withExtendedLifetime(column) {} }
        if let dictionary = column.dictionary {
            if dictionary.count > column.count { return try format(Kernels.decoded(column), rules, null: null) }
            return spread(try format(dictionary, rules, null: null), over: column, null: null)
        }
        switch column.type {
        case .bool: return try checked(booleans(column, null), column, rules, null)
        case .utf8, .json: return try text(column, rules, null)
        case .binary: return try others(column, rules, null) { HexText.text($0.unsafeView.bytes($1)) }
        case .list, .struct:
            return try others(column, rules, null) { column, row in
                Array(RowText.value(column.scalar(at: row), column.type).compactText.utf8)
            }
        default: return try checked(fixed(column, null), column, rules, null)
        }
    }

    private static func fixed(_ column: ColumnVector, _ null: [UInt8]) -> FormattedColumn {
        switch column.type {
        case .int8: return cells(column, null, IntegerFormat<Int8>())
        case .int16: return cells(column, null, IntegerFormat<Int16>())
        case .int32: return cells(column, null, IntegerFormat<Int32>())
        case .int64: return cells(column, null, IntegerFormat<Int64>())
        case .uint8: return cells(column, null, IntegerFormat<UInt8>())
        case .uint16: return cells(column, null, IntegerFormat<UInt16>())
        case .uint32: return cells(column, null, IntegerFormat<UInt32>())
        case .uint64: return cells(column, null, IntegerFormat<UInt64>())
        case .float32: return cells(column, null, FloatFormat())
        case .float64: return cells(column, null, DoubleFormat())
        case .decimal(let precision, let scale):
            return precision <= 18
                ? cells(column, null, Decimal64Format(scale: scale))
                : cells(column, null, Decimal128Format(scale: scale))
        case .date32: return cells(column, null, DateFormat())
        case .time64: return cells(column, null, TimeFormat())
        case .timestamp(let zone): return cells(column, null, TimestampFormat(hasZone: zone != nil))
        case .bool, .utf8, .json, .binary, .list, .struct:
            preconditionFailure("\(column.type) has no fixed width")
        }
    }

    private static func cells<Format: CellFormat>(
        _ column: ColumnVector, _ null: [UInt8], _ format: Format
    ) -> FormattedColumn {
        let view = column.unsafeView
        let values = view.values(as: Format.Value.self)
        let room = format.room
        var cells = CellBuffer(rows: column.count, bytesPerCell: 12)
        if view.hasNulls {
            for row in 0..<column.count {
                if view.isValid(row) {
                    let target = cells.reserve(room)
                    cells.close(format.write(values[row], to: target))
                } else {
                    cells.append(null)
                }
            }
        } else {
            for row in 0..<column.count {
                let target = cells.reserve(room)
                cells.close(format.write(values[row], to: target))
            }
        }
        return cells.finish()
    }

    private static func booleans(_ column: ColumnVector, _ null: [UInt8]) -> FormattedColumn {
        let view = column.unsafeView
        var cells = CellBuffer(rows: column.count, bytesPerCell: 6)
        for row in 0..<column.count {
            if view.isValid(row) {
                let target = cells.reserve(BooleanText.capacity)
                cells.close(BooleanText.format(view.bool(row), into: target))
            } else {
                cells.append(null)
            }
        }
        return cells.finish()
    }

    /// Types that are rare enough to be formatted through arrays.
    private static func others(
        _ column: ColumnVector, _ rules: QuoteRules, _ null: [UInt8], _ text: (ColumnVector, Int) -> [UInt8]
    ) throws -> FormattedColumn {
        var cells = CellBuffer(rows: column.count, bytesPerCell: 16)
        for row in 0..<column.count {
            cells.append(column.isValid(row) ? try rules.quotedIfNeeded(text(column, row)) : null)
        }
        return cells.finish()
    }

    /// Puts numbers in quotes where the delimiter, the quote or the text for null could be part of one.
    private static func checked(
        _ cells: FormattedColumn, _ column: ColumnVector, _ rules: QuoteRules, _ null: [UInt8]
    ) throws -> FormattedColumn {
        guard rules.concernsNumbers else { return cells }
        var quoted = CellBuffer(rows: column.count, bytesPerCell: 12)
        for row in 0..<column.count {
            quoted.append(column.isValid(row) ? try rules.quotedIfNeeded(Array(cells.cell(row))) : null)
        }
        return quoted.finish()
    }

    // MARK: - Text

    private static func text(_ column: ColumnVector, _ rules: QuoteRules, _ null: [UInt8]) throws -> FormattedColumn {
        let view = column.unsafeView
        let rows = column.count
        let first = rows == 0 ? 0 : Int(view.textOffset(0))
        let byteCount = rows == 0 ? 0 : Int(view.textOffset(rows)) - first
        let special = rules.specialPlaces(view.textBase + first, byteCount)
        if special.isEmpty, null.isEmpty, let text = column.values, let offsets = column.offsets, text.isPadded,
            isWrittenAsStored(view)
        {
            return FormattedColumn(text: text, offsets: offsets, firstOffset: column.offset, rows: rows)
        }
        var cells = CellBuffer(rows: rows, bytesPerCell: byteCount / max(rows, 1) + 4)
        var next = 0
        for row in 0..<rows {
            let cell = view.bytes(row)
            let end = Int(view.textOffset(row &+ 1)) &- first
            var isPlain = cell.count > 0 && null.isEmpty
            while next < special.count, special[next] < end {
                isPlain = false
                next &+= 1
            }
            if !view.isValid(row) {
                cells.append(null)
            } else if isPlain {
                cells.append(cell)
            } else {
                cells.append(try rules.quotedIfNeeded(Array(cell)))
            }
        }
        return cells.finish()
    }

    /// Whether every null takes no bytes and every other text some, so that the column's own bytes are its cells.
    private static func isWrittenAsStored(_ view: UnsafeColumnView) -> Bool {
        var start = view.count == 0 ? 0 : view.textOffset(0)
        for row in 0..<view.count {
            let end = view.textOffset(row &+ 1)
            if (start == end) == view.isValid(row) { return false }
            start = end
        }
        return true
    }

    /// The cells of dictionary values for every row that names one.
    private static func spread(_ words: FormattedColumn, over column: ColumnVector, null: [UInt8]) -> FormattedColumn {
        let view = column.unsafeView
        let rows = column.count
        if view.hasNulls && !null.isEmpty {
            var cells = CellBuffer(rows: rows, bytesPerCell: 16)
            for row in 0..<rows {
                if view.isValid(row) { cells.append(words.cell(view.key(row))) } else { cells.append(null) }
            }
            return cells.finish()
        }
        let starts = MutableBuffer(capacity: rows * 4)
        let ends = MutableBuffer(capacity: rows * 4)
        for row in 0..<rows {
            let key = view.isValid(row) ? view.key(row) : -1
            starts.base.storeBytes(of: key < 0 ? 0 : words.starts[key], toByteOffset: row &* 4, as: UInt32.self)
            ends.base.storeBytes(of: key < 0 ? 0 : words.ends[key], toByteOffset: row &* 4, as: UInt32.self)
        }
        return FormattedColumn(
            spreading: words, starts: starts.finish(byteCount: rows * 4), ends: ends.finish(byteCount: rows * 4),
            rows: rows)
    }
}
