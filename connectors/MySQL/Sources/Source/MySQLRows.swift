/// Rows as the server sent them, copied out of the library's memory; columns are told apart when they are decoded.
struct MySQLRows: Sendable {
    struct Cell: Sendable {
        var start: UInt32
        /// In bytes; -1 for null.
        var count: Int32
    }

    private(set) var bytes: [UInt8] = []
    private(set) var cells: [Cell] = []
    let columnCount: Int
    private(set) var count = 0

    init(columnCount: Int, bytes: Int, rows: Int) {
        self.columnCount = columnCount
        self.bytes.reserveCapacity(bytes)
        cells.reserveCapacity(rows * columnCount)
    }

    var byteCount: Int { bytes.count }

    /// Adds a row of the library's.
    @inline(__always)
    mutating func append(_ row: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, _ lengths: UnsafePointer<UInt>) {
        for column in 0..<columnCount {
            let start = UInt32(truncatingIfNeeded: bytes.count)
            guard let value = row[column] else {
                cells.append(Cell(start: start, count: -1))
                continue
            }
            let length = Int(truncatingIfNeeded: lengths[column])
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: value, count: length))
            cells.append(Cell(start: start, count: Int32(truncatingIfNeeded: length)))
        }
        count &+= 1
    }

    /// The text of a value, damaged UTF-8 repaired; nil for null.
    func text(_ row: Int, _ column: Int) -> String? {
        let cell = cells[row * columnCount + column]
        guard cell.count >= 0 else { return nil }
        return String(decoding: bytes[Int(cell.start)..<Int(cell.start) + Int(cell.count)], as: UTF8.self)
    }

    /// The bytes of a value; nil for null.
    func value(_ row: Int, _ column: Int) -> [UInt8]? {
        let cell = cells[row * columnCount + column]
        guard cell.count >= 0 else { return nil }
        return Array(bytes[Int(cell.start)..<Int(cell.start) + Int(cell.count)])
    }
}
