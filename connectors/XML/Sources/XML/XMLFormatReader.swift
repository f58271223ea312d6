import HeadraceColumnar
public import HeadraceCore

/// Reads one XML document.
///
/// It resumes by reading the document from its start and passing over the rows that were read before.
///
/// - Invariant (`@unchecked Sendable`): the parser and what it fills are used by one caller of `next` at a time, as
///   `FormatReader` promises; everything else does not change after `init`.
public final class XMLFormatReader: FormatReader, @unchecked Sendable {
    private let bytes: any ByteReader
    private var parser: XMLPushParser?
    private let extractor: RowExtractor
    private let decoder: MarkupDecoder
    private let cancellation: Cancellation
    private let limits: MarkupLimits
    private let object: String
    private let rows: String
    private var recordsBefore: Int
    private var isAtEnd = false
    private var encoding: XMLEncoding?
    private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)

    init(
        _ input: FormatInput, for schema: Schema, from start: JSONValue?, options: XMLOptions, limits: MarkupLimits,
        in context: RunContext
    ) throws {
        bytes = input.bytes
        object = input.object.name
        recordsBefore = input.rowsBefore
        cancellation = context.cancellation
        decoder = MarkupDecoder(input, for: schema)
        self.limits = limits
        guard let rows = options.rows ?? schema.fields.lazy.compactMap({ $0.metadata[XMLOptions.rowsKey] }).first else {
            throw HeadraceError(
                .badOption, "it is not said which elements of \(object) are rows",
                hint: "give their path, such as rows=/catalog/item")
        }
        self.rows = rows
        encoding = XMLEncoding(option: options.encoding, contentType: input.object.contentType)
        let parser = try XMLPushParser(limits: limits)
        extractor = RowExtractor(
            rows: try XMLPath.rows(rows, namespaces: options.namespaces), fields: try options.paths(of: schema),
            nulls: options.nulls.map { Array($0.utf8) }, limits: limits,
            skipping: Int(start?["row"]?.integerValue ?? 0), parser: parser)
        parser.events = extractor
        self.parser = parser
    }

    deinit { piece.deallocate() }

    public func next() throws -> FormatRead<MarkupChunk> {
        while let parser, !isAtEnd, parser.failure == nil, !isFull {
            try cancellation.check()
            let count = try bytes.read(into: piece)
            let got = UnsafeRawBufferPointer(rebasing: piece[..<count])
            if let label = encoding.take()?.label(for: got) { try parser.use(encoding: label) }
            if count == 0 {
                parser.finish()
                isAtEnd = true
            } else {
                parser.feed(got)
            }
        }
        if extractor.chunk.count > 0 {
            let count = extractor.chunk.count
            let chunk = extractor.chunk.finish(recordsBefore: recordsBefore)
            recordsBefore += count
            let resume: JSONValue = .object([("offset", 0), ("row", .integer(extractor.rowCount))])
            return .chunk(chunk, resume: resume, rows: count)
        }
        if let failure = parser?.failure { throw malformed(failure) }
        try checkRoot()
        return .end
    }

    private var isFull: Bool {
        extractor.chunk.count >= limits.chunkRows || extractor.chunk.byteCount >= limits.chunkBytes
    }

    private func malformed(_ failure: XMLFailure) -> HeadraceError {
        HeadraceError(
            .malformedInput, "\(object) cannot be read as XML beyond line \(failure.line)",
            fields: [("line", "\(failure.line)"), ("column", "\(failure.column)")], because: failure.message,
            hint: "the \(extractor.rowCount) rows before it were read")
    }

    /// A document of another kind, such as an error page, must not pass for one without rows.
    private func checkRoot() throws {
        guard isAtEnd, let root = extractor.root, !extractor.isRootKnown else { return }
        throw HeadraceError(
            .schemaMismatch, "\(object) has no rows at \(rows): its outermost element is <\(root)>",
            hint: "check the path, or what was fetched")
    }

    public func decode(_ chunk: MarkupChunk, sequence: UInt64) throws -> Batch {
        decoder.decode(chunk, sequence: sequence)
    }

    public func close() {
        parser = nil
        isAtEnd = true
    }
}
