public import HeadraceColumnar
public import HeadraceCore

/// Writes rows as CSV: quotes only where they are needed, null as the empty field and the empty text as `""`.
///
/// Numbers, dates and times are written so that `CSVFormat` reads the same values back; lists and structs are JSON,
/// binary is hexadecimal with `0x`.
public struct CSVEncoder: FormatEncoder {
    public let options: CSVWriteOptions

    public init(_ options: CSVWriteOptions = CSVWriteOptions()) { self.options = options }

    public let name = "csv"
    /// Rows end their own lines.
    public let separator: [UInt8] = []

    /// The header line, where one is wanted.
    public func prologue(for schema: Schema) throws -> [UInt8] {
        guard options.hasHeader else { return [] }
        var rows = CSVRowWriter(options, capacity: 64)
        for name in schema.names { try rows.writeText(Array(name.utf8)) }
        rows.endRow()
        return rows.bytes
    }

    public func encode(_ batch: RecordBatch) throws -> Buffer {
        // The writers hold pointers into the batch's columns.
        defer { withExtendedLifetime(batch) {} }
        var writers: [CellWriter] = []
        writers.reserveCapacity(batch.columns.count)
        for column in batch.columns { writers.append(try CellWriter(column, options)) }
        var rows = CSVRowWriter(options, capacity: batch.byteSize + batch.byteSize / 4 + 256)
        try rows.write(writers, batch.columns, count: batch.count)
        return rows.finish()
    }

    public func epilogue(for schema: Schema) throws -> [UInt8] { [] }
}
