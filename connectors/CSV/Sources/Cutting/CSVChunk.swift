import HeadraceColumnar

/// Whole records of one object: their text, the places of their fields and where they stand in the object.
public final class CSVChunk: Sendable {
    /// The text; 64 bytes before and after it may be read.
    let text: Buffer
    /// `UInt32` positions: for row `r` the byte before it at `r * stride`, then the end of each field.
    let cells: Buffer
    /// Entries from one row to the next.
    let stride: Int
    /// Fields of a row.
    let columns: Int
    /// Records with the right number of fields.
    let rows: Int
    /// The records that are no rows, in order.
    let broken: [BrokenRecord]
    /// The number in the chunk of the record that each row is; nil when every record is a row.
    let records: [Int32]?
    /// Whether no byte has its top bit set.
    let isASCII: Bool
    /// Where the text begins in the object.
    let byteOffset: Int
    /// The line of the object on which the text begins, from 1.
    let firstLine: Int
    /// The line on which the first record begins, where each record has a line of its own; nil where lines are to be counted.
    let firstRecordLine: Int?
    /// Records of the source before this chunk.
    let recordsBefore: Int

    init(
        text: Buffer, cells: Buffer, stride: Int, columns: Int, rows: Int, broken: [BrokenRecord], records: [Int32]?,
        isASCII: Bool, byteOffset: Int, firstLine: Int, firstRecordLine: Int?, recordsBefore: Int
    ) {
        self.text = text
        self.cells = cells
        self.stride = stride
        self.columns = columns
        self.rows = rows
        self.broken = broken
        self.records = records
        self.isASCII = isASCII
        self.byteOffset = byteOffset
        self.firstLine = firstLine
        self.firstRecordLine = firstRecordLine
        self.recordsBefore = recordsBefore
    }

    /// Rows and broken records together.
    var recordCount: Int { rows + broken.count }

    /// The bytes of record `record` of the chunk, its line end left out.
    func extent(of record: Int) -> Range<Int> {
        var row = record
        if let records {
            // Records before this one are rows or broken, so either number gives the other.
            let brokenBefore = Self.firstIndex(broken.count) { Int(broken[$0].record) >= record }
            if brokenBefore < broken.count, Int(broken[brokenBefore].record) == record {
                return Int(broken[brokenBefore].start)..<Int(broken[brokenBefore].end)
            }
            row = record - brokenBefore
            precondition(row < rows && Int(records[row]) == record, "record \(record) is not in its chunk")
        }
        precondition(row < rows, "record \(record) is not in its chunk")
        let positions = cells.base.assumingMemoryBound(to: UInt32.self) + row * stride
        return withExtendedLifetime(self) { Int(positions[0] &+ 1)..<Int(positions[columns]) }
    }

    /// The first number below `count` for which `holds`, which stays true from there on; `count` where none is.
    private static func firstIndex(_ count: Int, where holds: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// A record that has no row because of its shape.
struct BrokenRecord: Sendable, Hashable {
    enum Reason: Sendable, Hashable {
        /// Another number of fields than the header.
        case fields(Int)
        /// Text between a closing quote and the next delimiter.
        case strayText
        /// A quoted field that does not end.
        case openQuote
        /// More bytes than a record may have.
        case tooLong
    }

    /// Its number among the records of its chunk.
    let record: Int32
    let start: UInt32
    let end: UInt32
    let reason: Reason
}
