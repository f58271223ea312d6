import HeadraceCore

/// A page that questions can be asked of: links to follow, texts at a place.
public struct HTMLPage: Sendable {
    private let document: HTMLDocument

    /// - Parameter contentType: the media type that the page came with, for its encoding.
    /// - Throws: `malformedInput` for an empty page.
    public init(_ bytes: [UInt8], contentType: String? = nil) throws {
        document = try bytes.withUnsafeBytes { try HTMLDocument($0, contentType: contentType) }
    }

    /// The texts of all nodes that an XPath expression leads to, in document order.
    /// - Throws: `badOption` for text that is no XPath.
    public func strings(_ xpath: String) throws -> [String] {
        let content = try XPathExpression("string(.)")
        return try XPathExpression(xpath).nodes(in: document).compactMap { content.text(in: document, at: $0) }
    }

    /// Where `<a rel="next">` or `<link rel="next">` leads, nil where there is none.
    public var nextLink: String? {
        get throws {
            let relation = "contains(concat(' ', normalize-space(@rel), ' '), ' next ')"
            return try strings("//a[\(relation)]/@href | //link[\(relation)]/@href").first
        }
    }
}
