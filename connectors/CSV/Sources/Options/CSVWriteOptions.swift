/// How CSV is written.
public struct CSVWriteOptions: Sendable, Hashable {
    /// The byte between fields.
    public var delimiter: UInt8
    /// The byte around fields that need it; nil refuses values that would need quotes.
    public var quote: UInt8?
    /// Whether the first line names the columns.
    public var hasHeader: Bool
    /// What a null is written as; a text that reads the same is put in quotes.
    public var null: String
    /// Whether lines end with CRLF rather than LF.
    public var endsLinesWithCRLF: Bool

    /// RFC 4180 with LF as the line end, unless told otherwise.
    public init(
        delimiter: UInt8 = UInt8(ascii: ","), quote: UInt8? = UInt8(ascii: "\""), hasHeader: Bool = true,
        null: String = "", endsLinesWithCRLF: Bool = false
    ) {
        self.delimiter = delimiter
        self.quote = quote
        self.hasHeader = hasHeader
        self.null = null
        self.endsLinesWithCRLF = endsLinesWithCRLF
    }
}
