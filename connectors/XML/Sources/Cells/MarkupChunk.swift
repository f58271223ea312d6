import HeadraceColumnar
import HeadraceCore

/// Records of one document as texts: a column a field, with the place and the original of every record.
public final class MarkupChunk: Sendable {
    /// A text column a field; null where the document has nothing.
    let columns: [ColumnVector]
    /// The line of each record, 0 where it is not known.
    let lines: ColumnVector
    /// The byte at which each record starts, -1 where it is not known.
    let offsets: ColumnVector
    /// Each record as markup, cut at `MarkupLimits.originalBytes`.
    let originals: ColumnVector
    /// The records that are no rows, in order.
    let broken: [BrokenRecord]
    /// Records of the source before this chunk.
    let recordsBefore: Int

    init(
        columns: [ColumnVector], lines: ColumnVector, offsets: ColumnVector, originals: ColumnVector,
        broken: [BrokenRecord], recordsBefore: Int
    ) {
        self.columns = columns
        self.lines = lines
        self.offsets = offsets
        self.originals = originals
        self.broken = broken
        self.recordsBefore = recordsBefore
    }

    /// Rows and broken records together.
    var recordCount: Int { lines.count }
}

/// A record that has no row because of its shape.
struct BrokenRecord: Sendable, Hashable {
    enum Reason: Sendable, Hashable {
        /// More bytes of text than a record may have.
        case tooLong
        /// Several values for a field that takes one.
        case repeated(field: Int)
        /// Another number of cells than the table's header.
        case cells(found: Int, expected: Int)
        /// No field finds anything in the record.
        case nothingFound
    }

    /// Its number among the records of its chunk.
    let record: Int32
    let reason: Reason
}

/// How much of a document is held at once.
struct MarkupLimits: Sendable, Hashable {
    /// The text of a usual chunk.
    var chunkBytes = 256 << 10
    /// The records of a usual chunk.
    var chunkRows = 4096
    /// A record with more text is refused.
    var maximumRecordBytes = 16 << 20
    /// How much of a record is kept for its reject.
    var originalBytes = 64 << 10
    /// A page that is parsed as a whole and is larger is an error.
    var maximumPageBytes = 16 << 20
    /// Deeper nesting is an error.
    var maximumDepth = 256
    /// The most text that one piece of input may stand for, entities put in.
    var maximumExpansion = 16 << 20
}
