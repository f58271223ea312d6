import HeadraceColumnar
import HeadraceCore

/// How the cells of one column of a batch are written, decided once.
struct CellWriter {
    enum Kind {
        case bool
        case int8, int16, int32, int64
        case uint8, uint16, uint32, uint64
        case float32, float64
        case decimal64, decimal128
        case date, time, timestamp, instant
        /// Text of which no cell needs quotes but the empty ones.
        case plainText
        case text
        /// Cells written once a distinct value.
        case dictionary
        case binary
        case nested
    }

    let kind: Kind
    let view: UnsafeColumnView
    let scale: Int
    /// The most bytes that a cell of fixed-width type may touch.
    let room: Int
    /// The distinct cells as they are to be written; nil without a dictionary.
    let cells: PreparedCells?

    init(_ column: ColumnVector, _ options: CSVWriteOptions) throws {
        view = column.unsafeView
        var scale = 0
        var room = 32
        if let dictionary = column.dictionary {
            kind = .dictionary
            cells = try PreparedCells(dictionary, options)
            (self.scale, self.room) = (0, 0)
            return
        }
        cells = nil
        switch column.type {
        case .bool: kind = .bool
        case .int8: kind = .int8
        case .int16: kind = .int16
        case .int32: kind = .int32
        case .int64: kind = .int64
        case .uint8: kind = .uint8
        case .uint16: kind = .uint16
        case .uint32: kind = .uint32
        case .uint64: kind = .uint64
        case .float32: (kind, room) = (.float32, DoubleText.capacity)
        case .float64: (kind, room) = (.float64, DoubleText.capacity)
        case .decimal(let precision, let digits):
            scale = digits
            (kind, room) = (precision <= 18 ? .decimal64 : .decimal128, DecimalText.capacity(scale: digits))
        case .date32: (kind, room) = (.date, DateText.capacity)
        case .time64: (kind, room) = (.time, TimeText.capacity)
        case .timestamp(let zone): (kind, room) = (zone == nil ? .timestamp : .instant, TimestampText.capacity)
        case .utf8, .json:
            (kind, room) = (QuoteRules(options).areNeeded(anywhereIn: column) ? .text : .plainText, 0)
        case .binary: (kind, room) = (.binary, 0)
        case .list, .struct: (kind, room) = (.nested, 0)
        }
        self.scale = scale
        self.room = room
    }

    /// Writes a cell of fixed-width type, which is not null, and gives its length.
    @inline(__always)
    func write(_ row: Int, to target: UnsafeMutableRawPointer) -> Int {
        switch kind {
        case .bool: BooleanText.format(view.bool(row), into: target)
        case .int8: IntegerText.format(view.values(as: Int8.self)[row], into: target)
        case .int16: IntegerText.format(view.values(as: Int16.self)[row], into: target)
        case .int32: IntegerText.format(view.values(as: Int32.self)[row], into: target)
        case .int64: IntegerText.format(view.values(as: Int64.self)[row], into: target)
        case .uint8: IntegerText.format(view.values(as: UInt8.self)[row], into: target)
        case .uint16: IntegerText.format(view.values(as: UInt16.self)[row], into: target)
        case .uint32: IntegerText.format(view.values(as: UInt32.self)[row], into: target)
        case .uint64: IntegerText.format(view.values(as: UInt64.self)[row], into: target)
        case .float32: Self.write(view.values(as: Float.self)[row], to: target)
        case .float64: DoubleText.format(view.values(as: Double.self)[row], into: target)
        case .decimal64: DecimalText.format(view.values(as: Int64.self)[row], scale: scale, into: target)
        case .decimal128: DecimalText.format(view.values(as: Int128.self)[row], scale: scale, into: target)
        case .date: DateText.format(view.values(as: Int32.self)[row], into: target)
        case .time: TimeText.format(view.values(as: Int64.self)[row], into: target)
        case .timestamp: TimestampText.format(view.values(as: Int64.self)[row], hasZone: false, into: target)
        case .instant: TimestampText.format(view.values(as: Int64.self)[row], hasZone: true, into: target)
        case .plainText, .text, .dictionary, .binary, .nested: 0
        }
    }

    /// The shortest text that reads back as the same single-precision number.
    private static func write(_ value: Float, to target: UnsafeMutableRawPointer) -> Int {
        guard value.isFinite else { return DoubleText.format(Double(value), into: target) }
        var text = value.description
        return text.withUTF8 { bytes in
            target.copyMemory(
                from: UnsafeRawPointer(bytes.baseAddress ?? UnsafePointer(target.assumingMemoryBound(to: UInt8.self))),
                byteCount: bytes.count)
            return bytes.count
        }
    }
}

/// The distinct values of a dictionary as cells, quotes included.
final class PreparedCells {
    private let bytes: Buffer
    private let ends: [Int]

    init(_ dictionary: ColumnVector, _ options: CSVWriteOptions) throws {
        var rows = CSVRowWriter(options, capacity: dictionary.byteSize + 256)
        let writers = [try CellWriter(dictionary, options)]
        var ends = [0]
        ends.reserveCapacity(dictionary.count + 1)
        for row in 0..<dictionary.count {
            try rows.writeCell(writers[0], dictionary, row)
            rows.dropDelimiter()
            ends.append(rows.count)
        }
        self.ends = ends
        bytes = rows.finish()
    }

    func withCell(_ key: Int, _ body: (UnsafeRawPointer, Int) -> Void) {
        body(UnsafeRawPointer(bytes.base + ends[key]), ends[key + 1] - ends[key])
    }
}
