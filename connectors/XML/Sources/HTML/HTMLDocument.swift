import HeadraceCXML2
import HeadraceCore

/// A page parsed by libxml2, forgiving as browsers are; freed with its last reference.
///
/// - Invariant (`@unchecked Sendable`): the tree does not change after `init`; XPath contexts are made for each use.
final class HTMLDocument: @unchecked Sendable {
    let pointer: xmlDocPtr

    /// - Parameters:
    ///   - contentType: the carrier's media type; its charset counts unless the bytes begin with a byte order mark.
    ///   - encoding: counts before everything else.
    /// - Throws: `malformedInput` for bytes of which nothing can be made.
    init(_ bytes: UnsafeRawBufferPointer, contentType: String? = nil, encoding: String? = nil) throws {
        _ = LibXML.ready
        let hasMark =
            bytes.starts(with: [0xEF, 0xBB, 0xBF]) || bytes.starts(with: [0xFE, 0xFF])
            || bytes.starts(with: [0xFF, 0xFE])
        let label = encoding ?? (hasMark ? nil : MediaType.charset(of: contentType))
        let options = Int32(
            HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue
                | HTML_PARSE_NONET.rawValue | HTML_PARSE_COMPACT.rawValue)
        let isWide = bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE])
        let text = isWide ? nil : HTMLEncoding.utf8(bytes, label: hasMark ? encoding ?? "utf-8" : label)
        let known = text == nil ? label : "utf-8"
        func parse(_ bytes: UnsafeRawBufferPointer) -> htmlDocPtr? {
            guard bytes.count <= Int(Int32.max), let base = bytes.baseAddress else { return nil }
            return htmlReadMemory(
                base.assumingMemoryBound(to: CChar.self), Int32(bytes.count), nil, known, options)
        }
        guard let document = text.map({ $0.withUnsafeBytes { parse($0) } }) ?? parse(bytes) else {
            throw HeadraceError(.malformedInput, "the page is empty or cannot be read as HTML")
        }
        pointer = document
    }

    deinit { xmlFreeDoc(pointer) }

    /// What the parser took the bytes to be encoded in.
    var encoding: String { pointer.pointee.encoding.map { LibXML.text($0).lowercased() } ?? "utf-8" }
}

/// A compiled XPath expression.
///
/// - Invariant (`@unchecked Sendable`): libxml2 reads a compiled expression and does not change it; one thread evaluates at a
///   time, because evaluation keeps its stack in a context of its own.
final class XPathExpression: @unchecked Sendable {
    private let compiled: xmlXPathCompExprPtr
    let text: String

    /// - Throws: `badOption` for text that is no XPath.
    init(_ text: String) throws {
        _ = LibXML.ready
        guard let compiled = xmlXPathCompile(text) else {
            throw HeadraceError(
                .badOption, "\"\(text)\" is no XPath expression",
                hint: "write one such as //table[@id='prices']//tr[td]")
        }
        self.compiled = compiled
        self.text = text
    }

    deinit { xmlXPathFreeCompExpr(compiled) }

    /// The nodes that the expression leads to, in document order.
    func nodes(in document: HTMLDocument) -> [xmlNodePtr] {
        evaluate(document, at: nil) { object in
            guard let set = object.pointee.nodesetval, set.pointee.nodeNr > 0, let table = set.pointee.nodeTab else {
                return []
            }
            return (0..<Int(set.pointee.nodeNr)).compactMap { table[$0] }
        } ?? []
    }

    /// The text that the expression yields at a node: of the first node it leads to, white space collapsed; nil for no node.
    func text(in document: HTMLDocument, at node: xmlNodePtr?) -> String? {
        evaluate(document, at: node) { object -> String? in
            if object.pointee.type == XPATH_NODESET {
                guard let set = object.pointee.nodesetval, set.pointee.nodeNr > 0, let first = set.pointee.nodeTab?[0],
                    let content = xmlNodeGetContent(first)
                else { return nil }
                defer { shim_xmlFree(content) }
                return Self.collapsed(LibXML.text(content))
            }
            guard let string = xmlXPathCastToString(object) else { return nil }
            defer { shim_xmlFree(string) }
            return Self.collapsed(LibXML.text(string))
        } ?? nil
    }

    private func evaluate<R>(_ document: HTMLDocument, at node: xmlNodePtr?, _ body: (xmlXPathObjectPtr) -> R) -> R? {
        guard let context = xmlXPathNewContext(document.pointer) else { return nil }
        defer { xmlXPathFreeContext(context) }
        if let node { context.pointee.node = node }
        guard let object = xmlXPathCompiledEval(compiled, context) else { return nil }
        defer { xmlXPathFreeObject(object) }
        return withExtendedLifetime(document) { body(object) }
    }

    /// Text as a browser shows it: runs of white space are one space, none at the ends.
    private static func collapsed(_ text: String) -> String {
        var result: [UInt8] = []
        var waits = false
        for byte in text.utf8 {
            if byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) {
                waits = !result.isEmpty
            } else {
                if waits { result.append(0x20) }
                waits = false
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
