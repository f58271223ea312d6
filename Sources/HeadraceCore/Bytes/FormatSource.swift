public import HeadraceColumnar
import Synchronization

/// Rows of a format over the bytes of a carrier, compressed or not: a CSV file, a folder of NDJSON, an HTTP feed.
///
/// It can resume exactly when its carrier can: `FormatSource<LocalFiles, …>` is a `ResumableSource`, one over standard
/// input is not.
public struct FormatSource<Carrier: ByteSource, F: Format>: Source {
    /// Where the objects and their bytes come from.
    public let carrier: Carrier
    /// How bytes become records and rows.
    public let format: F
    /// Compressions that are undone when an object's first bytes show one; other objects are read as they are.
    public let codecs: [any ByteCodec]
    /// The fields as the job's author gave them; nil looks at the first object.
    public let declared: Schema?
    private let looked = LookedAt()

    /// - Parameters:
    ///   - codecs: compressions to recognise by content.
    ///   - declared: fields and types; nil infers them from the first object.
    public init(_ carrier: Carrier, _ format: F, codecs: [any ByteCodec], declared: Schema? = nil) {
        self.carrier = carrier
        self.format = format
        self.codecs = codecs
        self.declared = declared
    }

    /// The name of the carrier, under which positions are kept too.
    public var name: String { carrier.name }

    /// Remembers what `describe` found, so that one run looks once.
    private final class LookedAt: Sendable {
        let found = Mutex<(object: ByteObject, description: FormatDescription)?>(nil)
        /// A stream that can be opened once only, kept open between looking and reading.
        let once = Mutex<(object: ByteObject, reader: PeekingReader)?>(nil)
    }

    /// What the format finds at the start of the first object; nil when there is no object.
    public func describe(in context: RunContext) async throws -> FormatDescription? {
        try await BlockingWork.run { try self.look(in: context)?.description }
    }

    /// The fields as declared, else as found in the first object.
    /// - Throws: `notFound` when none are declared and there is no object.
    public func schema(in context: RunContext) async throws -> Schema {
        if let declared { return declared }
        guard let description = try await describe(in: context) else {
            throw HeadraceError(
                .notFound, "\(name) holds nothing to read", hint: "check the name or pattern, or declare a schema")
        }
        return description.schema
    }

    /// Name and identity of every object, one a line in reading order; the name alone where the carrier cannot resume.
    public func fingerprint(in context: RunContext) async throws -> String {
        // Where no position is kept none can become worthless, and listing may mean to fetch everything.
        guard carrier is any ResumableByteSource else { return name }
        return try await BlockingWork.run {
            var parts: [String] = []
            var object = try self.carrier.nextObject(after: nil, in: context)
            while let current = object {
                parts.append("\(current.name)@\(current.identity)")
                object = try self.carrier.nextObject(after: current, in: context)
            }
            return parts.joined(separator: "\n")
        }
    }

    private func look(in context: RunContext) throws -> (object: ByteObject, description: FormatDescription)? {
        if let found = looked.found.withLock({ $0 }) { return found }
        guard let object = try carrier.nextObject(after: nil, in: context) else { return nil }
        let opened = try open(object, at: 0, in: context)
        if carrier is any ResumableByteSource, let description = try format.survey(object, opened) {
            opened.close()
            looked.found.withLock { $0 = (object, description) }
            return (object, description)
        }
        let (bytes, isWhole) = try opened.peek(format.sampleSize)
        let description = try format.describe(ByteSample(object: object, bytes: bytes, isWhole: isWhole))
        if carrier is any ResumableByteSource { opened.close() } else { looked.once.withLock { $0 = (object, opened) } }
        looked.found.withLock { $0 = (object, description) }
        return (object, description)
    }

    /// Opens an object at a byte of its decompressed contents.
    fileprivate func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> PeekingReader {
        if offset == 0, let waiting = looked.once.withLock({ $0.take() }) {
            if waiting.object.name == object.name { return waiting.reader }
            waiting.reader.close()
        }
        let plain = PeekingReader(try carrier.open(object, at: 0, in: context))
        let (head, _) = try plain.peek(512)
        guard let codec = head.withUnsafeBytes({ bytes in codecs.first { $0.recognises(bytes) } }) else {
            if offset == 0 { return plain }
            plain.close()
            return PeekingReader(try carrier.open(object, at: offset, in: context))
        }
        let decoded = PeekingReader(try codec.decoding(plain))
        try decoded.skip(offset)
        return decoded
    }

    /// A reader of all objects, or of what follows `position` in its object and the objects after it.
    /// - Throws: `malformedInput` for a position that cannot be read, `notFound` when its object has changed or gone
    ///   since.
    public func openReader(
        for schema: Schema, from position: Position?, in context: RunContext
    ) async throws -> FormatSourceReader<Carrier, F> {
        try await BlockingWork.run {
            if self.declared == nil { _ = try self.look(in: context) }
            return try FormatSourceReader(self, schema: schema, from: position, in: context)
        }
    }

    fileprivate func description(of object: ByteObject) -> FormatDescription? {
        guard let found = looked.found.withLock({ $0 }), found.object == object else { return nil }
        return found.description
    }
}

extension FormatSource: ResumableSource where Carrier: ResumableByteSource {}

