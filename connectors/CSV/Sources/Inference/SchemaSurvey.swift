import HeadraceColumnar
import HeadraceCore

/// Reads an object, or the start of a large one, for its layout and the types of its columns.
enum SchemaSurvey {
    /// Objects up to this size are read whole, counted after decompression.
    static let wholeBytes = 64 << 20
    /// What is read of larger ones.
    static let sampleBytes = 16 << 20

    static func survey(
        _ bytes: any ByteReader, byteCount: Int?, isSample: Bool, options: CSVOptions, limits: CSVLimits
    ) throws -> FormatDescription {
        var cutter = CSVCutter(bytes, limits: limits, recordsBefore: 0)
        guard
            let found = try LayoutFinder.find(&cutter, options: options, description: nil, schema: nil)
        else {
            throw HeadraceError(
                .malformedInput, "there is no record to tell the fields by",
                hint: "declare a schema with schema=FILE if the file may be empty")
        }
        var notes = found.notes
        var guesses = [TypeGuess](repeating: TypeGuess(), count: found.layout.names.count)
        let limit = byteCount.map { $0 > wholeBytes ? sampleBytes : wholeBytes } ?? wholeBytes
        var tally = Tally()
        var isWhole = !isSample
        if options.infersTypes {
            while let chunk = try cutter.next() {
                tally.add(chunk, found.layout)
                for column in guesses.indices { see(chunk, column, found.layout.dialect, &guesses[column]) }
                if cutter.byteOffset >= limit {
                    isWhole = false
                    break
                }
            }
            if !isWhole { notes.append("types are inferred from the first \(cutter.byteOffset) bytes") }
        }
        let fields = zip(found.layout.names, guesses).map { name, guess in
            Field(name, options.infersTypes ? guess.type : .utf8)
        }
        var description = FormatDescription(
            format: "csv", schema: Schema(fields), dialect: found.layout.description,
            encoding: options.encoding.rawValue, confidence: tally.lower(found.confidence), notes: notes + tally.notes)
        for (name, guess) in zip(found.layout.names, guesses) { description.numbers[name] = guess.numbers }
        return description
    }

    /// Counts what does not fit.
    private struct Tally {
        private var records = 0
        private var broken = 0
        private var hasBadUTF8 = false

        mutating func add(_ chunk: CSVChunk, _ layout: CSVLayout) {
            records += chunk.recordCount
            broken += chunk.broken.count
            if !chunk.isASCII && layout.dialect.encoding == .utf8 && !hasBadUTF8 {
                hasBadUTF8 = chunk.text.withBytes { bytes in
                    bytes.baseAddress.map { !UTF8Check.isValid($0, bytes.count) } ?? false
                }
            }
        }

        var notes: [String] {
            var notes: [String] = []
            if broken > 0 {
                notes.append("\(broken) of \(records) records have another number of fields or stray quotes")
            }
            if hasBadUTF8 { notes.append("some text is not UTF-8; encoding=windows-1252 or latin1 may be meant") }
            return notes
        }

        func lower(_ confidence: Double) -> Double {
            var confidence = confidence
            if broken > 0 { confidence *= 1 - Double(broken) / Double(records) }
            if hasBadUTF8 { confidence = min(confidence, 0.5) }
            return (confidence * 100).rounded() / 100
        }
    }

    /// Takes note of the values of one column of a chunk.
    private static func see(_ chunk: CSVChunk, _ column: Int, _ dialect: CSVDialect, _ guess: inout TypeGuess) {
        if guess.isText { return }
        let cells = ColumnCells(chunk, column: column, dialect: dialect, isRequired: false)
        var seen = guess
        for row in 0..<cells.rows {
            var start = cells.start(row)
            var end = cells.end(row)
            if start == end { continue }
            if cells.isQuoted(start, end) {
                start &+= 1
                if end > start { end &-= 1 }
            } else if !dialect.nulls.isEmpty, cells.isNullText(start, end) {
                continue
            }
            while start < end, isBlank(cells.byte(start)) { start &+= 1 }
            while start < end, isBlank(cells.byte(end &- 1)) { end &-= 1 }
            if start == end { continue }
            seen.see(cells.base + start, end &- start)
            if seen.isText { break }
        }
        guess = seen
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

/// Reads bytes in memory.
final class ArrayReader: ByteReader, @unchecked Sendable {
    // Invariant: used by one thread at a time, as `ByteReader` promises.
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, bytes.count - place)
        guard count > 0 else { return 0 }
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[place..<place + count])) }
        place += count
        return count
    }

    func close() {}
}
