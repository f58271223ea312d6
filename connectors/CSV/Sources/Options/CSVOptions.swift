/// What a reader of CSV is told; nil and `auto` are found out by looking at the text.
public struct CSVOptions: Sendable, Hashable {
    /// Whether the first record names the columns.
    public enum Header: String, Sendable, Hashable {
        /// The first record holds names.
        case present = "true"
        /// The first record is a row.
        case absent = "false"
        /// Judged by the schema, where there is one, and by the records below.
        case auto
    }

    /// The byte between fields; nil looks for `,`, `;`, tab and `|`.
    public var delimiter: UInt8?
    /// The byte around fields that hold delimiters or line ends; nil where quotes mean nothing.
    public var quote: UInt8?
    /// A byte that takes the next one literally, besides doubling the quote.
    public var escape: UInt8?
    /// What the first record is.
    public var header: Header
    /// How bytes beyond ASCII are to be understood.
    public var encoding: CSVEncoding
    /// Lines to pass over before the header, whatever they hold.
    public var skip: Int
    /// Unquoted texts that stand for null, beside the empty one.
    public var nulls: [String]
    /// Whether types are guessed from the values; without it every field is text.
    public var infersTypes: Bool
    /// A byte that makes a line a comment when it comes first.
    public var comment: UInt8?
    /// The most bytes a record may have.
    public var recordLimit: Int

    /// Options with RFC 4180's quotes, everything else found out.
    public init(
        delimiter: UInt8? = nil, quote: UInt8? = UInt8(ascii: "\""), escape: UInt8? = nil, header: Header = .auto,
        encoding: CSVEncoding = .utf8, skip: Int = 0, nulls: [String] = [], infersTypes: Bool = true,
        comment: UInt8? = nil, recordLimit: Int = 16 << 20
    ) {
        self.delimiter = delimiter
        self.quote = quote
        self.escape = escape
        self.header = header
        self.encoding = encoding
        self.skip = skip
        self.nulls = nulls
        self.infersTypes = infersTypes
        self.comment = comment
        self.recordLimit = recordLimit
    }

    /// The dialect as far as it is told.
    var dialect: CSVDialect {
        CSVDialect(
            delimiter: delimiter ?? UInt8(ascii: ","), quote: quote, escape: escape, comment: comment,
            encoding: encoding, nulls: nulls.map { Array($0.utf8) })
    }
}
