/// Bytes in named objects: files, standard input, HTTP responses, objects of a store.
public protocol ByteSource: Sendable {
    /// The carrier's name in messages; never holds a secret.
    var name: String { get }
    /// The first object after `previous` in reading order (nil starts), nil at the end.
    ///
    /// Called on an engine thread: it may block. A paginated API computes the next page from the previous one here.
    func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject?
    /// Opens an object at `offset` bytes from its start; offset 0 always works.
    /// - Throws: `unsupported` for an offset that the carrier cannot reach.
    func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader
}

/// A byte source whose objects can be opened again later and at any offset, so that reading can resume.
public protocol ResumableByteSource: ByteSource {}

/// One object of a byte source.
public struct ByteObject: Sendable, Hashable {
    /// The name by which it is opened and shown: a path, a URL.
    public let name: String
    /// Its size in bytes where known.
    public let byteCount: Int?
    /// What tells one version from another: size and time, an ETag, a checksum.
    public let identity: String
    /// The media type or name extension that the carrier knows, for choosing a format: `csv`, `text/html; charset=…`.
    public let contentType: String?

    /// An object as its carrier lists it. `identity` must change with the contents, since positions in the object hold
    /// for one identity only.
    public init(name: String, byteCount: Int?, identity: String, contentType: String? = nil) {
        self.name = name
        self.byteCount = byteCount
        self.identity = identity
        self.contentType = contentType
    }
}

/// Reads the bytes of one object in order. Used by one thread at a time; calls may block, so never on the shared pool.
public protocol ByteReader: AnyObject, Sendable {
    /// Fills the front of `buffer` and returns how many bytes it wrote; 0 is the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
    /// Lets go of the object; may be called twice.
    func close()
}

/// A compression that can be recognised by its first bytes and undone while reading.
public protocol ByteCodec: Sendable {
    /// `gzip`, `zstd` …
    var name: String { get }
    /// Name extensions without the dot.
    var extensions: [String] { get }
    /// Whether an object that starts with `bytes` is compressed this way.
    func recognises(_ bytes: UnsafeRawBufferPointer) -> Bool
    /// The decompressed bytes of `reader`.
    func decoding(_ reader: any ByteReader) throws -> any ByteReader
    /// A writer that compresses into `writer`.
    func encoding(_ writer: any ByteWriter) throws -> any ByteWriter
}

/// Takes the bytes of one object at a time and publishes it whole or not at all.
public protocol ByteSink: Sendable {
    /// The carrier's name in messages, ledger and plans; never holds a secret.
    var name: String { get }
    /// Starts an object under a temporary name.
    func create(in context: RunContext) throws -> any ByteWriter
    /// What publishing would do, one line, for `plan`.
    func plan() -> String
}

/// Writes one object. Used by one thread at a time; calls may block, so never on the shared pool.
public protocol ByteWriter: AnyObject, Sendable {
    /// Appends all of `bytes`; they are the caller's again when it returns.
    func write(_ bytes: UnsafeRawBufferPointer) throws
    /// Makes everything written visible under the final name, durably. Nothing was visible before.
    func publish() throws
    /// Removes everything written; does nothing after `publish`; may be called twice.
    func abort()
}
