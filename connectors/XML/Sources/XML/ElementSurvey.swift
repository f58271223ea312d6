internal import HeadraceCXML2
import HeadraceColumnar

/// What has been seen at one path: how often, what is inside, and what its values look like.
final class SurveyNode {
    let name: String
    let isAttribute: Bool
    fileprivate let key: UnsafePointer<xmlChar>?
    private(set) var children: [SurveyNode] = []
    /// Elements or attributes seen.
    private(set) var count = 0
    /// The most that one parent had.
    private(set) var mostInParent = 0
    /// Whether text that is not blank was seen directly in it.
    private(set) var hasText = false
    private(set) var guess = TypeGuess()
    private var inParent = 0

    fileprivate init(name: String, key: UnsafePointer<xmlChar>?, isAttribute: Bool) {
        self.name = name
        self.key = key
        self.isAttribute = isAttribute
    }

    var elements: [SurveyNode] { children.filter { !$0.isAttribute } }
    var attributes: [SurveyNode] { children.filter(\.isAttribute) }

    fileprivate func child(_ key: UnsafePointer<xmlChar>?, isAttribute: Bool) -> SurveyNode {
        if let known = children.first(where: { $0.key == key && $0.isAttribute == isAttribute }) { return known }
        let child = SurveyNode(name: LibXML.text(key), key: key, isAttribute: isAttribute)
        children.append(child)
        return child
    }

    fileprivate func opened() {
        count += 1
        inParent += 1
        mostInParent = max(mostInParent, inParent)
        for child in children { child.inParent = 0 }
    }

    fileprivate func see(_ text: UnsafeRawBufferPointer, nulls: [[UInt8]]) {
        let trimmed = CellDecoder.trimmed(text)
        guard let base = trimmed.baseAddress, !trimmed.isEmpty else { return }
        hasText = true
        if nulls.contains(where: { $0.elementsEqual(text) }) { return }
        if !guess.isText { guess.see(base, trimmed.count) }
    }

    fileprivate func seeMixed(_ text: UnsafeRawBufferPointer) {
        hasText = hasText || !text.allSatisfy(CellDecoder.isBlank)
    }
}

/// Builds the tree of paths of a document, from its root, and that of its rows where it is said what they are.
final class ElementSurvey: XMLEvents {
    /// Stands above the root element.
    let top = SurveyNode(name: "", key: nil, isAttribute: false)
    /// All rows, wherever they stand; not seen where no path of rows was given.
    let row = SurveyNode(name: "", key: nil, isAttribute: false)
    private let rows: PathAutomaton?
    private let nulls: [[UInt8]]
    /// Elements open inside a row, the row's own included.
    private var rowDepth = 0
    private var open: [SurveyNode]
    private let text = ByteText()
    /// Whether the innermost element has had no element inside.
    private var isLeaf = false
    private var nodeCount = 0
    /// Documents with more different paths are not looked at further.
    private static let mostNodes = 20_000

    /// - Parameter rows: where rows stand; nil looks at elements only.
    init(rows: XMLPath?, nulls: [[UInt8]], parser: XMLPushParser) {
        self.nulls = nulls
        open = [top]
        self.rows = rows.map { path in
            let rows = PathAutomaton(dictionary: parser.dictionary)
            rows.add(path, field: 0)
            rows.begin()
            return rows
        }
    }

    /// Whether the document has too many different paths to keep account of.
    var isFull: Bool { nodeCount > Self.mostNodes }

    func start(_ tag: borrowing XMLStartTag) {
        if let parent = open.last, isLeaf { parent.seeMixed(text.bytes) }
        text.clear()
        isLeaf = true
        guard let node = node(for: tag) else { return open.append(open[open.count - 1]) }
        if node.count == 0 { nodeCount += 1 }
        node.opened()
        for index in 0..<tag.attributeCount where LibXML.text(tag.attributeNamespace(index)) != XMLNames.instance {
            let attribute = node.child(tag.attributeName(index), isAttribute: true)
            if attribute.count == 0 { nodeCount += 1 }
            attribute.opened()
            attribute.see(tag.attributeValue(index), nulls: nulls)
        }
        open.append(node)
    }

    /// The node that an element counts for; nil when no more are kept.
    private func node(for tag: borrowing XMLStartTag) -> SurveyNode? {
        if rowDepth > 0 {
            rowDepth += 1
        } else if let rows {
            rows.enter(tag.name, tag.namespace)
            if rows.accepts {
                rowDepth = 1
                return row
            }
        }
        return isFull ? nil : open.last?.child(tag.name, isAttribute: false)
    }

    func text(_ bytes: UnsafeRawBufferPointer) {
        // Beyond a kilobyte it can be text only, and the length is of no interest.
        if text.count < 1024 { text.append(UnsafeRawBufferPointer(rebasing: bytes.prefix(2048))) }
    }

    func end() {
        guard open.count > 1, let node = open.popLast() else { return }
        rowDepth = max(rowDepth - 1, 0)
        if rowDepth == 0 { rows?.leave() }
        if isLeaf { node.see(text.bytes, nulls: nulls) } else { node.seeMixed(text.bytes) }
        isLeaf = false
        text.clear()
    }
}
