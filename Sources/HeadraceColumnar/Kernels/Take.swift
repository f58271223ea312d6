extension Kernels {
    /// The values of `column` at `rows`, in that order; a row may come often or never.
    ///
    /// A dictionary is shared with the result. A row outside the column is a programming error.
    public static func take(_ column: ColumnVector, indices rows: UnsafeBufferPointer<Int32>) -> ColumnVector {
        check(rows, count: column.count)
        return Taker(rows: rows, nullable: false).take(column)
    }

    /// The values of `column` at `rows`, null where a row is -1, as outer joins need it.
    public static func takeNullable(_ column: ColumnVector, indices rows: UnsafeBufferPointer<Int32>) -> ColumnVector {
        let nullable = checkNullable(rows, count: column.count)
        return Taker(rows: rows, nullable: nullable).take(column)
    }

    /// The values of `column` that `rows` selects, in its order.
    public static func take(_ column: ColumnVector, _ rows: RowSelection) -> ColumnVector {
        rows.withIndices { take(column, indices: $0) }
    }

    /// The rows `rows` of `batch`, in that order.
    public static func take(_ batch: RecordBatch, indices rows: UnsafeBufferPointer<Int32>) -> RecordBatch {
        check(rows, count: batch.count)
        let taker = Taker(rows: rows, nullable: false)
        return RecordBatch(schema: batch.schema, columns: batch.columns.map(taker.take), count: rows.count)
    }

    /// The rows of `batch` that `rows` selects, in its order.
    public static func take(_ batch: RecordBatch, _ rows: RowSelection) -> RecordBatch {
        rows.withIndices { take(batch, indices: $0) }
    }

    /// The rows `rows` of `batch`, all columns null where a row is -1. The schema is kept: the caller makes fields nullable.
    public static func takeNullable(_ batch: RecordBatch, indices rows: UnsafeBufferPointer<Int32>) -> RecordBatch {
        let taker = Taker(rows: rows, nullable: checkNullable(rows, count: batch.count))
        return RecordBatch(schema: batch.schema, columns: batch.columns.map(taker.take), count: rows.count)
    }

    private static func check(_ rows: UnsafeBufferPointer<Int32>, count: Int) {
        var most: UInt32 = 0
        for row in rows { most = max(most, UInt32(bitPattern: row)) }
        precondition(rows.isEmpty || Int(most) < count, "a row to take lies outside a column of \(count) values")
    }

    /// Whether a row is -1.
    private static func checkNullable(_ rows: UnsafeBufferPointer<Int32>, count: Int) -> Bool {
        var most: Int32 = -1
        var least: Int32 = 0
        for row in rows {
            most = max(most, row)
            least = min(least, row)
        }
        precondition(least >= -1 && Int(most) < count, "a row to take lies outside a column of \(count) values")
        return least < 0
    }
}

/// Gathers checked rows of one column after the other.
private struct Taker {
    let rows: UnsafeBufferPointer<Int32>
    /// Whether a row may be -1.
    let nullable: Bool

    func take(_ column: ColumnVector) -> ColumnVector {
        let validity = validity(of: column)
        defer { withExtendedLifetime(column) {} }
        let view = column.unsafeView
        func result(
            values: Buffer? = nil, offsets: Buffer? = nil, children: [ColumnVector] = [],
            dictionary: ColumnVector? = nil
        ) -> ColumnVector {
            ColumnVector(
                type: column.type, count: rows.count, nullCount: validity.nullCount, validity: validity.buffer,
                values: values, offsets: offsets, children: children, dictionary: dictionary)
        }
        if let dictionary = column.dictionary {
            return result(values: gather(view, as: UInt32.self), dictionary: dictionary)
        }
        switch column.type.layout {
        case .bits:
            let bits = view.valueBits
            return result(
                values: Bitmap.build(rows.count) { row in
                    let source = rows[row]
                    return source >= 0 && Bitmap.get(bits.base, bits.offset &+ Int(source))
                })
        case .fixed(width: 1): return result(values: gather(view, as: UInt8.self))
        case .fixed(width: 2): return result(values: gather(view, as: UInt16.self))
        case .fixed(width: 4): return result(values: gather(view, as: UInt32.self))
        case .fixed(width: 8): return result(values: gather(view, as: UInt64.self))
        case .fixed: return result(values: gather(view, as: UInt128.self))
        case .bytes:
            let (offsets, values) = gatherBytes(view, isPadded: column.values?.isPadded ?? false)
            return result(values: values, offsets: offsets)
        case .list:
            let (offsets, elements) = elements(of: view)
            return result(
                offsets: offsets,
                children: [elements.withIndices { Taker(rows: $0, nullable: false).take(column.children[0]) }])
        case .struct:
            return result(
                children: column.children.map { take($0.slice(from: column.offset, count: column.count)) })
        }
    }

