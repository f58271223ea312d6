import HeadraceColumnar

/// Tells which texts must stand in quotes.
struct QuoteRules {
    private let delimiter: UInt8
    private let quote: UInt8
    private let null: [UInt8]

    init(_ options: CSVWriteOptions) {
        delimiter = options.delimiter
        quote = options.quote ?? UInt8(ascii: "\"")
        null = Array(options.null.utf8)
    }

    /// Whether any cell of a text column that is not empty may need quotes.
    func areNeeded(anywhereIn column: ColumnVector) -> Bool {
        if !null.isEmpty { return true }
        let view = column.unsafeView
        let start = Int(view.textOffset(0))
        return withExtendedLifetime(column) {
            containsSpecial(view.textBase + start, Int(view.textOffset(column.count)) - start)
        }
    }

    /// Whether a text must stand in quotes: it is empty, reads as null, or holds a delimiter, quote or line end.
    func areNeeded(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        count == 0 || containsSpecial(base, count)
            || count == null.count && null.elementsEqual(UnsafeRawBufferPointer(start: base, count: count))
    }

    private func containsSpecial(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        var place = 0
        if count >= 64 {
            let (delimiters, quotes) = (ByteMask.all(delimiter), ByteMask.all(quote))
            let (feeds, returns) = (ByteMask.all(CSVDialect.lineFeed), ByteMask.all(CSVDialect.carriageReturn))
            while place &+ 64 <= count {
                let block = ByteMask.load(base, place)
                let mismatch =
                    ByteMask.mismatch(block, delimiters) & ByteMask.mismatch(block, quotes)
                    & ByteMask.mismatch(block, feeds) & ByteMask.mismatch(block, returns)
                if ByteMask.any(ByteMask.marks(mismatch)) { return true }
                place &+= 64
            }
        }
        while place < count {
            let byte = base.load(fromByteOffset: place, as: UInt8.self)
            if byte == delimiter || byte == quote || byte == CSVDialect.lineFeed || byte == CSVDialect.carriageReturn {
                return true
            }
            place &+= 1
        }
        return false
    }
}