extension FormatSource: ReplayableSource where F: ReplayableFormat {
    /// The records as one document in memory, read with this source's fields and the header of its first object.
    /// - Throws: `notFound` when the source has no object any more.
    public func replaying(_ records: [[UInt8]], in context: RunContext) async throws -> any Source {
        let schema = try await schema(in: context)
        return try await BlockingWork.run {
            guard let object = try self.carrier.nextObject(after: nil, in: context) else {
                throw HeadraceError(.notFound, "\(self.name) is gone, so its refused records cannot be read again")
            }
            let opened = try self.open(object, at: 0, in: context)
            defer { opened.close() }
            let (bytes, isWhole) = try opened.peek(self.format.sampleSize)
            let document = try self.format.document(
                of: records, like: ByteSample(object: object, bytes: bytes, isWhole: isWhole))
            return FormatSource<MemoryBytes, F>(
                MemoryBytes("rejects of \(self.name)", document.bytes), document.format, codecs: [], declared: schema)
        }
    }
}

extension FormatSource: DescribableSource {
    /// The same carrier, format and compressions, with these fields instead of those found.
    public func declaring(_ schema: Schema) -> FormatSource {
        FormatSource(carrier, format, codecs: codecs, declared: schema)
    }
}

extension FormatSource: NumberSurveyingSource {
    package func numbers(in columns: [String], context: RunContext) async throws -> [String: SeenNumbers] {
        guard declared == nil, let found = try await describe(in: context)?.numbers else { return [:] }
        return found.filter { columns.contains($0.key) }
    }
}

/// Reads the objects of a `FormatSource` one after the other.
///
/// - Invariant (`@unchecked Sendable`): the mutable state is used by one caller of `nextNow` at a time, as
///   `SourceReader` promises; `decode` touches only the chunk.
public final class FormatSourceReader<Carrier: ByteSource, F: Format>: SynchronousSourceReader, MeteredReader,
    @unchecked Sendable
{
    /// A chunk with the reader that cut it.
    public struct Chunk: Sendable {
        let reader: F.Reader
        let chunk: F.Reader.Chunk
    }

    private let source: FormatSource<Carrier, F>
    private let schema: Schema
    private let context: RunContext
    private var object: ByteObject?
    private var current: (reader: F.Reader, bytes: PeekingReader)?
    private var rows = 0
    private let meter = Atomic<Int>(0)
    private var finishedBytes = 0

    fileprivate init(
        _ source: FormatSource<Carrier, F>, schema: Schema, from position: Position?, in context: RunContext
    ) throws {
        self.source = source
        self.schema = schema
        self.context = context
        guard let position else { return }
        guard let name = position.value["object"]?.stringValue, let identity = position.value["identity"]?.stringValue,
            let rows = position.value["rows"]?.integerValue
        else {
            throw HeadraceError(
                .malformedInput, "the position of \(source.name) cannot be read", hint: "start over with --restart")
        }
        self.rows = Int(rows)
        var candidate = try source.carrier.nextObject(after: nil, in: context)
        while let found = candidate, found.name != name {
            candidate = try source.carrier.nextObject(after: found, in: context)
        }
        guard let found = candidate, found.identity == identity else {
            throw HeadraceError(
                .notFound, "\(name) has changed or gone since the run that is to be resumed",
                hint: "start over with --restart")
        }
        object = found
        if let resume = position.value["resume"], !resume.isNull {
            let offset = Int(resume["offset"]?.integerValue ?? 0)
            try open(found, at: offset, start: resume)
        }
    }

    private func open(_ object: ByteObject, at offset: Int, start: JSONValue?) throws {
        let bytes = try source.open(object, at: offset, in: context)
        let input = FormatInput(
            bytes: bytes, object: object, source: source.name, stream: source.stream, rowsBefore: rows,
            description: source.description(of: object))
        current = (try source.format.openReader(input, for: schema, from: start, in: context), bytes)
    }

    /// The next chunk of the object at hand, else the first one of the next object.
    /// - Throws: `cancelled` once the run was asked to stop.
    public func nextNow() throws -> Read<Chunk> {
        while true {
            try context.cancellation.check()
            if let current {
                switch try current.reader.next() {
                case .chunk(let chunk, let resume, let count):
                    rows += count
                    meter.store(finishedBytes + current.bytes.position, ordering: .relaxed)
                    return .chunk(Chunk(reader: current.reader, chunk: chunk), position(resume))
                case .end:
                    finishedBytes += current.bytes.position
                    current.reader.close()
                    current.bytes.close()
                    self.current = nil
                }
            }
            guard let next = try source.carrier.nextObject(after: object, in: context) else { return .end }
            object = next
            try open(next, at: 0, start: nil)
        }
    }

    private func position(_ resume: JSONValue) -> Position {
        Position(
            .object([
                ("object", .string(object?.name ?? "")), ("identity", .string(object?.identity ?? "")),
                ("rows", .integer(rows)), ("resume", resume),
            ]))
    }

    /// The rows of a chunk, by the reader that cut it, whose object may be closed already.
    public func decode(_ chunk: Chunk, sequence: UInt64) throws -> Batch {
        try chunk.reader.decode(chunk.chunk, sequence: sequence)
    }

    /// Closes the object at hand; the carrier itself stays open.
    public func close() async {
        current?.reader.close()
        current?.bytes.close()
        current = nil
    }

    /// Decompressed bytes read of all objects so far, brought up to date with each chunk; safe from any thread.
    public var bytesRead: Int { meter.load(ordering: .relaxed) }

    /// The sizes of all objects as the carrier lists them now; nil when one is unknown.
    public var totalBytes: Int? {
        var total = 0
        var object = try? source.carrier.nextObject(after: nil, in: context)
        while let current = object {
            guard let size = current.byteCount else { return nil }
            total += size
            object = try? source.carrier.nextObject(after: current, in: context)
        }
        return total
    }
}

/// A reader that knows how far it is, for progress.
public protocol MeteredReader: AnyObject, Sendable {
    /// Bytes read so far, after decompression.
    var bytesRead: Int { get }
    /// The bytes there are in all before decompression, nil when not known.
    var totalBytes: Int? { get }
}
