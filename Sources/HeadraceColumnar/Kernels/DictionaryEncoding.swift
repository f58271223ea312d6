extension Kernels {
    /// The same values without a dictionary; the column itself when it has none.
    public static func decoded(_ column: ColumnVector) -> ColumnVector {
        guard let dictionary = column.dictionary else { return column }
        let view = column.unsafeView
        let keys = UnsafeBufferPointer(start: view.values(as: Int32.self), count: column.count)
        defer { withExtendedLifetime(column) {} }
        guard column.validity != nil else { return take(dictionary, indices: keys) }
        let rows = MutableBuffer(capacity: column.count &* 4)
        let target = rows.values(as: Int32.self)
        for row in 0..<column.count { target[row] = view.isValid(row) ? keys[row] : -1 }
        let selection = RowSelection(buffer: rows.finish(byteCount: column.count &* 4), count: column.count)
        return selection.withIndices { takeNullable(dictionary, indices: $0) }
    }

    /// The same values over a dictionary of the distinct ones, nil when there are more than `limit` of these.
    ///
    /// Gives up as soon as the limit is passed; by default it is a quarter of the rows, beyond which a dictionary costs more
    /// than it saves. A column that has a dictionary is returned as it is. Only text, JSON and binary columns have one.
    public static func dictionaryEncoded(_ column: ColumnVector, limit: Int? = nil) -> ColumnVector? {
        if column.dictionary != nil { return column }
        precondition(column.type.layout == .bytes, "no dictionary for a column of \(column.type)")
        let limit = limit ?? column.count / 4
        let view = column.unsafeView
        var interner = Interner(column.type, capacity: min(limit, 1024))
        let out = MutableBuffer(capacity: column.count &* 4)
        let keys = out.values(as: Int32.self)
        for row in 0..<column.count {
            keys[row] = view.isValid(row) ? interner.intern(view.bytes(row)) : 0
            if interner.count > limit { return nil }
        }
        let validity = Validity(column)
        return ColumnVector(
            type: column.type, count: column.count, nullCount: validity.nullCount, validity: validity.buffer,
            values: out.finish(byteCount: column.count &* 4), dictionary: interner.finish())
    }

    /// The values of a column whose every row was computed from its dictionary: `entries` holds the result for each entry.
    ///
    /// Equal results share one entry and null results become nulls of the rows, so that the dictionary stays one of distinct
    /// values without nulls.
    static func remapped(_ column: ColumnVector, _ entries: ColumnVector) -> ColumnVector {
        let view = column.unsafeView
        let source = entries.unsafeView
        var interner = Interner(entries.type, capacity: entries.count)
        var map = [Int32](repeating: -1, count: entries.count)
        for entry in 0..<entries.count where source.isValid(entry) {
            map[entry] = interner.intern(source.bytes(entry))
        }
        let out = MutableBuffer(capacity: column.count &* 4)
        let keys = out.values(as: Int32.self)
        let bits = map.withUnsafeBufferPointer { map in
            for row in 0..<column.count { keys[row] = view.isValid(row) ? map[view.key(row)] : -1 }
            return Bitmap.build(column.count) { keys[$0] >= 0 }
        }
        let nulls = column.count &- Bitmap.countSet(bits.base, offset: 0, count: column.count)
        if nulls > 0 { for row in 0..<column.count { keys[row] = max(keys[row], 0) } }
        withExtendedLifetime((column, entries)) {}
        return ColumnVector(
            type: entries.type, count: column.count, nullCount: nulls, validity: bits,
            values: out.finish(byteCount: column.count &* 4), dictionary: interner.finish())
    }
}
