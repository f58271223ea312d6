import HeadraceColumnar
import HeadraceCore

/// Puts cells one after the other into lines.
struct CSVRowWriter: ~Copyable {
    private var buffer: MutableBuffer
    private var used = 0
    private let delimiter: UInt8
    private let quote: UInt8?
    private let null: [UInt8]
    private let endsWithCRLF: Bool
    private let rules: QuoteRules
    /// Whether numbers too may need quotes: the delimiter or the text for null could be part of one.
    private let checksNumbers: Bool

    init(_ options: CSVWriteOptions, capacity: Int) {
        buffer = MutableBuffer(capacity: capacity)
        delimiter = options.delimiter
        quote = options.quote
        null = Array(options.null.utf8)
        endsWithCRLF = options.endsLinesWithCRLF
        rules = QuoteRules(options)
        checksNumbers = !null.isEmpty || Self.mayBeInNumber(delimiter) || quote.map(Self.mayBeInNumber) ?? false
    }

    private static func mayBeInNumber(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 < 26 || byte == 0x2B || byte == 0x2D || byte == 0x2E || byte == 0x3A
    }

    /// Bytes written so far.
    var count: Int { used }

    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: buffer.base, count: used)) }

    consuming func finish() -> Buffer { buffer.finish(byteCount: used) }

    /// Writes rows `0..<count` of the columns that `writers` were made for.
    mutating func write(_ writers: [CellWriter], _ columns: [ColumnVector], count: Int) throws {
        for row in 0..<count {
            for index in writers.indices { try writeCell(writers[index], columns[index], row) }
            endRow()
        }
    }

    /// Writes one cell and the delimiter after it.
    @inline(__always)
    mutating func writeCell(_ writer: borrowing CellWriter, _ column: ColumnVector, _ row: Int) throws {
        guard writer.view.isValid(row) else { return writeNull() }
        switch writer.kind {
        case .plainText:
            let text = writer.view.bytes(row)
            guard text.count > 0, let source = text.baseAddress else { return try writeQuoted([]) }
            copy(source, text.count)
        case .text: try writeText(writer.view.bytes(row))
        case .dictionary:
            writer.cells?.withCell(writer.view.key(row)) { cell, count in copy(cell, count) }
        case .binary: try writeText(hexadecimal(writer.view.bytes(row)))
        case .nested: try writeText(Array(RowText.value(column.scalar(at: row), column.type).compactText.utf8))
        default:
            reserve(writer.room)
            let length = writer.write(row, to: buffer.base + used)
            if checksNumbers, rules.areNeeded(buffer.base + used, length) {
                try writeQuoted(Array(UnsafeRawBufferPointer(start: buffer.base + used, count: length)))
            } else {
                used &+= length
                endCell()
            }
        }
    }

    private func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: bytes.count * 2 + 2) { buffer, count in
            count = buffer.baseAddress.map { HexText.write(bytes, to: UnsafeMutableRawPointer($0)) } ?? 0
        }
    }

    /// Writes a text, in quotes where it needs them, and the delimiter after it.
    mutating func writeText(_ text: [UInt8]) throws { try text.withUnsafeBytes { try writeText($0) } }

    private mutating func writeText(_ text: UnsafeRawBufferPointer) throws {
        guard let base = text.baseAddress, !rules.areNeeded(base, text.count) else { return try writeQuoted(text) }
        copy(base, text.count)
    }

    private mutating func writeQuoted(_ text: [UInt8]) throws { try text.withUnsafeBytes { try writeQuoted($0) } }

    @inline(never)
    private mutating func writeQuoted(_ text: UnsafeRawBufferPointer) throws {
        guard let quote else {
            throw HeadraceError(
                .unsupported, "a value needs quotes, and quote=none forbids them",
                hint: "allow quotes, or choose a delimiter that does not occur in the data")
        }
        reserve(text.count &* 2 &+ 2)
        append(quote)
        for byte in text {
            if byte == quote { append(quote) }
            append(byte)
        }
        append(quote)
        endCell()
    }

    private mutating func writeNull() {
        reserve(null.count)
        for byte in null { append(byte) }
        endCell()
    }

    /// Takes back the delimiter after the last cell.
    mutating func dropDelimiter() { used &-= 1 }

    /// Turns the delimiter after the last cell into a line end.
    @inline(__always)
    mutating func endRow() {
        used &-= 1
        if endsWithCRLF { append(CSVDialect.carriageReturn) }
        append(CSVDialect.lineFeed)
    }

    /// Copies a cell 32 bytes at a time and ends it.
    @inline(__always)
    private mutating func copy(_ source: UnsafeRawPointer, _ count: Int) {
        reserve(count)
        // Sources have 64 readable bytes after them only in memory of ours, so the last piece is copied by its length.
        (buffer.base + used).copyMemory(from: source, byteCount: count)
        used &+= count
        endCell()
    }

    /// Makes room for a cell of up to `count` bytes, a delimiter and a line end.
    @inline(__always)
    private mutating func reserve(_ count: Int) {
        if used &+ count &+ 4 > buffer.capacity { buffer.reserve(used &+ count &+ 4, keeping: used) }
    }

    @inline(__always)
    private mutating func append(_ byte: UInt8) {
        buffer.base.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    @inline(__always)
    private mutating func endCell() { append(delimiter) }
}
