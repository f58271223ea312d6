public import HeadraceColumnar
public import HeadraceCore

/// Writes rows as CSV: quotes only where they are needed, null as the empty field and the empty text as `""`.
///
/// Numbers, dates and times are written so that `CSVFormat` reads the same values back; lists and structs are JSON,
/// binary is hexadecimal with `0x`. Every column is formatted by itself, then the cells are put together into lines.
public struct CSVEncoder: FormatEncoder {
    /// The dialect that is written.
    public let options: CSVWriteOptions

    /// An encoder for one dialect.
    public init(_ options: CSVWriteOptions = CSVWriteOptions()) { self.options = options }

    /// `csv`, whatever the delimiter.
    public let name = "csv"
    /// Rows end their own lines.
    public let separator: [UInt8] = []

    private var lineEnd: [UInt8] {
        options.endsLinesWithCRLF
            ? [CSVDialect.carriageReturn, CSVDialect.lineFeed] : [CSVDialect.lineFeed]
    }

    /// The header line, where one is wanted.
    public func prologue(for schema: Schema) throws -> [UInt8] {
        guard options.hasHeader else { return [] }
        let rules = QuoteRules(options)
        let names = try schema.names.map { try rules.quotedIfNeeded(Array($0.utf8)) }
        return Array(names.joined(separator: [options.delimiter])) + lineEnd
    }

    public func encode(_ batch: RecordBatch) throws -> Buffer {
        let rules = QuoteRules(options)
        let columns = try batch.columns.map { try ColumnFormatter.format($0, rules, null: Array(options.null.utf8)) }
        return withExtendedLifetime(batch) { lines(of: columns, count: batch.count) }
    }

    /// Puts the cells of each row after each other.
    private func lines(of columns: [FormattedColumn], count: Int) -> Buffer {
        defer { withExtendedLifetime(columns) {} }
        let lineEnd = lineEnd
        // A delimiter or a line end after every cell, and room for the last copy to write too far.
        let needed = columns.reduce(0) { $0 + $1.byteCount } + count * (columns.count + lineEnd.count) + 64
        let lines = MutableBuffer(capacity: needed)
        var target = lines.base
        columns.withUnsafeBufferPointer { columns in
            for row in 0..<count {
                for index in columns.indices {
                    let start = Int(columns[index].starts[row])
                    let length = Int(columns[index].ends[row]) &- start
                    let source = columns[index].base + start
                    // Cells are copied 32 bytes at a time; what is too much is overwritten by the next one.
                    var copied = 0
                    repeat {
                        target.storeBytes(
                            of: source.loadUnaligned(fromByteOffset: copied, as: SIMD32<UInt8>.self),
                            toByteOffset: copied, as: SIMD32<UInt8>.self)
                        copied &+= 32
                    } while copied < length
                    target.storeBytes(of: options.delimiter, toByteOffset: length, as: UInt8.self)
                    target += length &+ 1
                }
                // The line end takes the place of the last delimiter.
                if !columns.isEmpty { target -= 1 }
                for byte in lineEnd {
                    target.storeBytes(of: byte, as: UInt8.self)
                    target += 1
                }
            }
        }
        let byteCount = target - lines.base
        return lines.finish(byteCount: byteCount)
    }

    /// Nothing follows the last row.
    public func epilogue(for schema: Schema) throws -> [UInt8] { [] }
}
