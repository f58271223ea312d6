import HeadraceColumnar

/// The cells of one column of a chunk, for kernels.
///
/// The pointers are good while the chunk lives; 64 bytes before and after the text may be read.
struct ColumnCells {
    let base: UnsafeRawPointer
    /// The entry before the first cell's end; the cell begins one byte after it.
    let entries: UnsafePointer<UInt32>
    let stride: Int
    let rows: Int
    let dialect: CSVDialect
    let isASCII: Bool
    /// Whether a null cell is a failure.
    let isRequired: Bool

    init(_ chunk: CSVChunk, column: Int, dialect: CSVDialect, isRequired: Bool) {
        base = UnsafeRawPointer(chunk.text.base)
        entries = UnsafePointer(chunk.cells.base.assumingMemoryBound(to: UInt32.self) + column)
        stride = chunk.stride
        rows = chunk.rows
        isASCII = chunk.isASCII
        self.dialect = dialect
        self.isRequired = isRequired
    }

    @inline(__always) func start(_ row: Int) -> Int { Int(entries[row &* stride] &+ 1) }
    @inline(__always) func end(_ row: Int) -> Int { Int(entries[row &* stride &+ 1]) }

    @inline(__always) func byte(_ place: Int) -> UInt8 { base.load(fromByteOffset: place, as: UInt8.self) }

    /// Whether the cell begins with a quote, and so is quoted to its end.
    @inline(__always) func isQuoted(_ start: Int, _ end: Int) -> Bool {
        end > start && dialect.quote.map { byte(start) == $0 } ?? false
    }

    /// Whether an unquoted cell is one of the texts that stand for null.
    func isNullText(_ start: Int, _ end: Int) -> Bool {
        dialect.nulls.contains { text in
            text.count == end &- start
                && text.elementsEqual(UnsafeRawBufferPointer(start: base + start, count: text.count))
        }
    }

    /// What a cell says, quotes and escapes undone, as UTF-8 where its bytes are valid; for messages and rare types.
    func contents(_ row: Int) -> [UInt8] { CellText.contents(base, start(row), end(row), dialect) }
}

/// The validity bits of a column under construction, made at the first null.
struct NullBits: ~Copyable {
    private var bits: MutableBuffer?
    private var base: UnsafeMutableRawPointer?
    private let rows: Int
    private(set) var count = 0

    init(rows: Int) { self.rows = rows }

    @inline(__always) mutating func set(_ row: Int) {
        if base == nil { begin() }
        count &+= 1
        if let base { Bitmap.set(base, row, false) }
    }

    @inline(never) private mutating func begin() {
        let byteCount = Bitmap.byteCount(rows)
        let fresh = MutableBuffer(capacity: byteCount)
        fresh.base.initializeMemory(as: UInt8.self, repeating: 0xff, count: byteCount)
        base = fresh.base
        bits = consume fresh
    }

    consuming func finish() -> Buffer? {
        let byteCount = Bitmap.byteCount(rows)
        base = nil
        guard let full = bits.take() else { return nil }
        return full.finish(byteCount: byteCount)
    }
}
