import HeadraceColumnar
import HeadraceCore

/// Writes the rows of batches as JSON objects with a member for every field.
struct RecordWriter: Sendable {
    /// What NaN and the infinities become.
    let nonFinite: JSONNonFinite
    /// Whether every row ends in a line feed; otherwise a comma and a line feed stand between two.
    let endsRows: Bool

    /// The rows, in bytes that belong to the result alone.
    func write(_ batch: RecordBatch) throws(HeadraceError) -> Buffer {
        let keys = batch.schema.fields.map { JSONWriter.prepared($0.name) }
        let names = keys.reduce(0) { $0 + $1.count + 2 }
        var writer = JSONWriter(into: JSONBuffer(capacity: batch.byteSize * 3 / 2 + batch.count * (names + 8)))
        writer.nonFinite = nonFinite.written
        let columns = zip(batch.schema.fields, batch.columns).map { field, column in
            ColumnEncoder.make(column, name: field.name, isOneLine: endsRows)
        }
        // One run of bytes for all keys, so that none is an array in the loop.
        let text = UnsafeMutableRawPointer.allocate(byteCount: max(names, 1), alignment: 8)
        defer { text.deallocate() }
        var ranges: [UnsafeRawBufferPointer] = []
        var end = 0
        for key in keys {
            key.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { (text + end).copyMemory(from: source, byteCount: bytes.count) }
            }
            ranges.append(UnsafeRawBufferPointer(start: text + end, count: key.count))
            end += key.count
        }
        try write(batch.count, columns, ranges, &writer)
        withExtendedLifetime(batch) {}
        return Self.buffer(writer.finish())
    }

    private func write(
        _ rows: Int, _ columns: [ColumnEncoder], _ keys: [UnsafeRawBufferPointer], _ writer: inout JSONWriter
    ) throws(HeadraceError) {
        for row in 0..<rows {
            writer.beginObject()
            for index in columns.indices {
                writer.key(prepared: keys[index])
                try columns[index].write(row, &writer)
            }
            writer.endObject()
            if !endsRows {
                if row == rows - 1 { return }
                writer.buffer.append(0x2C)
            }
            writer.endRecord()
        }
    }

    /// The same memory under the name by which sinks know it.
    private static func buffer(_ bytes: consuming JSONBuffer) -> Buffer {
        let owner = BufferOwner(bytes)
        let view = owner.bytes.bytes
        guard let base = view.baseAddress else { return Buffer(copying: view) }
        return Buffer(foreign: UnsafeMutableRawPointer(mutating: base), byteCount: view.count) {
            withExtendedLifetime(owner) {}
        }
    }
}

/// Keeps the writer's memory until the last reference to it goes.
private final class BufferOwner: Sendable {
    let bytes: JSONBuffer
    init(_ bytes: consuming JSONBuffer) { self.bytes = bytes }
}
