/// Reads one record after the other, byte by byte, with every rule of a dialect: the meaning that the structural index
/// must agree with, and the way for text that the index cannot read.
///
/// A field that begins with a quote ends at the quote that closes it; what stands between that quote and the next
/// delimiter makes the record malformed. A quote elsewhere is an ordinary character. A line end (LF, CRLF or CR) outside
/// quotes ends the record.
struct RecordScanner {
    let base: UnsafeRawPointer
    /// The end of the text that is there.
    let end: Int
    let dialect: CSVDialect
    /// Whether nothing follows `end`.
    let isWhole: Bool
    /// Ends a quoted field at a line end, for text in which quotes have proved unreliable.
    var keepsQuotesWithinLines = false
    /// The ends of the fields of the record read last.
    private(set) var fieldEnds: [UInt32] = []
    /// The first line end inside quotes of that record: where its first line ends and the next begins.
    private(set) var firstLine: (end: Int, next: Int)?
    /// The line ends inside quotes of that record.
    private(set) var quotedLines = 0

    enum Outcome {
        /// A record that ends before `end`; the next begins at `next`.
        case record(end: Int, next: Int)
        case blank(next: Int)
        case comment(next: Int)
        /// Text follows a closing quote.
        case strayText(end: Int, next: Int)
        /// A quoted field is cut by the end of its line, where lines end quotes.
        case openQuote(end: Int, next: Int)
        /// The text ends before the record does.
        case incomplete(inQuote: Bool)
    }

    init(_ base: UnsafeRawPointer, end: Int, dialect: CSVDialect, isWhole: Bool) {
        self.base = base
        self.end = end
        self.dialect = dialect
        self.isWhole = isWhole
        fieldEnds.reserveCapacity(64)
    }

    /// Reads the record that begins at `start`, which lies before `end`.
    mutating func next(at start: Int) -> Outcome {
        fieldEnds.removeAll(keepingCapacity: true)
        firstLine = nil
        quotedLines = 0
        if let comment = dialect.comment, byte(start) == comment {
            guard let next = lineEnd(from: start)?.next else {
                return isWhole ? .comment(next: end) : .incomplete(inQuote: false)
            }
            return .comment(next: next)
        }
        var place = start
        var hasStrayText = false
        while true {
            if let quote = dialect.quote, place < end, byte(place) == quote {
                guard let closed = closingQuote(quote, from: place &+ 1) else {
                    if let firstLine, keepsQuotesWithinLines {
                        return .openQuote(end: firstLine.end, next: firstLine.next)
                    }
                    return .incomplete(inQuote: true)
                }
                place = closed
                if place < end, !isBoundary(byte(place)) { hasStrayText = true }
            }
            while place < end, !isBoundary(byte(place)) {
                place &+= byte(place) == dialect.escape && place &+ 1 < end ? 2 : 1
            }
            fieldEnds.append(UInt32(truncatingIfNeeded: place))
            guard place < end else {
                guard isWhole else { return .incomplete(inQuote: false) }
                return hasStrayText ? .strayText(end: end, next: end) : .record(end: end, next: end)
            }
            if byte(place) == dialect.delimiter {
                place &+= 1
                continue
            }
            guard let next = afterLineEnd(place) else { return .incomplete(inQuote: false) }
            if hasStrayText { return .strayText(end: place, next: next) }
            return place == start ? .blank(next: next) : .record(end: place, next: next)
        }
    }

    /// The first line end at or after `start`, quotes left aside; nil when it is not there or not whole yet.
    func lineEnd(from start: Int) -> (end: Int, next: Int)? {
        var place = start
        while place < end {
            if isLineEnd(byte(place)) { return afterLineEnd(place).map { (place, $0) } }
            place &+= 1
        }
        return nil
    }

    /// The place after the quote that closes a field whose text begins at `start`; nil when the text ends first, or
    /// the line where lines end quotes.
    private mutating func closingQuote(_ quote: UInt8, from start: Int) -> Int? {
        var place = start
        while place < end {
            let found = byte(place)
            if found == dialect.escape, found != quote {
                place &+= 2
            } else if found == quote {
                guard place &+ 1 < end else { return isWhole ? end : nil }
                guard byte(place &+ 1) == quote else { return place &+ 1 }
                place &+= 2
            } else if isLineEnd(found) {
                guard let next = afterLineEnd(place) else { return nil }
                if firstLine == nil { firstLine = (place, next) }
                if keepsQuotesWithinLines { return nil }
                quotedLines &+= 1
                place = next
            } else {
                place &+= 1
            }
        }
        return nil
    }

    @inline(__always) private func byte(_ place: Int) -> UInt8 { base.load(fromByteOffset: place, as: UInt8.self) }

    @inline(__always) private func isLineEnd(_ byte: UInt8) -> Bool {
        byte == CSVDialect.lineFeed || byte == CSVDialect.carriageReturn
    }

    @inline(__always) private func isBoundary(_ byte: UInt8) -> Bool {
        byte == dialect.delimiter || isLineEnd(byte)
    }

    /// The place after the line end at `place`; nil when a line feed may yet follow a carriage return.
    private func afterLineEnd(_ place: Int) -> Int? {
        guard byte(place) == CSVDialect.carriageReturn else { return place &+ 1 }
        guard place &+ 1 < end else { return isWhole ? end : nil }
        return byte(place &+ 1) == CSVDialect.lineFeed ? place &+ 2 : place &+ 1
    }
}
