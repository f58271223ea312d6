import HeadraceColumnar
import HeadraceCore

/// Cuts the bytes of one object into chunks of whole records.
///
/// Text whose quotes stand where they should is cut by the structural index; other text, and dialects that the index does
/// not know, by the record scanner. Both give the same records. Used by one thread at a time.
struct CSVCutter: ~Copyable {
    private let bytes: any ByteReader
    /// To be set before the first chunk is cut.
    var dialect = CSVDialect()
    /// Fields of a row; to be set before the first chunk is cut.
    var columns = 1
    let limits: CSVLimits

    private var text: MutableBuffer
    /// Bytes of text that are there.
    private var filled = 0
    /// Bytes of text that are to be there before it is cut.
    private var wanted: Int
    /// Where in the text the next record begins.
    private var start = 0
    private var hasEnded = false
    /// Whether the rest of a record that is too long is being dropped.
    private(set) var isDropping: Bool
    /// Whether carriage returns have been seen, so that the index looks for them at once.
    private var expectsReturns = false
    private var expectedEntries = 0

    /// The byte of the object at which the text begins.
    private var textOffset: Int
    /// The line on which the next record begins.
    private(set) var line: Int
    /// Records of the source that were cut.
    private(set) var recordCount: Int

    /// A cutter over bytes that begin at `byteOffset` of their object, on line `line`.
    ///
    /// - Parameter isDropping: whether they begin inside a record that is too long, the rest of which is to be dropped.
    init(
        _ bytes: any ByteReader, limits: CSVLimits, byteOffset: Int = 0, line: Int = 1, isDropping: Bool = false,
        recordsBefore: Int
    ) {
        self.bytes = bytes
        self.limits = CSVLimits(
            chunkBytes: limits.chunkBytes, maximumRecordBytes: max(limits.maximumRecordBytes, limits.chunkBytes))
        self.isDropping = isDropping
        self.line = line
        textOffset = byteOffset
        recordCount = recordsBefore
        wanted = limits.chunkBytes
        text = MutableBuffer(capacity: wanted)
    }

    /// The byte of the object at which the next record begins.
    var byteOffset: Int { textOffset + start }

    /// The next chunk, nil at the end of the object.
    mutating func next() throws -> CSVChunk? {
        while true {
            try fill()
            if isDropping && !dropLine() { continue }
            guard start < filled else {
                if hasEnded { return nil }
                continue
            }
            var outcome = Attempt.unfit
            if dialect.isIndexable { outcome = cutByIndex() }
            if case .unfit = outcome { outcome = cutByScanning() }
            switch outcome {
            case .chunk(let chunk): return chunk
            case .nothing: continue
            case .needsMore, .unfit: wantMore()
            }
        }
    }

    private enum Attempt {
        case chunk(CSVChunk)
        /// Only blank lines or comments were passed.
        case nothing
        /// The text holds no whole record.
        case needsMore
        /// The index cannot read this text.
        case unfit
    }

    // MARK: - Text

    /// Reads until the text is full or the object ends.
    private mutating func fill() throws {
        while !hasEnded && filled < wanted {
            let room = UnsafeMutableRawBufferPointer(start: text.base + filled, count: wanted - filled)
            let got = try bytes.read(into: room)
            if got == 0 { hasEnded = true }
            filled += got
        }
        // Blocks are read whole: what follows the text must not look like a delimiter.
        (text.base + filled).initializeMemory(as: UInt8.self, repeating: 0, count: 64)
    }

    /// Makes room for a record that is longer than the text, up to one byte beyond the limit.
    private mutating func wantMore() {
        wanted = min(wanted * 2, start + limits.maximumRecordBytes + 1)
        text.reserve(wanted, keeping: filled)
    }

    /// Whether the next record is longer than allowed as far as it is there.
    private var isBeyondLimit: Bool { filled - start > limits.maximumRecordBytes }

    /// Hands the text up to `cut` over and keeps the rest for the next chunk.
    private mutating func takeText(to cut: Int) -> Buffer {
        let rest = filled - cut
        wanted = max(limits.chunkBytes, rest)
        var fresh = MutableBuffer(capacity: wanted)
        fresh.base.copyMemory(from: text.base + cut, byteCount: rest)
        swap(&fresh, &text)
        textOffset += cut
        filled = rest
        start = 0
        return fresh.finish(byteCount: cut)
    }

