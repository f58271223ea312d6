extension Kernels {
    /// One column from rows of several: value `i` is value `rows[i]` of `columns[sources[i]]`.
    ///
    /// The columns have one type. The result keeps a dictionary only when all columns share it. Used to merge sorted runs.
    public static func interleave(
        _ columns: [ColumnVector], sources: UnsafeBufferPointer<Int32>, rows: UnsafeBufferPointer<Int32>
    ) -> ColumnVector {
        guard let first = columns.first else { preconditionFailure("interleave needs at least one column") }
        precondition(columns.allSatisfy { $0.type == first.type }, "interleave of columns of different types")
        precondition(sources.count == rows.count, "interleave needs a source for every row")
        for index in 0..<rows.count {
            let source = Int(sources[index])
            precondition(
                source >= 0 && source < columns.count && rows[index] >= 0 && Int(rows[index]) < columns[source].count,
                "a row to interleave lies outside its column")
        }
        return Interleaving(columns: columns, sources: sources, rows: rows).result()
    }

    /// One batch from rows of several with one schema: row `i` is row `rows[i]` of `batches[sources[i]]`.
    public static func interleave(
        _ batches: [RecordBatch], sources: UnsafeBufferPointer<Int32>, rows: UnsafeBufferPointer<Int32>
    ) -> RecordBatch {
        guard let first = batches.first else { preconditionFailure("interleave needs at least one batch") }
        precondition(batches.allSatisfy { $0.schema == first.schema }, "interleave of batches of different schemas")
        let columns = first.columns.indices.map { index in
            interleave(batches.map { $0.columns[index] }, sources: sources, rows: rows)
        }
        return RecordBatch(schema: first.schema, columns: columns, count: rows.count)
    }
}

private struct Interleaving {
    let columns: [ColumnVector]
    let sources: UnsafeBufferPointer<Int32>
    let rows: UnsafeBufferPointer<Int32>

    func result() -> ColumnVector {
        let type = columns[0].type
        let dictionaries = columns.compactMap(\.dictionary)
        if dictionaries.count == columns.count, let common = ColumnVector.common(dictionaries) {
            return vector(values: gather(UInt32.self), dictionary: common)
        }
        switch type.layout {
        case .list, .struct, .bits: return concatenated()
        case _ where columns.contains(where: { $0.dictionary != nil }) && type.layout != .bytes: return concatenated()
        case .fixed(width: 1): return vector(values: gather(UInt8.self))
        case .fixed(width: 2): return vector(values: gather(UInt16.self))
        case .fixed(width: 4): return vector(values: gather(UInt32.self))
        case .fixed(width: 8): return vector(values: gather(UInt64.self))
        case .fixed: return vector(values: gather(UInt128.self))
        case .bytes: return bytes()
        }
    }

    /// By way of one long column; for layouts where a gather from several would save little.
    private func concatenated() -> ColumnVector {
        var starts: [Int32] = []
        var total: Int32 = 0
        for column in columns {
            starts.append(total)
            total += Int32(column.count)
        }
        let moved = rows.indices.map { rows[$0] + starts[Int(sources[$0])] }
        return Kernels.take(Kernels.concat(columns), RowSelection(moved))
    }

    private func vector(values: Buffer, offsets: Buffer? = nil, dictionary: ColumnVector? = nil) -> ColumnVector {
        let validity = validity()
        return ColumnVector(
            type: columns[0].type, count: rows.count, nullCount: validity.nullCount, validity: validity.buffer,
            values: values, offsets: offsets, dictionary: dictionary)
    }

    private func withViews<R>(_ body: (UnsafeBufferPointer<UnsafeColumnView>) -> R) -> R {
        columns.map(\.unsafeView).withUnsafeBufferPointer(body)
    }

    private func validity() -> Validity {
        if columns.allSatisfy({ $0.nullCount == 0 }) { return .none }
        return withViews { views in
            let bits = Bitmap.build(rows.count) { views[Int(sources[$0])].isValid(Int(rows[$0])) }
            return Validity(
                buffer: bits, nullCount: rows.count &- Bitmap.countSet(bits.base, offset: 0, count: rows.count))
        }
    }

    private func gather<T: BitwiseCopyable>(_: T.Type) -> Buffer {
        let out = MutableBuffer(capacity: rows.count &* MemoryLayout<T>.stride)
        let target = out.values(as: T.self)
        columns.map { $0.unsafeView.values(as: T.self) }.withUnsafeBufferPointer { bases in
            for index in 0..<rows.count { target[index] = bases[Int(sources[index])][Int(rows[index])] }
        }
        return out.finish(byteCount: rows.count &* MemoryLayout<T>.stride)
    }

    private func bytes() -> ColumnVector {
        let views = columns.map { ($0.unsafeView, ($0.dictionary ?? $0).unsafeView, $0.dictionary != nil) }
        let isPadded = columns.allSatisfy { ($0.dictionary ?? $0).values?.isPadded ?? false }
        return views.withUnsafeBufferPointer { views in
            let ends = MutableBuffer(capacity: (rows.count &+ 1) &* 4)
            let offsets = ends.values(as: Int32.self)
            offsets[0] = 0
            /// The bytes of output value `index`, none for null.
            func value(_ index: Int) -> (base: UnsafeRawPointer, count: Int) {
                let (outer, values, isEncoded) = views[Int(sources[index])]
                let row = Int(rows[index])
                guard outer.isValid(row) else { return (outer.textBase, 0) }
                let entry = isEncoded ? outer.key(row) : row
                let start = Int(values.textOffset(entry))
                return (values.textBase + start, Int(values.textOffset(entry &+ 1)) &- start)
            }
            var total = 0
            for index in 0..<rows.count {
                total &+= value(index).count
                offsets[index &+ 1] = Int32(truncatingIfNeeded: total)
            }
            precondition(total <= Int(Int32.max), "a text column passed 2 GiB")
            let out = MutableBuffer(capacity: total)
            for index in 0..<rows.count {
                let (base, count) = value(index)
                if count > 0 {
                    ByteCopy.copy(base, to: out.base + Int(offsets[index]), count: count, isPadded: isPadded)
                }
            }
            return vector(values: out.finish(byteCount: total), offsets: ends.finish(byteCount: (rows.count &+ 1) &* 4))
        }
    }
}
