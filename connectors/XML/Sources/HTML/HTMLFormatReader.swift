import HeadraceCXML2
import HeadraceColumnar
public import HeadraceCore

/// A node of a parsed page; lives as long as its document.
typealias OpaqueNode = xmlNodePtr

/// Reads one page.
///
/// - Invariant (`@unchecked Sendable`): the page and the place in it are used by one caller of `next` at a time, as
///   `FormatReader` promises; everything else does not change after `init`.
public final class HTMLFormatReader: FormatReader, @unchecked Sendable {
    private let input: FormatInput
    private let options: HTMLOptions
    private let limits: MarkupLimits
    private let decoder: MarkupDecoder
    private let rows: XPathExpression
    private let fields: [(expression: XPathExpression, isText: Bool)]
    /// The cells that a row must have, where fields are cells by number.
    private let cells: Int
    private let skipping: Int
    private var page: (document: HTMLDocument, nodes: [OpaqueNode])?
    private var taken = 0

    init(
        _ input: FormatInput, for schema: Schema, from start: JSONValue?, options: HTMLOptions, limits: MarkupLimits,
        in context: RunContext
    ) throws {
        self.input = input
        self.options = options
        self.limits = limits
        decoder = MarkupDecoder(input, for: schema)
        rows = try XPathExpression(options.rows)
        let paths = FieldPath.paths(of: schema, given: options.fields ?? [])
        fields = try zip(schema.fields, paths).map { (try XPathExpression($1.path), $0.type == .utf8) }
        cells = paths.map { Self.cellNumber($0.path) }.max() ?? 0
        skipping = Int(start?["row"]?.integerValue ?? 0)
        for field in schema.fields where !CellDecoder.canDecode(field.type) || field.type.layout == .list {
            throw HeadraceError(.unsupported, "the field \"\(field.name)\" cannot be read from HTML as \(field.type)")
        }
    }

    /// `3` for `td[3]` and what lies below it, 0 for other paths.
    private static func cellNumber(_ path: String) -> Int {
        guard path.hasPrefix("td["), let end = path.firstIndex(of: "]") else { return 0 }
        return Int(path[path.index(path.startIndex, offsetBy: 3)..<end]) ?? 0
    }

    public func next() throws -> FormatRead<MarkupChunk> {
        let (document, nodes) = try page ?? parse()
        guard taken < nodes.count else { return .end }
        let first = taken
        var chunk = ChunkBuilder(fields: fields.count)
        let count = try XPathExpression("count(td|th)")
        while taken < nodes.count, chunk.count < limits.chunkRows, chunk.byteCount < limits.chunkBytes {
            append(nodes[taken], of: document, count, to: &chunk)
            taken += 1
        }
        let finished = chunk.finish(recordsBefore: input.rowsBefore + first - skipping)
        return .chunk(finished, resume: .object([("offset", 0), ("row", .integer(taken))]), rows: taken - first)
    }

    private func parse() throws -> (document: HTMLDocument, nodes: [OpaqueNode]) {
        var bytes: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)
        defer { piece.deallocate() }
        while case let got = try input.bytes.read(into: piece), got > 0 {
            guard bytes.count + got <= limits.maximumPageBytes else {
                throw HeadraceError(
                    .outOfBudget, "\(input.object.name) is larger than \(limits.maximumPageBytes) bytes",
                    hint: "a page is parsed whole; is this one?")
            }
            bytes.append(contentsOf: piece[..<got])
        }
        do {
            let document = try bytes.withUnsafeBytes {
                try HTMLDocument($0, contentType: input.object.contentType, encoding: options.encoding)
            }
            let parsed = (document, rows.nodes(in: document))
            page = parsed
            taken = min(skipping, parsed.1.count)
            return parsed
        } catch {
            throw HeadraceError.wrapping(error, "the page cannot be read").at(input.object.name)
        }
    }

    private func append(
        _ node: OpaqueNode, of document: HTMLDocument, _ count: XPathExpression, to chunk: inout ChunkBuilder
    ) {
        var found = false
        for (index, field) in fields.enumerated() {
            var text = field.expression.text(in: document, at: node)
            if let value = text, options.nulls.contains(value) || value.isEmpty && !field.isText { text = nil }
            if var value = text {
                found = true
                value.withUTF8 { chunk.append(UnsafeRawBufferPointer($0), field: index) }
            } else {
                chunk.append(nil, field: index)
            }
        }
        let own = count.text(in: document, at: node).flatMap { Double($0) }.map { Int($0) } ?? 0
        var reason: BrokenRecord.Reason?
        if cells > 0 && own < cells {
            reason = .cells(found: own, expected: cells)
        } else if !found {
            reason = .nothingFound
        }
        var original = markup(of: node, in: document)
        original.withUTF8 { bytes in
            let cut = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes).prefix(limits.originalBytes))
            // A cut may fall into a character; the original is kept for people, so what is whole counts.
            chunk.end(original: cut, line: Int(xmlGetLineNo(node)), offset: -1, broken: reason)
        }
    }

    /// The row as markup, written anew by the parser's library.
    private func markup(of node: OpaqueNode, in document: HTMLDocument) -> String {
        guard let buffer = xmlBufferCreate() else { return "" }
        defer { xmlBufferFree(buffer) }
        xmlNodeDump(buffer, document.pointer, node, 0, 0)
        return LibXML.text(xmlBufferContent(buffer))
    }

    public func decode(_ chunk: MarkupChunk, sequence: UInt64) throws -> Batch {
        decoder.decode(chunk, sequence: sequence)
    }

    public func close() { page = nil }
}
