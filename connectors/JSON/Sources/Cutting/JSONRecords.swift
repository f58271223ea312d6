import HeadraceColumnar
import HeadraceCore

/// Whole records of one object: their text and where they stand.
public final class JSONRecords: Sendable {
    /// The text that holds the records; white space, commas and what lies beside the record path are in it too.
    let text: Buffer
    /// Where the text begins in the object.
    let textOffset: Int
    let bounds: [JSONRecordBounds]
    /// Records that its reader handed out before these.
    let recordsBefore: Int

    init(text: Buffer, textOffset: Int, bounds: [JSONRecordBounds], recordsBefore: Int) {
        self.text = text
        self.textOffset = textOffset
        self.bounds = bounds
        self.recordsBefore = recordsBefore
    }

    /// The bytes of a record; valid while this object lives. Empty for a record that is too long to be kept.
    func bytes(of record: Int) -> UnsafeRawBufferPointer {
        let place = bounds[record]
        guard !place.isOversized else { return UnsafeRawBufferPointer(start: text.base, count: 0) }
        return UnsafeRawBufferPointer(start: text.base + (place.offset - textOffset), count: place.length)
    }
}

/// The places and the text of the records of a chunk.
final class JSONOrigin: Origin {
    private let records: JSONRecords
    private let source: String
    private let file: String
    /// Rows of the source before the place at which the reader began.
    private let rowsBefore: Int

    init(_ records: JSONRecords, source: String, file: String, rowsBefore: Int) {
        self.records = records
        self.source = source
        self.file = file
        self.rowsBefore = rowsBefore
    }

    func place(of row: Int) -> Place {
        let bounds = records.bounds[row]
        return Place(
            source: source, file: file, line: bounds.line, byteOffset: bounds.offset,
            row: rowsBefore + records.recordsBefore + row + 1)
    }

    func original(of row: Int) -> [UInt8]? {
        records.bounds[row].isOversized ? nil : withExtendedLifetime(records) { Array(records.bytes(of: row)) }
    }
}
