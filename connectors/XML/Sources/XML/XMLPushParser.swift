internal import HeadraceCXML2
import HeadraceCore

/// Takes the events of a document, in order, with everything declared in it put in.
protocol XMLEvents: AnyObject {
    func start(_ element: borrowing XMLStartTag)
    func text(_ bytes: UnsafeRawBufferPointer)
    func end()
}

/// A start tag; its pointers are good until the call that handed it over returns.
struct XMLStartTag: ~Copyable {
    let name: UnsafePointer<xmlChar>?
    let prefix: UnsafePointer<xmlChar>?
    let namespace: UnsafePointer<xmlChar>?
    /// Prefix and URI of each namespace declared here.
    let declarations: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    let declarationCount: Int
    /// Name, prefix, namespace, start and end of the value of each attribute.
    let attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    let attributeCount: Int
    /// Whether the tag stands in the document itself and not in an entity.
    let isInDocument: Bool

    func attributeName(_ index: Int) -> UnsafePointer<xmlChar>? { attributes?[index &* 5] }
    func attributePrefix(_ index: Int) -> UnsafePointer<xmlChar>? { attributes?[index &* 5 &+ 1] }
    func attributeNamespace(_ index: Int) -> UnsafePointer<xmlChar>? { attributes?[index &* 5 &+ 2] }
    func attributeValue(_ index: Int) -> UnsafeRawBufferPointer {
        guard let start = attributes?[index &* 5 &+ 3], let end = attributes?[index &* 5 &+ 4] else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: start, count: end - start)
    }
}

/// Why a document cannot be read on.
struct XMLFailure: Error, Sendable, Hashable {
    let message: String
    let line: Int
    let column: Int
}

/// Parses a document that comes in pieces, without network, files, external entities or a document tree.
///
/// Entities declared in the document itself are put in, as far as libxml2's guard against amplification and
/// `MarkupLimits.maximumExpansion` allow. Used by one thread at a time; freed by its last reference.
final class XMLPushParser {
    /// The first thing that was wrong with the document.
    private(set) var failure: XMLFailure?
    /// Whether `stop` was called.
    private(set) var isStopped = false
    private let context: xmlParserCtxtPtr
    /// Takes the events; not retained, and must live as long as pieces are fed.
    unowned(unsafe) var events: (any XMLEvents)?
    private let limits: MarkupLimits
    private var depth = 0
    /// Bytes of text and attributes that the current piece has led to.
    private var expanded = 0
    private var isFinished = false
    /// What a reference to an entity counts for beside its text.
    private static let entityCost = 64

