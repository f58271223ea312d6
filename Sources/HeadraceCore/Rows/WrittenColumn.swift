public import HeadraceColumnar

/// A column that closures over rows write, in Arrow layout; rows may be set in any order of columns, set again, and taken
/// back.
///
/// Used by one thread.
public struct WrittenColumn: ~Copyable {
    /// The column's name and type.
    public let field: Field
    /// Fixed-width values or bits, or the bytes of text.
    @usableFromInline var values: MutableBuffer
    /// One bit a row, set where it has a value.
    @usableFromInline var validity: MutableBuffer
    /// For text, where each row's begins; the entry after the last row's is the end of what is written.
    private var offsets: MutableBuffer
    private let isText: Bool
    /// The rows that fit.
    private var room: Int

    init(_ field: Field, rows: Int) {
        self.field = field
        room = max(rows, 64)
        validity = Self.zeroed(Bitmap.byteCount(room))
        isText = field.type.layout == .bytes
        offsets = MutableBuffer(capacity: isText ? (room + 1) * 4 : 4)
        offsets.base.storeBytes(of: 0, as: Int32.self)
        switch field.type.layout {
        case .bits: values = Self.zeroed(Bitmap.byteCount(room))
        case .fixed(let width): values = Self.zeroed(room * width)
        default: values = MutableBuffer(capacity: room * 16)
        }
    }

    /// Bytes written so far, about.
    func byteCount(rows: Int) -> Int {
        if case .fixed(let width) = field.type.layout { return rows * width }
        return isText ? textStart(rows) + rows * 4 : rows / 8
    }

    private static func zeroed(_ bytes: Int) -> MutableBuffer {
        let buffer = MutableBuffer(capacity: bytes)
        buffer.base.initializeMemory(as: UInt8.self, repeating: 0, count: buffer.capacity)
        return buffer
    }

    private static func grow(_ buffer: inout MutableBuffer, to bytes: Int) {
        let old = buffer.capacity
        buffer.reserve(bytes, keeping: old)
        if buffer.capacity > old {
            (buffer.base + old).initializeMemory(as: UInt8.self, repeating: 0, count: buffer.capacity - old)
        }
    }

    /// Makes room for a row `row`, which has no value yet.
    mutating func open(_ row: Int) {
        if row >= room {
            room = row * 2
            Self.grow(&validity, to: Bitmap.byteCount(room))
            switch field.type.layout {
            case .bits: Self.grow(&values, to: Bitmap.byteCount(room))
            case .fixed(let width): Self.grow(&values, to: room * width)
            default: offsets.reserve((room + 1) * 4, keeping: (row + 1) * 4)
            }
        }
        if isText { setTextStart(row + 1, textStart(row)) }
    }

    /// Whether row `row` has a value.
    func isSet(_ row: Int) -> Bool { Bitmap.get(validity.base, row) }

    /// Takes the value of row `row` back.
    @usableFromInline mutating func clear(_ row: Int) {
        Bitmap.set(validity.base, row, false)
        if isText { setTextStart(row + 1, textStart(row)) }
    }

    /// Notes that row `row` has a value.
    @inlinable mutating func mark(_ row: Int) { Bitmap.set(validity.base, row, true) }

    private func textStart(_ row: Int) -> Int {
        Int(offsets.base.load(fromByteOffset: row &* 4, as: Int32.self))
    }

    private mutating func setTextStart(_ row: Int, _ start: Int) {
        offsets.base.storeBytes(of: Int32(truncatingIfNeeded: start), toByteOffset: row &* 4, as: Int32.self)
    }

    /// Puts the text of row `row`, the last one, in the place of what is there.
    /// - Precondition: all text of a column stays below 2 GiB.
    mutating func putText(_ bytes: UnsafeRawBufferPointer, at row: Int) {
        let start = textStart(row)
        let end = start + bytes.count
        precondition(end <= Int(Int32.max), "a text column passed 2 GiB")
        values.reserve(end, keeping: start)
        if let source = bytes.baseAddress { (values.base + start).copyMemory(from: source, byteCount: bytes.count) }
        setTextStart(row + 1, end)
    }

    /// The column of the first `rows` rows.
    consuming func finish(rows: Int) -> ColumnVector {
        let set = Bitmap.countSet(validity.base, offset: 0, count: rows)
        let used =
            switch field.type.layout {
            case .bits: Bitmap.byteCount(rows)
            case .fixed(let width): rows * width
            default: textStart(rows)
            }
        return ColumnVector(
            type: field.type, count: rows, nullCount: rows - set,
            validity: validity.finish(byteCount: Bitmap.byteCount(rows)), values: values.finish(byteCount: used),
            offsets: isText ? offsets.finish(byteCount: (rows + 1) * 4) : nil)
    }
}
