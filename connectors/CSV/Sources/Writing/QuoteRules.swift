import HeadraceColumnar
import HeadraceCore

/// Tells which texts must stand in quotes and puts them there.
struct QuoteRules {
    private let delimiter: UInt8
    private let quote: UInt8?
    private let null: [UInt8]
    /// Whether a number could hold the delimiter or the quote or read as null.
    let concernsNumbers: Bool

    init(_ options: CSVWriteOptions) {
        delimiter = options.delimiter
        quote = options.quote
        null = Array(options.null.utf8)
        concernsNumbers =
            !options.null.isEmpty || Self.mayBeInNumber(options.delimiter)
            || options.quote.map(Self.mayBeInNumber) ?? false
    }

    private static func mayBeInNumber(_ byte: UInt8) -> Bool {
        let isLetter = (byte | 0x20) &- 0x61 < 26
        return byte &- 0x30 <= 9 || isLetter || byte == 0x2B || byte == 0x2D || byte == 0x2E || byte == 0x3A
    }

    /// The places of all delimiters, quotes and line ends in a text, in order.
    func specialPlaces(_ base: UnsafeRawPointer, _ count: Int) -> [Int] {
        let quote = quote ?? delimiter
        let (delimiters, quotes) = (ByteMask.all(delimiter), ByteMask.all(quote))
        let (feeds, returns) = (ByteMask.all(CSVDialect.lineFeed), ByteMask.all(CSVDialect.carriageReturn))
        var places: [Int] = []
        var place = 0
        while place &+ 64 <= count {
            let block = ByteMask.load(base, place)
            let marks = ByteMask.marks(
                ByteMask.mismatch(block, delimiters) & ByteMask.mismatch(block, quotes)
                    & ByteMask.mismatch(block, feeds) & ByteMask.mismatch(block, returns))
            if ByteMask.any(marks) {
                var bits = ByteMask.bits(marks)
                while bits != 0 {
                    places.append(place &+ bits.trailingZeroBitCount)
                    bits &= bits &- 1
                }
            }
            place &+= 64
        }
        while place < count {
            if isSpecial(base.load(fromByteOffset: place, as: UInt8.self)) { places.append(place) }
            place &+= 1
        }
        return places
    }

    private func isSpecial(_ byte: UInt8) -> Bool {
        byte == delimiter || byte == quote || byte == CSVDialect.lineFeed || byte == CSVDialect.carriageReturn
    }

    /// The text as a cell: in quotes when it is empty, reads as null or holds what would end it.
    func quotedIfNeeded(_ text: [UInt8]) throws(HeadraceError) -> [UInt8] {
        guard text.isEmpty || text == null || text.contains(where: isSpecial) else { return text }
        guard let quote else {
            throw HeadraceError(
                .unsupported, "a value needs quotes, and quote=none forbids them",
                hint: "allow quotes, or choose a delimiter that does not occur in the data")
        }
        var cell: [UInt8] = [quote]
        cell.reserveCapacity(text.count + 8)
        for byte in text {
            if byte == quote { cell.append(quote) }
            cell.append(byte)
        }
        cell.append(quote)
        return cell
    }
}
