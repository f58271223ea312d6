import HeadraceColumnar
import HeadraceCore

/// Finds the layout at the start of an object and leaves its cutter at the first row.
enum LayoutFinder {
    struct Finding {
        var layout: CSVLayout
        var confidence: Double
        var notes: [String]
    }

    /// How much of the text dialect and header are judged by.
    private static let lookedAt = 128 << 10

    /// - Parameters:
    ///   - description: what was found when the same object was looked at before.
    ///   - schema: the fields that rows are wanted for, when they are known; a header is recognised by their names.
    /// - Returns: nil when the object has no record at all.
    static func find(
        _ cutter: inout CSVCutter, options: CSVOptions, description: FormatDescription?, schema: Schema?
    ) throws -> Finding? {
        try cutter.passByteOrderMark()
        try cutter.passLines(options.skip)
        var options = options
        if options.delimiter == nil { options.delimiter = try passDelimiterLine(&cutter) }
        if let description {
            let (dialect, hasHeader) = CSVLayout.dialect(in: description, options: options)
            return try finish(&cutter, dialect, hasHeader, Finding(dialect, description.confidence))
        }
        let (found, evidence) = try cutter.lookAhead(lookedAt) { bytes, isWhole in
            let found = DialectSniffer.sniff(bytes, isWhole: isWhole, options: options)
            return (found, HeaderEvidence(bytes, isWhole: isWhole, dialect: found.dialect, schema: schema))
        }
        var finding = Finding(found.dialect, found.confidence)
        finding.notes = found.notes
        let hasHeader: Bool
        switch options.header {
        case .present: hasHeader = true
        case .absent: hasHeader = false
        case .auto:
            hasHeader = evidence.isHeader
            if !evidence.isSure {
                finding.confidence = min(finding.confidence, 0.7)
                finding.notes.append(
                    hasHeader
                        ? "the first record is taken for the header, though all columns are text"
                        : "the first record is taken for a row, since it does not look like a header")
            }
        }
        return try finish(&cutter, found.dialect, hasHeader, finding, fields: found.fields)
    }

    private static func finish(
        _ cutter: inout CSVCutter, _ dialect: CSVDialect, _ hasHeader: Bool, _ finding: Finding, fields: Int? = nil
    ) throws -> Finding? {
        cutter.dialect = dialect
        guard let first = try cutter.readRecord(consuming: hasHeader) else { return nil }
        var finding = finding
        if hasHeader {
            let (names, notes) = CSVLayout.names(of: first, encoding: dialect.encoding)
            finding.layout = CSVLayout(dialect: dialect, names: names, hasHeader: true)
            finding.notes += notes
        } else {
            let names = CSVLayout.numberedNames(max(fields ?? first.count, 1))
            finding.layout = CSVLayout(dialect: dialect, names: names, hasHeader: false)
        }
        cutter.columns = finding.layout.names.count
        return finding
    }

    /// Passes a first line such as `sep=;`, which spreadsheets write, and gives its delimiter.
    static func passDelimiterLine(_ cutter: inout CSVCutter) throws -> UInt8? {
        let head = try cutter.lookAhead(7) { bytes, _ in Array(bytes.prefix(7)) }
        guard head.count >= 6, head.starts(with: Array("sep=".utf8)), head[5] == 0x0A || head[5] == 0x0D else {
            return nil
        }
        try cutter.passLines(1)
        return head[4]
    }
}

extension LayoutFinder.Finding {
    fileprivate init(_ dialect: CSVDialect, _ confidence: Double) {
        self.init(
            layout: CSVLayout(dialect: dialect, names: [], hasHeader: false), confidence: confidence, notes: [])
    }
}

/// Whether the first record is a header, judged by the records after it.
struct HeaderEvidence {
    let isHeader: Bool
    /// Whether values prove it, rather than their absence.
    let isSure: Bool

    private static let recordCount = 200

    init(_ bytes: UnsafeRawBufferPointer, isWhole: Bool, dialect: CSVDialect, schema: Schema?) {
        var header: [[UInt8]]?
        var guesses: [TypeGuess] = []
        var rows = 0
        if let base = bytes.baseAddress {
            var scanner = RecordScanner(base, end: bytes.count, dialect: dialect, isWhole: isWhole)
            var place = 0
            scanning: while place < bytes.count, rows < Self.recordCount {
                let start = place
                switch scanner.next(at: place) {
                case .blank(let next), .comment(let next), .strayText(_, let next), .openQuote(_, let next):
                    place = next
                case .record(_, let next):
                    place = next
                    if header == nil {
                        header = Self.fields(base, start, scanner.fieldEnds, dialect)
                        guesses = Array(repeating: TypeGuess(), count: header?.count ?? 0)
                    } else if scanner.fieldEnds.count == guesses.count {
                        rows += 1
                        for (column, cell) in Self.fields(base, start, scanner.fieldEnds, dialect).enumerated() {
                            Self.see(cell, &guesses[column])
                        }
                    }
                case .incomplete: break scanning
                }
            }
        }
        let names = (header ?? []).map { String(decoding: $0, as: UTF8.self) }
        if let schema, names.contains(where: { schema.index(of: $0) != nil }) {
            (isHeader, isSure) = (true, true)
            return
        }
        var headerGuesses: [TypeGuess] = []
        for cell in header ?? [] {
            var guess = TypeGuess()
            Self.see(cell, &guess)
            headerGuesses.append(guess)
        }
        // A value that is no text speaks against a header, a column of such values below a text for it.
        if headerGuesses.contains(where: { !$0.isEmpty && !$0.isText }) {
            (isHeader, isSure) = (false, true)
            return
        }
        if zip(headerGuesses, guesses).contains(where: { $0.isText && !$1.isEmpty && !$1.isText }) {
            (isHeader, isSure) = (true, true)
            return
        }
        isHeader = !names.isEmpty && !names.contains("") && Set(names).count == names.count
        isSure = false
    }

    private static func fields(
        _ base: UnsafeRawPointer, _ start: Int, _ ends: [UInt32], _ dialect: CSVDialect
    ) -> [[UInt8]] {
        var start = start
        return ends.map { end in
            defer { start = Int(end) + 1 }
            return CellText.contents(base, start, Int(end), dialect)
        }
    }

    private static func see(_ cell: [UInt8], _ guess: inout TypeGuess) {
        guard !cell.isEmpty else { return }
        cell.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { guess.see(base, bytes.count) }
        }
    }
}