    private func validity(of column: ColumnVector) -> Validity {
        let view = column.unsafeView
        let count = rows.count
        if nullable {
            let bits = Bitmap.build(count) { row in
                let source = rows[row]
                return source >= 0 && view.isValid(Int(source))
            }
            return Validity(buffer: bits, nullCount: count &- Bitmap.countSet(bits.base, offset: 0, count: count))
        }
        guard let (base, offset) = view.validityBits else { return .none }
        let bits = Bitmap.build(count) { Bitmap.get(base, offset &+ Int(rows[$0])) }
        return Validity(buffer: bits, nullCount: count &- Bitmap.countSet(bits.base, offset: 0, count: count))
    }

    private func gather<T: FixedWidthInteger & BitwiseCopyable>(_ view: UnsafeColumnView, as: T.Type) -> Buffer {
        let source = view.values(as: T.self)
        let out = MutableBuffer(capacity: rows.count &* MemoryLayout<T>.stride)
        let target = out.values(as: T.self)
        if nullable {
            for row in 0..<rows.count {
                let index = Int(rows[row])
                target[row] = index < 0 ? 0 : source[index]
            }
        } else {
            for row in 0..<rows.count { target[row] = source[Int(rows[row])] }
        }
        return out.finish(byteCount: rows.count &* MemoryLayout<T>.stride)
    }

    private func gatherBytes(_ view: UnsafeColumnView, isPadded: Bool) -> (offsets: Buffer, values: Buffer) {
        let ends = MutableBuffer(capacity: (rows.count &+ 1) &* 4)
        let offsets = ends.values(as: Int32.self)
        offsets[0] = 0
        var total = 0
        for row in 0..<rows.count {
            let index = Int(rows[row])
            if index >= 0 { total &+= Int(view.textOffset(index &+ 1) &- view.textOffset(index)) }
            offsets[row &+ 1] = Int32(truncatingIfNeeded: total)
        }
        precondition(total <= Int(Int32.max), "a text column passed 2 GiB")
        let out = MutableBuffer(capacity: total)
        for row in 0..<rows.count {
            let index = Int(rows[row])
            if index < 0 { continue }
            ByteCopy.copy(
                view.textBase + Int(view.textOffset(index)), to: out.base + Int(offsets[row]),
                count: Int(offsets[row &+ 1] &- offsets[row]), isPadded: isPadded)
        }
        return (ends.finish(byteCount: (rows.count &+ 1) &* 4), out.finish(byteCount: total))
    }

    /// The offsets of the lists taken, and the elements that they need as rows of the element column.
    private func elements(of view: UnsafeColumnView) -> (offsets: Buffer, elements: RowSelection) {
        let ends = MutableBuffer(capacity: (rows.count &+ 1) &* 4)
        let offsets = ends.values(as: Int32.self)
        offsets[0] = 0
        var total = 0
        for row in 0..<rows.count {
            let index = Int(rows[row])
            if index >= 0 { total &+= Int(view.textOffset(index &+ 1) &- view.textOffset(index)) }
            offsets[row &+ 1] = Int32(truncatingIfNeeded: total)
        }
        precondition(total <= Int(Int32.max), "a list column passed 2^31 elements")
        let out = MutableBuffer(capacity: total &* 4)
        let elements = out.values(as: Int32.self)
        var used = 0
        for row in 0..<rows.count {
            let index = Int(rows[row])
            if index < 0 { continue }
            for element in view.textOffset(index)..<view.textOffset(index &+ 1) {
                elements[used] = element
                used &+= 1
            }
        }
        return (
            ends.finish(byteCount: (rows.count &+ 1) &* 4),
            RowSelection(buffer: out.finish(byteCount: total &* 4), count: total)
        )
    }
}

/// Copies of short runs of bytes.
enum ByteCopy {
    /// Copies `count` bytes. The target has 64 writable bytes behind its end (as every `MutableBuffer` has) and is filled in
    /// ascending order; with `isPadded` the source has 64 readable bytes behind its end, and short values go as one block.
    @inline(__always)
    static func copy(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, isPadded: Bool) {
        if isPadded && count <= 32 {
            target.storeBytes(of: source.loadUnaligned(as: SIMD32<UInt8>.self), as: SIMD32<UInt8>.self)
        } else {
            target.copyMemory(from: source, byteCount: count)
        }
    }
}
