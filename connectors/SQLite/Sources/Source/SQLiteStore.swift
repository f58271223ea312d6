import HeadraceColumnar

/// Collects the values of one column while rows are read.
///
/// The library's builders check each of their properties for exclusive access at every value, because they belong to
/// another module; these do not, which makes a third of the time that a row takes.
final class SQLiteStore {
    private var words: MutableBuffer
    /// Values that `words` has room for.
    private var room: Int
    private let width: Int
    private var nulls: [Int32] = []
    private(set) var count = 0

    /// A store of values of 8 or 16 bytes.
    init(width: Int) {
        self.width = width
        words = MutableBuffer(capacity: SQLiteCursor.rowLimit * width)
        room = SQLiteCursor.rowLimit
    }

    private func grow() {
        words.reserve((room * 2) * width, keeping: count * width)
        room *= 2
    }

    /// Appends 8 bytes.
    @inline(__always)
    func append(_ value: Int64) {
        if count == room { grow() }
        words.base.storeBytes(of: value, toByteOffset: count &* 8, as: Int64.self)
        count &+= 1
    }

    /// Appends 16 bytes.
    @inline(__always)
    func append(_ value: Int128) {
        if count == room { grow() }
        words.base.storeBytes(of: value, toByteOffset: count &* 16, as: Int128.self)
        count &+= 1
    }

    func appendNull() {
        nulls.append(Int32(truncatingIfNeeded: count))
        if width == 8 { append(Int64(0)) } else { append(Int128(0)) }
    }

    /// The values as a column of `type`, which must be as wide; the store is empty afterwards.
    func finish(_ type: DataType) -> ColumnVector {
        var full = MutableBuffer(capacity: SQLiteCursor.rowLimit * width)
        swap(&full, &words)
        let rows = count
        let missing = nulls
        (count, room, nulls) = (0, SQLiteCursor.rowLimit, [])
        return ColumnVector(
            type: type, count: rows, nullCount: missing.count, validity: SQLiteValidity.bits(nulls: missing, of: rows),
            values: full.finish(byteCount: rows * width))
    }
}

/// Collects the text or bytes of one column while rows are read; see `SQLiteStore`.
final class SQLiteByteStore {
    private var bytes = MutableBuffer(capacity: 1 << 16)
    private var ends: MutableBuffer
    private var room: Int
    private var used = 0
    private var nulls: [Int32] = []
    private(set) var count = 0

    init() {
        ends = MutableBuffer(capacity: (SQLiteCursor.rowLimit + 1) * 4)
        ends.base.storeBytes(of: 0, as: Int32.self)
        room = SQLiteCursor.rowLimit
    }

    private func grow(_ more: Int) {
        precondition(used + more <= Int(Int32.max), "a text column passed 2 GiB")
        bytes.reserve(used + more, keeping: used)
        if count == room {
            ends.reserve((room * 2 + 1) * 4, keeping: (room + 1) * 4)
            room *= 2
        }
    }

    @inline(__always)
    func append(_ value: UnsafeRawBufferPointer) {
        if used &+ value.count > bytes.capacity || count == room { grow(value.count) }
        if let source = value.baseAddress { (bytes.base + used).copyMemory(from: source, byteCount: value.count) }
        used &+= value.count
        count &+= 1
        ends.base.storeBytes(of: Int32(truncatingIfNeeded: used), toByteOffset: count &* 4, as: Int32.self)
    }

    func appendNull() {
        nulls.append(Int32(truncatingIfNeeded: count))
        append(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// The values as a column of `type`; the store is empty afterwards.
    func finish(_ type: DataType) -> ColumnVector {
        var fullBytes = MutableBuffer(capacity: min(max(used, 1024), 1 << 20))
        var fullEnds = MutableBuffer(capacity: (SQLiteCursor.rowLimit + 1) * 4)
        fullEnds.base.storeBytes(of: 0, as: Int32.self)
        swap(&fullBytes, &bytes)
        swap(&fullEnds, &ends)
        let (rows, size, missing) = (count, used, nulls)
        (count, used, room, nulls) = (0, 0, SQLiteCursor.rowLimit, [])
        return ColumnVector(
            type: type, count: rows, nullCount: missing.count, validity: SQLiteValidity.bits(nulls: missing, of: rows),
            values: fullBytes.finish(byteCount: size), offsets: fullEnds.finish(byteCount: (rows + 1) * 4))
    }
}

private enum SQLiteValidity {
    /// Set bits for `count` rows but those in `nulls`; nil when none is null.
    static func bits(nulls: [Int32], of count: Int) -> Buffer? {
        guard !nulls.isEmpty else { return nil }
        let bits = MutableBuffer(capacity: Bitmap.byteCount(count))
        bits.base.initializeMemory(as: UInt8.self, repeating: 0xff, count: Bitmap.byteCount(count))
        for row in nulls { Bitmap.set(bits.base, Int(row), false) }
        return bits.finish(byteCount: Bitmap.byteCount(count))
    }
}
