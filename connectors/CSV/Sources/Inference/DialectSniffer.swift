import HeadraceColumnar

/// Finds delimiter and escape by trying each on the start of an object and judging the records that come out.
struct DialectSniffer {
    struct Finding {
        var dialect: CSVDialect
        /// 0 to 1.
        var confidence: Double
        /// The most frequent number of fields.
        var fields: Int
        var notes: [String]
    }

    /// Records that are looked at.
    private static let recordCount = 200
    private static let candidates: [UInt8] = [0x2C, 0x3B, 0x09, 0x7C]

    private struct Trial {
        var delimiter: UInt8
        /// The most frequent number of fields.
        var fields: Int
        /// The part of the records that have it.
        var consistency: Double
        /// Records whose quotes are out of place.
        var broken: Int
        var score: Double
    }

    /// What options leave open is found in `bytes`, the start of the text after byte order mark and skipped lines.
    static func sniff(_ bytes: UnsafeRawBufferPointer, isWhole: Bool, options: CSVOptions) -> Finding {
        var dialect = options.dialect
        var notes: [String] = []
        let plain = trials(bytes, isWhole, dialect, options)
        var best = plain[0]
        var runnerUp = plain.dropFirst().first
        if options.escape == nil, dialect.quote != nil, best.broken > 0 {
            var escaped = dialect
            escaped.escape = UInt8(ascii: "\\")
            let other = trials(bytes, isWhole, escaped, options)
            if other[0].broken == 0 && other[0].fields > 1 || other[0].score > best.score + 0.2 {
                dialect = escaped
                best = other[0]
                runnerUp = other.dropFirst().first
                notes.append("quotes are escaped by a backslash")
            }
        }
        dialect.delimiter = best.delimiter
        if options.delimiter != nil {
            return Finding(dialect: dialect, confidence: 1, fields: best.fields, notes: notes)
        }
        if let runnerUp, runnerUp.fields > 1 {
            notes.append(
                "the runner-up delimiter is \(CSVLayout.shown(runnerUp.delimiter)), with \(runnerUp.fields) fields in "
                    + "\(percent(runnerUp.consistency)) of the records")
        }
        if best.fields == 1 { notes.append("no delimiter was found: every record is one field") }
        // A runner-up that splits every record as evenly leaves some doubt, one that splits none leaves none.
        let rival = runnerUp.map { $0.fields > 1 ? $0.consistency : 0 } ?? 0
        let confidence = best.fields == 1 ? 0.5 : best.consistency * (1 - 0.4 * rival)
        return Finding(
            dialect: dialect, confidence: (confidence * 100).rounded() / 100, fields: best.fields, notes: notes)
    }

    private static func percent(_ part: Double) -> String { "\(Int((part * 100).rounded())) %" }

    /// The trials, best first.
    private static func trials(
        _ bytes: UnsafeRawBufferPointer, _ isWhole: Bool, _ dialect: CSVDialect, _ options: CSVOptions
    ) -> [Trial] {
        let delimiters =
            options.delimiter.map { [$0] } ?? candidates.filter { $0 != dialect.quote && $0 != dialect.comment }
        let trials = delimiters.map { delimiter in
            var dialect = dialect
            dialect.delimiter = delimiter
            return trial(bytes, isWhole, dialect)
        }
        // Among equals the more usual delimiter stays first.
        return trials.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
            .map(\.element)
    }

    private static func trial(_ bytes: UnsafeRawBufferPointer, _ isWhole: Bool, _ dialect: CSVDialect) -> Trial {
        var counts: [Int: Int] = [:]
        var broken = 0
        var bare = 0
        var records = 0
        if let base = bytes.baseAddress {
            var scanner = RecordScanner(base, end: bytes.count, dialect: dialect, isWhole: isWhole)
            var place = 0
            scanning: while place < bytes.count, records < recordCount {
                switch scanner.next(at: place) {
                case .record(_, let next):
                    counts[scanner.fieldEnds.count, default: 0] += 1
                    if hasBareQuote(base, place, scanner.fieldEnds, dialect.quote) { bare += 1 }
                    records += 1
                    place = next
                case .blank(let next), .comment(let next): place = next
                case .strayText(_, let next), .openQuote(_, let next):
                    broken += 1
                    records += 1
                    place = scanner.firstLine?.next ?? next
                case .incomplete(let inQuote):
                    if inQuote && isWhole { broken += 1 }
                    break scanning
                }
            }
        }
        let mode = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
        let whole = Double(max(records, 1))
        // Quotes in the middle of fields are what a wrong delimiter makes of quoted ones.
        let consistency = Double(mode?.value ?? 0) / whole * (1 - 0.8 * Double(bare) / whole)
        let fields = mode?.key ?? 1
        // More fields are a little more convincing; one field, which any wrong delimiter gives, convinces nobody.
        let score = fields == 1 ? 0 : consistency * (1 - 0.25 / Double(fields))
        return Trial(
            delimiter: dialect.delimiter, fields: fields, consistency: consistency, broken: broken, score: score)
    }

    /// Whether a field that does not begin with a quote holds one.
    private static func hasBareQuote(
        _ base: UnsafeRawPointer, _ start: Int, _ ends: [UInt32], _ quote: UInt8?
    ) -> Bool {
        guard let quote else { return false }
        var start = start
        for end in ends {
            let field = UnsafeRawBufferPointer(start: base + start, count: Int(end) - start)
            if let first = field.first, first != quote, field.contains(quote) { return true }
            start = Int(end) + 1
        }
        return false
    }
}
