public import HeadraceColumnar

/// A way to write rows as bytes: CSV, JSON, XML, HTML. Works over every carrier and codec.
public protocol Format: Sendable {
    /// What cuts and decodes one object of this format.
    associatedtype Reader: FormatReader
    /// `csv`, `json` …
    var name: String { get }
    /// What a look at the start of an object finds: dialect, encoding and fields.
    /// - Parameter sample: the first bytes, decompressed; `isWhole` when there are no more.
    func describe(_ sample: ByteSample) throws -> FormatDescription
    /// How much of an object `describe` wants to see, in bytes.
    var sampleSize: Int { get }
    /// What `describe` finds, found by reading as much of an object as the format likes; asked first where the carrier
    /// can open the object again.
    /// - Returns: nil, with nothing read, when a sample is enough for this format.
    func survey(_ object: ByteObject, _ bytes: any ByteReader) throws -> FormatDescription?
    /// Opens one object for rows of `schema`.
    /// - Parameter start: where in the object to begin; nil is its start.
    func openReader(_ input: FormatInput, for schema: Schema, from start: JSONValue?, in context: RunContext) throws
        -> Reader
}

extension Format {
    /// Reads nothing and gives nil: a sample is enough.
    public func survey(_ object: ByteObject, _ bytes: any ByteReader) throws -> FormatDescription? { nil }
}

/// The start of an object.
public struct ByteSample: Sendable {
    /// The object that the bytes begin; its `contentType` may name a charset.
    public let object: ByteObject
    /// The first `Format.sampleSize` bytes, decompressed; fewer only when the object ends before.
    public let bytes: [UInt8]
    /// Whether `bytes` is the whole object.
    public let isWhole: Bool

    /// A sample for `Format.describe(_:)`, from a carrier or, to try a format out, from bytes in memory.
    public init(object: ByteObject, bytes: [UInt8], isWhole: Bool) {
        self.object = object
        self.bytes = bytes
        self.isWhole = isWhole
    }
}

/// What a format found out about an object, with how sure it is and why.
public struct FormatDescription: Sendable {
    /// The `name` of the format that looked.
    public var format: String
    /// The fields found, with the types inferred for them; what a run reads when the job declares none.
    public var schema: Schema
    /// The dialect as names and values in a stable order: delimiter, quote, header …
    public var dialect: [(name: String, value: String)]
    /// The character encoding of the bytes as the format names it: `utf-8`, `windows-1252`.
    public var encoding: String
    /// 0 to 1.
    public var confidence: Double
    /// The runner-up and other findings, one sentence each.
    public var notes: [String]
    /// The numbers that were seen in columns of nothing else, by the columns' names.
    package var numbers: [String: SeenNumbers] = [:]

    /// A description. The default `confidence` of 1 is for what cannot be otherwise.
    public init(
        format: String, schema: Schema, dialect: [(name: String, value: String)] = [], encoding: String = "utf-8",
        confidence: Double = 1, notes: [String] = []
    ) {
        self.format = format
        self.schema = schema
        self.dialect = dialect
        self.encoding = encoding
        self.confidence = confidence
        self.notes = notes
    }
}

/// One opened object and what the reader must know about where it stands.
public struct FormatInput: Sendable {
    /// The decompressed bytes, from the byte that the member `offset` of `openReader`'s start names, else from the first.
    public let bytes: any ByteReader
    /// The object that `bytes` belong to, for places, charsets and messages.
    public let object: ByteObject
    /// The source's name as the places of its rows give it.
    public let source: String
    /// The stream that every batch of the object carries.
    public let stream: StreamID
    /// Rows of the source before this object.
    public let rowsBefore: Int
    /// What `describe` found when the source looked at the object, nil when the caller gave schema and dialect.
    public let description: FormatDescription?

    /// An opened object for `Format.openReader`; the caller closes `bytes` itself, after the reader.
    public init(
        bytes: any ByteReader, object: ByteObject, source: String, stream: StreamID, rowsBefore: Int,
        description: FormatDescription?
    ) {
        self.bytes = bytes
        self.object = object
        self.source = source
        self.stream = stream
        self.rowsBefore = rowsBefore
        self.description = description
    }
}

/// Cuts one object into chunks of whole records and decodes them.
public protocol FormatReader: AnyObject, Sendable {
    /// Whole records with all that `decode` needs; it is decoded on another thread, maybe after `close`.
    associatedtype Chunk: Sendable
    /// The next chunk; one caller at a time, on an engine thread; may block.
    func next() throws -> FormatRead<Chunk>
    /// The rows of a chunk; many callers at once.
    func decode(_ chunk: Chunk, sequence: UInt64) throws -> Batch
    /// Lets go of the object's bytes.
    func close()
}

/// A chunk with where to begin after it and how many rows it holds, or the end of the object.
public enum FormatRead<Chunk: Sendable>: Sendable {
    /// `resume` is what `openReader` takes as start; its member `offset` is the byte to open the object at.
    case chunk(Chunk, resume: JSONValue, rows: Int)
    /// Nothing is left of this object; the source goes on with the next.
    case end
}

/// Turns batches into the bytes of one object.
public protocol FormatEncoder: Sendable {
    /// `csv`, `json` …, as plans show it.
    var name: String { get }
    /// What stands before the first row: a header line, an opening bracket.
    func prologue(for schema: Schema) throws -> [UInt8]
    /// The rows of a batch as bytes; called by many workers at once.
    func encode(_ batch: RecordBatch) throws -> Buffer
    /// What stands between two encoded batches that have rows; not before the first and not after the last.
    var separator: [UInt8] { get }
    /// What stands after the last row, such as a closing bracket; written without rows too.
    func epilogue(for schema: Schema) throws -> [UInt8]
}

/// A format whose refused records can be read again, put together as a document of their own.
public protocol ReplayableFormat: Format {
    /// A document that holds `records` as they stood in the source, and the format that reads it.
    /// - Parameter sample: the start of the source's first object, for a header that the records need.
    func document(of records: [[UInt8]], like sample: ByteSample) throws -> (bytes: [UInt8], format: Self)
}

/// A source whose refused records can be read again.
public protocol ReplayableSource: Source {
    /// The records, in their order, as a source with the same fields.
    func replaying(_ records: [[UInt8]], in context: RunContext) async throws -> any Source
}
