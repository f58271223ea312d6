/// Rows picked from many batches, put side by side in growing columns: one copy a value, no object a piece.
///
/// Not thread-safe. Columns of fixed width, booleans, text and binary only; `init` gives nil for schemas with others.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, which its owner's lock sees to.
package final class RowAppender: @unchecked Sendable {
    private let schema: Schema
    private let columns: UnsafeMutablePointer<GrowingColumn>
    /// Rows so far.
    package private(set) var count = 0

    package init?(_ schema: Schema) {
        for field in schema.fields {
            switch field.type.layout {
            case .list, .struct: return nil
            case .bits, .fixed, .bytes: continue
            }
        }
        self.schema = schema
        columns = .allocate(capacity: max(schema.count, 1))
        for (index, field) in schema.fields.enumerated() {
            (columns + index).initialize(to: GrowingColumn(field.type))
        }
    }

    deinit {
        columns.deinitialize(count: schema.count)
        columns.deallocate()
    }

    /// The bytes that `rows` of the columns of a batch of the schema take up, as `RecordBatch.byteSize` counts them.
    package static func byteSize(_ views: [SourceColumn], _ rows: UnsafeBufferPointer<Int32>) -> Int {
        views.reduce(0) { size, source in
            let width = source.width
            if width > 0 { return size &+ width &* rows.count &+ (source.view.hasNulls ? rows.count / 8 &+ 1 : 0) }
            if source.isText {
                var bytes = 4 &* rows.count
                for row in rows {
                    bytes &+= Int(source.view.textOffset(Int(row) &+ 1) &- source.view.textOffset(Int(row)))
                }
                return size &+ bytes
            }
            return size &+ rows.count / 8 &+ 1
        }
    }

    /// Appends `rows` of a batch's columns, which must outlive the call, be of the schema's types, and have the shape of
    /// those before. Rows are not checked.
    package func append(_ sources: [SourceColumn], _ rows: UnsafeBufferPointer<Int32>) {
        for index in 0..<sources.count { columns[index].append(sources[index], rows, at: count) }
        count &+= rows.count
    }

    /// Bytes that the columns have grown to, room to spare included; the little that empty ones hold is left aside.
    package var byteCount: Int { (0..<schema.count).reduce(0) { $0 &+ columns[$1].byteCount } }

    /// The rows so far; the appender is empty afterwards.
    package func finish() -> RecordBatch {
        defer { count = 0 }
        return RecordBatch(
            schema: schema,
            columns: schema.fields.indices.map { columns[$0].finish(schema.fields[$0].type, count: count) },
            count: count)
    }

    /// What two batches must have alike for rows of both to be appended: for each column, what its indices point into.
    package typealias Shape = [ObjectIdentifier?]

    /// The shape of columns; nil when one has a dictionary that no other batch will have.
    package static func shape(_ columns: [ColumnVector]) -> Shape? {
        if columns.contains(where: { $0.dictionary != nil && $0.dictionary?.origin == nil }) { return nil }
        return columns.map { $0.dictionary?.origin.map { ObjectIdentifier($0) } }
    }

    /// A column as loops read it.
    package struct SourceColumn {
        let view: UnsafeColumnView
        let dictionary: ColumnVector?
        /// Bytes a value; 0 for text and bits.
        let width: Int
        let isText: Bool
        /// Whether 32 bytes beyond a text's end may be read.
        let isPadded: Bool

        /// - Parameter column: must live as long as this is used.
        package init(_ column: ColumnVector) {
            view = column.unsafeView
            dictionary = column.dictionary
            isPadded = column.values?.isPadded ?? false
            guard dictionary == nil else {
                (width, isText) = (4, false)
                return
            }
            switch column.type.layout {
            case .fixed(let width): (self.width, isText) = (width, false)
            case .bytes: (width, isText) = (0, true)
            case .bits, .list, .struct: (width, isText) = (0, false)
            }
        }
    }
}

/// One column of a `RowAppender`.
private struct GrowingColumn: ~Copyable {
    private var values = MutableBuffer()
    private var offsets = MutableBuffer()
    private var bits: MutableBuffer?
    /// Bytes that `bits` has room for.
    private var bitCapacity = 0
    /// The longest dictionary of the columns appended, all snapshots of one.
    private var dictionary: ColumnVector?
    /// Bytes of text.
    private var used = 0
    private var nulls = 0

    /// Bytes grown to, room to spare included.
    var byteCount: Int {
        func grown(_ capacity: Int) -> Int { capacity > BufferPool.smallest ? capacity : 0 }
        return grown(values.capacity) &+ grown(offsets.capacity) &+ grown(bitCapacity)
    }

    init(_ type: DataType) {
        offsets.base.storeBytes(of: 0, as: Int32.self)
    }

