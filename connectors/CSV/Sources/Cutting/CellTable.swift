import HeadraceColumnar

/// Collects the fields of records that the structural index alone does not describe: ragged, blank, CRLF.
struct CellTable: ~Copyable {
    private let columns: Int
    /// The most bytes of a record.
    private let limit: Int
    private var cells: MutableBuffer
    private(set) var rows = 0
    private(set) var broken: [BrokenRecord] = []
    /// The record that each row is; kept from the first broken record on.
    private(set) var records: [Int32] = []

    init(columns: Int, capacity: Int, limit: Int) {
        self.columns = columns
        self.limit = limit
        cells = MutableBuffer(capacity: max(capacity, 64) * 4)
    }

    private var recordCount: Int { rows + broken.count }

    /// Adds a record with its field ends; one with another number of fields is broken.
    mutating func append(_ start: Int, _ ends: [UInt32], end: Int) {
        guard end - start <= limit else { return append(broken: .tooLong, start, end) }
        guard ends.count == columns else { return append(broken: .fields(ends.count), start, end) }
        ends.withUnsafeBufferPointer { ends in
            if let base = ends.baseAddress { append(row: start, base, end: UInt32(truncatingIfNeeded: end)) }
        }
    }

    mutating func append(broken reason: BrokenRecord.Reason, _ start: Int, _ end: Int) {
        if broken.isEmpty { records = (0..<rows).map { Int32(truncatingIfNeeded: $0) } }
        broken.append(
            BrokenRecord(
                record: Int32(truncatingIfNeeded: recordCount), start: UInt32(truncatingIfNeeded: start),
                end: UInt32(truncatingIfNeeded: end), reason: reason))
    }

    @inline(__always)
    private mutating func append(row start: Int, _ ends: UnsafePointer<UInt32>, end: UInt32) {
        let first = rows &* (columns &+ 1)
        cells.reserve((first &+ columns &+ 1) &* 4, keeping: first &* 4)
        let row = cells.base.assumingMemoryBound(to: UInt32.self) + first
        row[0] = UInt32(truncatingIfNeeded: start &- 1)
        for column in 0..<columns &- 1 { row[column &+ 1] = ends[column] }
        row[columns] = end
        if !broken.isEmpty { records.append(Int32(truncatingIfNeeded: recordCount)) }
        rows &+= 1
    }

    /// Adds all records of an index that ends with a whole one. Blank lines are passed over, unless there is but one
    /// column, where they are nulls.
    mutating func fill(from index: borrowing StructuralIndex, text: UnsafeRawPointer, delimiter: UInt8) {
        let positions = index.positions
        let count = index.count
        var start = Int(positions[0] &+ 1)
        var entry = 1
        while entry <= count {
            let first = entry
            var end = Int(positions[entry])
            while text.load(fromByteOffset: end, as: UInt8.self) == delimiter {
                entry &+= 1
                end = Int(positions[entry])
            }
            entry &+= 1
            let fields = entry &- first
            if end &- start > limit {
                append(broken: .tooLong, start, end)
            } else if fields == columns, end > start || columns == 1 {
                append(row: start, positions + first, end: UInt32(truncatingIfNeeded: end))
            } else if end > start {
                append(broken: .fields(fields), start, end)
            }
            start = end &+ 1
            let isReturn = text.load(fromByteOffset: end, as: UInt8.self) == CSVDialect.carriageReturn
            if isReturn, entry <= count, Int(positions[entry]) == start,
                text.load(fromByteOffset: start, as: UInt8.self) == CSVDialect.lineFeed
            {
                start &+= 1
                entry &+= 1
            }
        }
    }

    /// The cells of all rows as a buffer; the table is of no further use for rows.
    mutating func takeCells() -> (cells: Buffer, rows: Int) {
        var taken = MutableBuffer(capacity: 64)
        swap(&taken, &cells)
        return (taken.finish(byteCount: rows * (columns + 1) * 4), rows)
    }
}
