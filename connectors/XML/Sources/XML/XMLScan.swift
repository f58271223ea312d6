internal import HeadraceCXML2
import HeadraceColumnar
import HeadraceCore

/// Looks single values up in an XML document in memory, as a paginator does with a link to the next page.
///
/// Paths are those of `rows` with `@name` or `text()` after them: `/feed/next/@href`, `//total`.
public struct XMLScan: Sendable {
    private let bytes: [UInt8]
    private let namespaces: [String: String]
    private let contentType: String?

    /// - Parameters:
    ///   - bytes: the document; nothing is read yet.
    ///   - namespaces: namespaces by the prefixes that paths use for them.
    ///   - contentType: what the carrier says about the bytes.
    public init(_ bytes: [UInt8], namespaces: [String: String] = [:], contentType: String? = nil) {
        self.bytes = bytes
        self.namespaces = namespaces
        self.contentType = contentType
    }

    /// The value of the first attribute that `path` leads to, nil where there is none.
    ///
    /// The document is read up to there only; what is wrong behind it is not found.
    /// - Throws: `badOption` for a path that does not end in `@name`; `malformedInput` for a document that is broken
    ///   before the attribute is found.
    public func firstAttribute(_ path: String) throws -> String? {
        let parsed = try XMLPath.document(path, namespaces: namespaces)
        guard case .attribute = parsed.target else {
            throw HeadraceError(
                .badOption, "the path \"\(path)\" does not lead to an attribute", hint: "end it with @name")
        }
        return try values(parsed, limit: 1).first
    }

    /// The values of all elements or attributes that `path` leads to, in document order.
    ///
    /// The value of an element is all text in it. An element inside another that the path leads to has no value of its
    /// own.
    /// - Throws: `badOption` for a path that cannot be read; `malformedInput` for a document that is broken.
    public func strings(_ path: String) throws -> [String] {
        try values(XMLPath.document(path, namespaces: namespaces), limit: .max)
    }

    private func values(_ path: XMLPath, limit: Int) throws -> [String] {
        var limits = MarkupLimits()
        limits.originalBytes = 0
        let parser = try XMLPushParser(limits: limits)
        var inner = XMLPath()
        inner.target = path.target
        var outer = path
        outer.target = .value
        let extractor = RowExtractor(
            rows: outer, fields: [(.utf8, inner)], nulls: [], limits: limits, parser: parser)
        parser.events = extractor
        var found: [String] = []
        let encoding = XMLEncoding(option: nil, contentType: contentType)
        try bytes.withUnsafeBytes { bytes in
            if let label = encoding.label(for: bytes) { try parser.use(encoding: label) }
            var rest = bytes[...]
            while !rest.isEmpty, parser.failure == nil, found.count < limit {
                parser.feed(UnsafeRawBufferPointer(rebasing: rest.prefix(16 << 10)))
                rest = rest.dropFirst(16 << 10)
                found += Self.strings(extractor)
            }
        }
        if found.count < limit, parser.failure == nil {
            parser.finish()
            found += Self.strings(extractor)
        }
        withExtendedLifetime(extractor) {}
        if found.count < limit, let failure = parser.failure {
            throw HeadraceError(
                .malformedInput, "the document cannot be read as XML beyond line \(failure.line)",
                fields: [("line", "\(failure.line)"), ("column", "\(failure.column)")], because: failure.message)
        }
        return Array(found.prefix(limit))
    }

    private static func strings(_ extractor: RowExtractor) -> [String] {
        let chunk = extractor.chunk.finish(recordsBefore: 0)
        let column = chunk.columns[0]
        return (0..<column.count).filter { column.isValid($0) }.map { row in
            String(decoding: column.unsafeView.bytes(row), as: UTF8.self)
        }
    }
}