    mutating func append(_ source: RowAppender.SourceColumn, _ rows: UnsafeBufferPointer<Int32>, at count: Int) {
        switch source.width {
        case 1: gather(source.view, rows, count, UInt8.self)
        case 2: gather(source.view, rows, count, UInt16.self)
        case 4: gather(source.view, rows, count, UInt32.self)
        case 8: gather(source.view, rows, count, UInt64.self)
        case 16: gather(source.view, rows, count, UInt128.self)
        default: if source.isText { gatherText(source, rows, count) } else { gatherBits(source.view, rows, count) }
        }
        if let entries = source.dictionary, entries.count > dictionary?.count ?? -1 { dictionary = entries }
        if source.view.hasNulls || bits != nil { appendValidity(source.view, rows, count) }
    }

    private mutating func gather<T: FixedWidthInteger & BitwiseCopyable>(
        _ view: UnsafeColumnView, _ rows: UnsafeBufferPointer<Int32>, _ count: Int, _: T.Type
    ) {
        let width = MemoryLayout<T>.stride
        values.reserve((count &+ rows.count) &* width, keeping: count &* width)
        let source = view.values(as: T.self)
        let target = values.base.assumingMemoryBound(to: T.self) + count
        for index in 0..<rows.count { target[index] = source[Int(rows[index])] }
    }

    private mutating func gatherBits(_ view: UnsafeColumnView, _ rows: UnsafeBufferPointer<Int32>, _ count: Int) {
        values.reserve(Bitmap.byteCount(count &+ rows.count), keeping: Bitmap.byteCount(count))
        for index in 0..<rows.count { Bitmap.set(values.base, count &+ index, view.bool(Int(rows[index]))) }
    }

    private mutating func gatherText(
        _ source: RowAppender.SourceColumn, _ rows: UnsafeBufferPointer<Int32>, _ count: Int
    ) {
        let view = source.view
        offsets.reserve((count &+ rows.count &+ 1) &* 4, keeping: (count &+ 1) &* 4)
        let ends = offsets.base.assumingMemoryBound(to: Int32.self) + (count &+ 1)
        var total = used
        for index in 0..<rows.count {
            let row = Int(rows[index])
            total &+= Int(view.textOffset(row &+ 1) &- view.textOffset(row))
            ends[index] = Int32(truncatingIfNeeded: total)
        }
        precondition(total <= Int(Int32.max), "a text column passed 2 GiB")
        values.reserve(total, keeping: used)
        var target = values.base + used
        for index in 0..<rows.count {
            let text = view.bytes(Int(rows[index]))
            if let base = text.baseAddress {
                if source.isPadded {
                    // What is written too far is overwritten by the next text, or lies in the buffer's padding.
                    var copied = 0
                    while copied < text.count {
                        target.storeBytes(
                            of: base.loadUnaligned(fromByteOffset: copied, as: SIMD32<UInt8>.self),
                            toByteOffset: copied, as: SIMD32<UInt8>.self)
                        copied &+= 32
                    }
                } else {
                    target.copyMemory(from: base, byteCount: text.count)
                }
            }
            target += text.count
        }
        used = total
    }

    private mutating func appendValidity(
        _ view: UnsafeColumnView, _ rows: UnsafeBufferPointer<Int32>, _ count: Int
    ) {
        let byteCount = Bitmap.byteCount(count &+ rows.count)
        if bits == nil {
            let fresh = MutableBuffer(capacity: byteCount)
            fresh.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: Bitmap.byteCount(count))
            bits = consume fresh
        }
        bits?.reserve(byteCount, keeping: Bitmap.byteCount(count))
        guard let base = bits?.base, let capacity = bits?.capacity else { return }
        bitCapacity = capacity
        for index in 0..<rows.count {
            let isValid = view.isValid(Int(rows[index]))
            Bitmap.set(base, count &+ index, isValid)
            if !isValid { nulls &+= 1 }
        }
    }

    mutating func finish(_ type: DataType, count: Int) -> ColumnVector {
        var full = MutableBuffer(capacity: 64)
        swap(&full, &values)
        var validity: Buffer?
        if let filled = bits.take() { validity = filled.finish(byteCount: Bitmap.byteCount(count)) }
        bitCapacity = 0
        let nullCount = nulls
        nulls = 0
        if let entries = dictionary.take() {
            return ColumnVector(
                type: type, count: count, nullCount: nullCount, validity: validity,
                values: full.finish(byteCount: count &* 4), dictionary: entries)
        }
        switch type.layout {
        case .bytes:
            var ends = MutableBuffer(capacity: 64)
            ends.base.storeBytes(of: 0, as: Int32.self)
            swap(&ends, &offsets)
            let byteCount = used
            used = 0
            return ColumnVector(
                type: type, count: count, nullCount: nullCount, validity: validity,
                values: full.finish(byteCount: byteCount), offsets: ends.finish(byteCount: (count &+ 1) &* 4))
        case .fixed(let width):
            return ColumnVector(
                type: type, count: count, nullCount: nullCount, validity: validity,
                values: full.finish(byteCount: count &* width))
        case .bits, .list, .struct:
            return ColumnVector(
                type: type, count: count, nullCount: nullCount, validity: validity,
                values: full.finish(byteCount: Bitmap.byteCount(count)))
        }
    }
}