    /// Drops the rest of a line that is too long; false when it goes on.
    private mutating func dropLine() -> Bool {
        let scanner = RecordScanner(text.base, end: filled, dialect: dialect, isWhole: hasEnded)
        let next = scanner.lineEnd(from: start)?.next
        if next != nil || hasEnded {
            isDropping = false
            line += 1
            start = next ?? filled
            return true
        }
        // A carriage return at the very end stays, since a line feed may follow it.
        let kept = text.base.load(fromByteOffset: filled - 1, as: UInt8.self) == CSVDialect.carriageReturn ? 1 : 0
        _ = takeText(to: filled - kept)
        return false
    }

    /// Shows the next bytes without taking them: at least `count`, or all that there are.
    mutating func lookAhead<Result>(
        _ count: Int, _ body: (UnsafeRawBufferPointer, _ isWhole: Bool) throws -> Result
    ) throws -> Result {
        if start + count > wanted {
            wanted = start + count
            text.reserve(wanted, keeping: filled)
        }
        try fill()
        return try body(UnsafeRawBufferPointer(start: text.base + start, count: filled - start), hasEnded)
    }

    /// Takes `bytes` bytes that have been looked at, with `lines` line ends in them.
    mutating func pass(bytes: Int, lines: Int) {
        precondition(bytes <= filled - start, "bytes passed that were not looked at")
        start += bytes
        line += lines
    }

    // MARK: - By index

    private mutating func cutByIndex() -> Attempt {
        var index = StructuralIndex(capacity: max(expectedEntries, (filled - start) / 16))
        index.build(
            text.base, from: start, to: filled, delimiter: dialect.delimiter, quote: dialect.quote,
            withCarriageReturns: expectsReturns)
        if index.hasCarriageReturn && !expectsReturns {
            expectsReturns = true
            index.build(
                text.base, from: start, to: filled, delimiter: dialect.delimiter, quote: dialect.quote,
                withCarriageReturns: true)
        }
        if index.hasMisuse { return .unfit }
        guard let cut = lastRecordEnd(&index) else {
            return hasEnded || isBeyondLimit ? .unfit : .needsMore
        }
        expectedEntries = index.count + index.count / 8
        let isASCII = index.isASCII
        let quotedLines = index.quotedLineFeeds
        if !index.hasCarriageReturn, cut - start <= limits.maximumRecordBytes, isRegular(index) {
            let rows = index.count / columns
            // What lies between the cut and the end is one unfinished record: its line feeds are all quoted.
            let lines = rows + quotedLines - StructuralIndex.lineEnds(text.base, from: min(cut, filled), to: filled)
            return .chunk(
                chunk(
                    cells: index.finish(), stride: columns, rows: rows, broken: [], records: nil, isASCII: isASCII,
                    cut: min(cut, filled), lines: lines, hasLineARecord: quotedLines == 0))
        }
        var table = CellTable(columns: columns, capacity: index.count, limit: limits.maximumRecordBytes)
        table.fill(from: index, text: text.base, delimiter: dialect.delimiter)
        return finish(&table, isASCII: isASCII, cut: min(cut, filled))
    }

    /// Cuts the index after the last whole record and gives the place after it; nil when there is none.
    private mutating func lastRecordEnd(_ index: inout StructuralIndex) -> Int? {
        if hasEnded && !index.endsInQuote {
            let last = index.count == 0 ? start - 1 : Int(index.positions[index.count])
            let isTerminated = last == filled - 1 && index.count > 0 && byte(last) != dialect.delimiter
            if !isTerminated {
                // The padding takes a line end, so that the last record looks like all others.
                text.base.storeBytes(of: CSVDialect.lineFeed, toByteOffset: filled, as: UInt8.self)
                index.append(filled)
            }
            return filled
        }
        var last = index.count
        while last > 0 {
            let position = Int(index.positions[last])
            let found = byte(position)
            let mayGoOn = found == CSVDialect.carriageReturn && position == filled - 1
            if found != dialect.delimiter && !mayGoOn {
                index.truncate(to: last)
                return position + 1
            }
            last -= 1
        }
        return nil
    }

