extension Kernels {
    /// The values of `columns`, which have one type, one after the other. There must be at least one column.
    ///
    /// The result is dictionary-encoded when all columns are; dictionaries that differ are merged.
    public static func concat(_ columns: [ColumnVector]) -> ColumnVector {
        guard let first = columns.first else { preconditionFailure("concat needs at least one column") }
        precondition(columns.allSatisfy { $0.type == first.type }, "concat of columns of different types")
        if columns.count == 1 { return first }
        let filled = columns.filter { $0.count > 0 }
        if filled.count == 1 { return filled[0] }
        if filled.isEmpty { return first }
        return Concatenation(filled, type: first.type).result()
    }

    /// The rows of `batches`, which have one schema, one after the other. There must be at least one batch.
    public static func concat(_ batches: [RecordBatch]) -> RecordBatch {
        guard let first = batches.first else { preconditionFailure("concat needs at least one batch") }
        if batches.count == 1 { return first }
        precondition(batches.allSatisfy { $0.schema == first.schema }, "concat of batches of different schemas")
        return RecordBatch(
            schema: first.schema,
            columns: first.columns.indices.map { index in concat(batches.map { $0.columns[index] }) },
            count: batches.reduce(0) { $0 + $1.count })
    }
}

private struct Concatenation {
    let columns: [ColumnVector]
    let type: DataType
    let count: Int

    init(_ columns: [ColumnVector], type: DataType) {
        self.columns = columns
        self.type = type
        count = columns.reduce(0) { $0 + $1.count }
        precondition(count <= Int(Int32.max), "concat of more than 2^31 rows")
    }

    func result() -> ColumnVector {
        let dictionaries = columns.compactMap(\.dictionary)
        if !dictionaries.isEmpty {
            if dictionaries.count == columns.count {
                if let common = ColumnVector.common(dictionaries) {
                    return vector(values: fixed(UInt32.self), dictionary: common)
                }
                if type.layout == .bytes { return merged(dictionaries) }
            }
            return Concatenation(columns.map(Kernels.decoded), type: type).result()
        }
        switch type.layout {
        case .bits:
            var out = BitmapWriter(capacity: count)
            for column in columns {
                let bits = column.unsafeView.valueBits
                out.append(bits.base, from: bits.offset, count: column.count)
            }
            return vector(values: out.finish(count: count))
        case .fixed(width: 1): return vector(values: fixed(UInt8.self))
        case .fixed(width: 2): return vector(values: fixed(UInt16.self))
        case .fixed(width: 4): return vector(values: fixed(UInt32.self))
        case .fixed(width: 8): return vector(values: fixed(UInt64.self))
        case .fixed: return vector(values: fixed(UInt128.self))
        case .bytes:
            let (offsets, total) = offsets()
            let out = MutableBuffer(capacity: total)
            var used = 0
            for column in columns {
                let view = column.unsafeView
                let start = Int(view.textOffset(0))
                let bytes = Int(view.textOffset(column.count)) &- start
                (out.base + used).copyMemory(from: view.textBase + start, byteCount: bytes)
                used &+= bytes
            }
            return vector(values: out.finish(byteCount: total), offsets: offsets)
        case .list:
            let elements = columns.map { column in
                let view = column.unsafeView
                let start = Int(view.textOffset(0))
                return column.children[0].slice(from: start, count: Int(view.textOffset(column.count)) - start)
            }
            return vector(offsets: offsets().buffer, children: [Kernels.concat(elements)])
        case .struct:
            return vector(
                children: columns[0].children.indices.map { index in
                    Kernels.concat(columns.map { $0.children[index].slice(from: $0.offset, count: $0.count) })
                })
        }
    }

    private func vector(
        values: Buffer? = nil, offsets: Buffer? = nil, children: [ColumnVector] = [], dictionary: ColumnVector? = nil
    ) -> ColumnVector {
        let nulls = columns.reduce(0) { $0 + $1.nullCount }
        return ColumnVector(
            type: type, count: count, nullCount: nulls, validity: nulls == 0 ? nil : validity(), values: values,
            offsets: offsets, children: children, dictionary: dictionary)
    }

    private func validity() -> Buffer {
        var out = BitmapWriter(capacity: count)
        for column in columns {
            if let bits = column.validity {
                out.append(bits.base, from: column.offset, count: column.count)
            } else {
                out.append(repeating: true, count: column.count)
            }
        }
        return out.finish(count: count)
    }

    private func fixed<T: BitwiseCopyable>(_: T.Type) -> Buffer {
        let width = MemoryLayout<T>.stride
        let out = MutableBuffer(capacity: count &* width)
        var used = 0
        for column in columns {
            (out.base + used).copyMemory(from: column.unsafeView.values(as: T.self), byteCount: column.count &* width)
            used &+= column.count &* width
        }
        return out.finish(byteCount: used)
    }

    private func offsets() -> (buffer: Buffer, total: Int) {
        let out = MutableBuffer(capacity: (count &+ 1) &* 4)
        let offsets = out.values(as: Int32.self)
        offsets[0] = 0
        var row = 0
        var total = 0
        for column in columns {
            let view = column.unsafeView
            let shift = Int32(truncatingIfNeeded: total) &- view.textOffset(0)
            total &+= Int(view.textOffset(column.count) &- view.textOffset(0))
            precondition(total <= Int(Int32.max), "a column passed 2^31 bytes or elements")
            for index in 0..<column.count { offsets[row &+ index &+ 1] = view.textOffset(index &+ 1) &+ shift }
            row &+= column.count
        }
        return (out.finish(byteCount: (count &+ 1) &* 4), total)
    }

    /// The columns over one dictionary that holds the values of all of theirs.
    private func merged(_ dictionaries: [ColumnVector]) -> ColumnVector {
        var interner = Interner(type, capacity: dictionaries.reduce(0) { max($0, $1.count) })
        var keys: [ObjectIdentifier: [Int32]] = [:]
        for dictionary in dictionaries where keys[ObjectIdentifier(dictionary)] == nil {
            let view = dictionary.unsafeView
            keys[ObjectIdentifier(dictionary)] = (0..<dictionary.count).map { interner.intern(view.bytes($0)) }
        }
        let out = MutableBuffer(capacity: count &* 4)
        let target = out.values(as: Int32.self)
        var row = 0
        for (column, dictionary) in zip(columns, dictionaries) {
            let view = column.unsafeView
            keys[ObjectIdentifier(dictionary), default: []].withUnsafeBufferPointer { map in
                for index in 0..<column.count {
                    target[row &+ index] = view.isValid(index) ? map[view.key(index)] : 0
                }
            }
            row &+= column.count
        }
        return vector(values: out.finish(byteCount: count &* 4), dictionary: interner.finish())
    }
}
