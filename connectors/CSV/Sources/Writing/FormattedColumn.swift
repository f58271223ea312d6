import HeadraceColumnar

/// The cells of one column as they are to be written, quotes included.
struct FormattedColumn {
    /// At least 32 bytes after every cell may be read.
    let base: UnsafeRawPointer
    let starts: UnsafePointer<UInt32>
    let ends: UnsafePointer<UInt32>
    /// The bytes of all cells.
    let byteCount: Int
    /// What keeps the pointers good.
    private let owners: [Buffer]

    /// Cells that follow each other: `offsets` has one entry more than there are rows.
    init(text: Buffer, offsets: Buffer, firstOffset: Int = 0, rows: Int) {
        base = UnsafeRawPointer(text.base)
        starts = UnsafePointer(offsets.base.assumingMemoryBound(to: UInt32.self) + firstOffset)
        ends = starts + 1
        byteCount = rows == 0 ? 0 : Int(starts[rows]) - Int(starts[0])
        owners = [text, offsets]
    }

    /// Cells of `words`, anywhere in it.
    init(spreading words: FormattedColumn, starts: Buffer, ends: Buffer, rows: Int) {
        base = words.base
        self.starts = UnsafePointer(starts.base.assumingMemoryBound(to: UInt32.self))
        self.ends = UnsafePointer(ends.base.assumingMemoryBound(to: UInt32.self))
        var bytes = 0
        for row in 0..<rows { bytes &+= Int(self.ends[row]) &- Int(self.starts[row]) }
        byteCount = bytes
        owners = words.owners + [starts, ends]
    }

    func cell(_ row: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + Int(starts[row]), count: Int(ends[row]) - Int(starts[row]))
    }
}

/// Collects cells one after the other.
struct CellBuffer: ~Copyable {
    private var text: MutableBuffer
    private let offsets: MutableBuffer
    private let rows: Int
    private var row = 0
    private(set) var used = 0

    init(rows: Int, bytesPerCell: Int) {
        self.rows = rows
        text = MutableBuffer(capacity: rows * bytesPerCell + 64)
        offsets = MutableBuffer(capacity: (rows + 1) * 4)
        offsets.base.storeBytes(of: 0, as: UInt32.self)
    }

    /// Room for a cell of up to `count` bytes, to be filled and then closed.
    @inline(__always) mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        if used &+ count &+ 64 > text.capacity { text.reserve(used &+ count &+ 64, keeping: used) }
        return text.base + used
    }

    /// Closes the cell of the next row at `count` bytes.
    @inline(__always) mutating func close(_ count: Int) {
        used &+= count
        row &+= 1
        offsets.base.storeBytes(of: UInt32(truncatingIfNeeded: used), toByteOffset: row &* 4, as: UInt32.self)
    }

    mutating func append(_ cell: UnsafeRawBufferPointer) {
        let target = reserve(cell.count)
        if let source = cell.baseAddress { target.copyMemory(from: source, byteCount: cell.count) }
        close(cell.count)
    }

    mutating func append(_ cell: [UInt8]) { cell.withUnsafeBytes { append($0) } }

    consuming func finish() -> FormattedColumn {
        precondition(used <= Int(UInt32.max), "a column of one batch formats to more than 4 GiB")
        let (used, rows) = (used, rows)
        return FormattedColumn(
            text: text.finish(byteCount: used), offsets: offsets.finish(byteCount: (rows + 1) * 4), rows: rows)
    }
}