    /// Whether every record has the right number of fields and none is blank, so that the index is the cell table.
    private func isRegular(_ index: borrowing StructuralIndex) -> Bool {
        guard index.count % columns == 0 else { return false }
        let positions = index.positions
        let base = text.base
        var entry = 1
        var wrong: UInt8 = 0
        for _ in 0..<index.count / columns {
            for _ in 0..<columns &- 1 {
                wrong |= base.load(fromByteOffset: Int(positions[entry]), as: UInt8.self) ^ dialect.delimiter
                entry &+= 1
            }
            wrong |= base.load(fromByteOffset: Int(positions[entry]), as: UInt8.self) ^ CSVDialect.lineFeed
            entry &+= 1
        }
        return wrong == 0
    }

    private func byte(_ place: Int) -> UInt8 { text.base.load(fromByteOffset: place, as: UInt8.self) }

    // MARK: - By scanning

    /// How often a multi-line record may turn out broken before quotes are kept within lines to the end of the text.
    ///
    /// Each time the lines after its first are read again, which hostile text could make happen at every line.
    private static let recoveryLimit = 16

    private mutating func cutByScanning() -> Attempt {
        var table = CellTable(
            columns: columns, capacity: (filled - start) / 16, limit: limits.maximumRecordBytes)
        var scanner = RecordScanner(text.base, end: filled, dialect: dialect, isWhole: hasEnded)
        var place = start
        var recoveries = 0
        scanning: while place < filled {
            let outcome = scanner.next(at: place)
            if recoveries > Self.recoveryLimit { scanner.keepsQuotesWithinLines = true }
            switch outcome {
            case .record(let end, let next):
                table.append(place, scanner.fieldEnds, end: end)
                place = next
            case .blank(let next):
                if columns == 1 { table.append(place, scanner.fieldEnds, end: place) }
                place = next
            case .comment(let next): place = next
            case .openQuote(let end, let next):
                table.append(broken: .openQuote, place, end)
                place = next
            case .strayText(let end, let next):
                // The quote that was never closed is on the first line; the others may be sound records.
                let first = scanner.firstLine
                if first != nil { recoveries += 1 }
                table.append(broken: .strayText, place, first?.end ?? end)
                place = first?.next ?? next
            case .incomplete(let inQuote):
                let isTooLong = filled - place > limits.maximumRecordBytes
                guard hasEnded || isTooLong else { break scanning }
                recoveries += 1
                if let first = scanner.lineEnd(from: place) {
                    table.append(broken: inQuote ? .openQuote : .tooLong, place, first.end)
                    place = first.next
                } else if hasEnded {
                    table.append(broken: .openQuote, place, filled)
                    place = filled
                } else {
                    table.append(broken: .tooLong, place, min(place + Self.keptOfLongRecord, filled))
                    isDropping = true
                    place = filled
                }
            }
        }
        guard place > start else { return .needsMore }
        let lines = StructuralIndex.lineEnds(text.base, from: start, to: place)
        return finish(&table, isASCII: false, cut: place, lines: lines)
    }

    /// The bytes of a record beyond the limit that its reject keeps.
    private static let keptOfLongRecord = 64 << 10

    private mutating func finish(
        _ table: inout CellTable, isASCII: Bool, cut: Int, lines: Int? = nil
    ) -> Attempt {
        let lines = lines ?? StructuralIndex.lineEnds(text.base, from: start, to: cut)
        if table.rows == 0 && table.broken.isEmpty {
            line += lines
            _ = takeText(to: cut)
            return .nothing
        }
        let (cells, rows) = table.takeCells()
        return .chunk(
            chunk(
                cells: cells, stride: columns + 1, rows: rows, broken: table.broken,
                records: table.broken.isEmpty ? nil : table.records, isASCII: isASCII, cut: cut, lines: lines))
    }

    private mutating func chunk(
        cells: Buffer, stride: Int, rows: Int, broken: [BrokenRecord], records: [Int32]?, isASCII: Bool, cut: Int,
        lines: Int, hasLineARecord: Bool = false
    ) -> CSVChunk {
        let (offset, firstLine, before) = (textOffset, line, recordCount)
        // Lines are counted from the first record, which need not be where the text begins.
        let skipped = start > 0 ? StructuralIndex.lineEnds(text.base, from: 0, to: start) : 0
        line += lines
        recordCount += rows + broken.count
        return CSVChunk(
            text: takeText(to: cut), cells: cells, stride: stride, columns: columns, rows: rows, broken: broken,
            records: records, isASCII: isASCII, byteOffset: offset, firstLine: firstLine - skipped,
            firstRecordLine: hasLineARecord ? firstLine : nil, recordsBefore: before)
    }

    func close() { bytes.close() }
}