    init(limits: MarkupLimits) throws(HeadraceError) {
        _ = LibXML.ready
        var handler = Self.handler
        guard let context = xmlCreatePushParserCtxt(&handler, nil, nil, 0, nil) else {
            throw HeadraceError(.outOfBudget, "there is no memory for an XML parser")
        }
        self.context = context
        self.limits = limits
        // Puts entities in, those of attributes too; `entity` lets none through that lies outside of the document.
        xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOENT.rawValue))
        context.pointee._private = Unmanaged.passUnretained(self).toOpaque()
    }

    /// Reads the bytes in this encoding, whatever the document says. Comes before the first piece.
    /// - Throws: `badOption` for an encoding that is not known.
    func use(encoding: String) throws(HeadraceError) {
        guard let found = xmlFindCharEncodingHandler(encoding), xmlSwitchToEncoding(context, found) >= 0 else {
            throw HeadraceError(
                .badOption, "the encoding \"\(encoding)\" is not known", hint: "write it as IANA does: windows-1252")
        }
    }

    deinit {
        if let document = context.pointee.myDoc { xmlFreeDoc(document) }
        xmlFreeParserCtxt(context)
    }

    /// The dictionary in which names have their address.
    var dictionary: xmlDictPtr { context.pointee.dict }

    /// The encoding that the document names, lower case; nil where it names none.
    var encoding: String? { context.pointee.encoding.map { LibXML.text($0).lowercased() } }

    /// The line on which the parser stands, from 1.
    var line: Int { context.pointee.input.map { Int($0.pointee.line) } ?? 0 }

    /// The byte at which the start tag begins that is being handed over; -1 where the parser does not know, because
    /// the bytes were decoded or an entity holds the tag.
    func offset(of tag: borrowing XMLStartTag) -> Int {
        guard tag.isInDocument, let input = context.pointee.input, let base = input.pointee.base,
            var place = input.pointee.cur, input.pointee.buf?.pointee.encoder == nil
        else { return -1 }
        // No '<' can stand inside a tag, so the first one backwards begins it.
        while place > base, place.pointee != UInt8(ascii: "<") { place -= 1 }
        return place.pointee == UInt8(ascii: "<") ? Int(input.pointee.consumed) + (place - base) : -1
    }

    /// Parses the next piece; what goes wrong is in `failure` afterwards.
    func feed(_ bytes: UnsafeRawBufferPointer) {
        parse(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, isEnd: false)
    }

    /// Ends the document; one that is not complete is a failure.
    func finish() {
        guard !isFinished else { return }
        isFinished = true
        parse(nil, 0, isEnd: true)
    }

    private func parse(_ bytes: UnsafePointer<CChar>?, _ count: Int, isEnd: Bool) {
        guard failure == nil, !isStopped else { return }
        expanded = 0
        let code = shim_xmlParseChunk(context, bytes, Int32(truncatingIfNeeded: count), isEnd ? 1 : 0)
        guard failure == nil, !isStopped else { return }
        let isBroken = context.pointee.wellFormed == 0 || context.pointee.disableSAX != 0
        if code == Int32(bitPattern: XML_ERR_INVALID_ENCODING.rawValue) {
            fail("some bytes are not valid in the document's encoding")
        } else if code != 0, isBroken {
            fail(LibXML.message(context.pointee.lastError))
        }
    }

    /// Ends parsing from inside an event: no further events come.
    func stop() {
        isStopped = true
        xmlStopParser(context)
    }

    private func fail(_ message: String, line: Int? = nil, column: Int? = nil) {
        guard failure == nil, !isStopped else { return }
        let input = context.pointee.input
        failure = XMLFailure(
            message: message, line: line ?? Int(input?.pointee.line ?? 0),
            column: column ?? Int(input?.pointee.col ?? 0))
        xmlStopParser(context)
    }

    // MARK: - Calls from libxml2

    /// The parser behind a context; entities are parsed in contexts of their own, which share its private pointer.
    private static func parser(_ context: UnsafeMutableRawPointer?) -> XMLPushParser? {
        guard let known = context?.assumingMemoryBound(to: xmlParserCtxt.self).pointee._private else { return nil }
        let parser = Unmanaged<XMLPushParser>.fromOpaque(known).takeUnretainedValue()
        if parser.failure == nil, !parser.isStopped { return parser }
        // The context of an entity does not know that the document's has stopped.
        if let context { xmlStopParser(context.assumingMemoryBound(to: xmlParserCtxt.self)) }
        return nil
    }

    /// The entity of a name, as long as the document itself holds its text and entities do not stand for too much.
    ///
    /// This is also where entities that hold nothing but entities learn that the document has failed.
    private static func entity(
        _ context: UnsafeMutableRawPointer?, _ name: UnsafePointer<xmlChar>?,
        _ find: (xmlDocPtr?, UnsafePointer<xmlChar>?) -> xmlEntityPtr?
    ) -> xmlEntityPtr? {
        guard let parser = parser(context) else { return nil }
        let document = context?.assumingMemoryBound(to: xmlParserCtxt.self).pointee.myDoc
        guard let entity = find(document, name) else { return nil }
        parser.expanded &+= Int(entity.pointee.length) &+ Self.entityCost
        switch entity.pointee.etype {
        case XML_INTERNAL_GENERAL_ENTITY, XML_INTERNAL_PARAMETER_ENTITY, XML_INTERNAL_PREDEFINED_ENTITY:
            if parser.expanded <= parser.limits.maximumExpansion { return entity }
            parser.refuseExpansion()
        default:
            parser.fail("the entity \"\(LibXML.text(name))\" lies outside of the document and is not read")
        }
        return nil
    }

    private func opened(_ tag: borrowing XMLStartTag) {
        depth += 1
        guard depth <= limits.maximumDepth else {
            return fail("elements nest deeper than \(limits.maximumDepth) levels")
        }
        for index in 0..<tag.attributeCount { expanded &+= tag.attributeValue(index).count }
        guard expanded <= limits.maximumExpansion else { return refuseExpansion() }
        events?.start(tag)
    }

    private func found(_ text: UnsafeRawBufferPointer) {
        expanded &+= text.count
        guard expanded <= limits.maximumExpansion else { return refuseExpansion() }
        events?.text(text)
    }

    private func refuseExpansion() { fail("its entities or defaults stand for too much text") }

    private func closed() {
        depth -= 1
        events?.end()
    }

    /// The calls in place of those that would build a tree; entities are kept in the document as libxml2 does.
    private static var handler: xmlSAXHandler {
        var handler = xmlSAXHandler()
        xmlSAXVersion(&handler, 2)
        handler.startElementNs = {
            context, name, prefix, namespace, count, declarations, attributeCount, _, attributes in
            guard let parser = XMLPushParser.parser(context) else { return }
            parser.opened(
                XMLStartTag(
                    name: name, prefix: prefix, namespace: namespace, declarations: declarations,
                    declarationCount: Int(count), attributes: attributes, attributeCount: Int(attributeCount),
                    isInDocument: context == UnsafeMutableRawPointer(parser.context)))
        }
        handler.endElementNs = { context, _, _, _ in XMLPushParser.parser(context)?.closed() }
        let characters: charactersSAXFunc = { context, text, count in
            XMLPushParser.parser(context)?.found(UnsafeRawBufferPointer(start: text, count: Int(count)))
        }
        handler.characters = characters
        handler.ignorableWhitespace = characters
        handler.cdataBlock = characters
        handler.getEntity = { XMLPushParser.entity($0, $1) { xmlGetDocEntity($0, $1) } }
        handler.getParameterEntity = { XMLPushParser.entity($0, $1) { xmlGetParameterEntity($0, $1) } }
        // Called for entities that are not put in, because they are not declared here but might be elsewhere.
        handler.reference = { context, name in
            XMLPushParser.parser(context)?.fail(
                "the entity \"\(LibXML.text(name))\" is not declared in the document, and others are not read")
        }
        handler.serror = { context, error in
            guard let error = error?.pointee, error.level == XML_ERR_FATAL else { return }
            XMLPushParser.parser(context)?.fail(
                LibXML.message(error), line: Int(error.line), column: Int(error.int2))
        }
        handler.error = nil
        handler.warning = nil
        handler.fatalError = nil
        handler.resolveEntity = { _, _, _ in nil }
        handler.externalSubset = { _, _, _, _ in }
        handler.attributeDecl = { _, _, _, _, _, _, tree in xmlFreeEnumeration(tree) }
        handler.elementDecl = { _, _, _, _ in }
        handler.notationDecl = { _, _, _, _ in }
        handler.unparsedEntityDecl = { _, _, _, _, _ in }
        handler.processingInstruction = nil
        handler.comment = nil
        return handler
    }
}
