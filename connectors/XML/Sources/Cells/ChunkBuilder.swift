import HeadraceColumnar

/// Collects records until they make a chunk.
struct ChunkBuilder: ~Copyable {
    private let texts: [BytesBuilder]
    private let lines = PrimitiveBuilder<Int64>(.int64)
    private let offsets = PrimitiveBuilder<Int64>(.int64)
    private let originals = BytesBuilder(.utf8)
    private var broken: [BrokenRecord] = []
    private(set) var count = 0
    private(set) var byteCount = 0

    init(fields: Int) { texts = (0..<fields).map { _ in BytesBuilder(.utf8) } }

    /// Adds the text of a field to the record that `end` closes; nil is null. Every field needs one call a record.
    @inline(__always) mutating func append(_ bytes: UnsafeRawBufferPointer?, field: Int) {
        if let bytes {
            texts[field].append(bytes)
            byteCount &+= bytes.count
        } else {
            texts[field].appendNull()
        }
    }

    mutating func end(
        original: UnsafeRawBufferPointer, line: Int, offset: Int, broken reason: BrokenRecord.Reason? = nil
    ) {
        lines.append(Int64(line))
        offsets.append(Int64(offset))
        originals.append(original)
        byteCount &+= original.count
        if let reason { broken.append(BrokenRecord(record: Int32(truncatingIfNeeded: count), reason: reason)) }
        count &+= 1
    }

    /// The records collected; the builder is empty afterwards.
    mutating func finish(recordsBefore: Int) -> MarkupChunk {
        defer {
            count = 0
            byteCount = 0
            broken = []
        }
        return MarkupChunk(
            columns: texts.map { $0.finish() }, lines: lines.finish(), offsets: offsets.finish(),
            originals: originals.finish(), broken: broken, recordsBefore: recordsBefore)
    }
}
