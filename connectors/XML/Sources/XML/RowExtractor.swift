internal import HeadraceCXML2
import HeadraceColumnar
import HeadraceCore

/// Takes the rows of a document out of its events, as texts.
final class RowExtractor: XMLEvents {
    /// The rows taken out so far.
    var chunk: ChunkBuilder
    /// Rows passed over or taken out whole.
    private(set) var rowCount = 0
    /// The name of the document's outermost element.
    private(set) var root: String?
    /// Whether that element can hold rows.
    private(set) var isRootKnown = true

    private let limits: MarkupLimits
    private let cells: [FieldCell]
    private let nulls: [[UInt8]]
    private let rows: PathAutomaton
    private let fields: PathAutomaton
    private let outer: [OuterAttribute]
    private let nilName: UnsafePointer<xmlChar>?
    private let instanceName: UnsafePointer<xmlChar>?
    private let markup: RecordMarkup
    private unowned let parser: XMLPushParser

    /// Rows still to pass over.
    private var skipping: Int
    /// Elements open inside the row, the row's own included; 0 outside of rows.
    private var depth = 0
    private var isSkipped = false
    private var line = 0
    private var offset = 0
    private var textBytes = 0
    /// Fields whose value is open, with the depth of its element.
    private var open: [(field: Int, depth: Int)] = []
    /// States of the innermost elements whose direct text a field takes, with their depth.
    private var direct: [(state: Int, depth: Int, hasBegun: Bool)] = []
    private var json: [(field: Int, depth: Int, value: ElementJSON)] = []
    /// The values of attributes of the elements around the rows, for each level.
    private var around: [[[UInt8]?]] = []

    /// A field that is an attribute of an element around the row.
    private struct OuterAttribute {
        let field: Int
        let levelsUp: Int
        let name: UnsafePointer<xmlChar>?
        let namespace: UnsafePointer<xmlChar>?
    }

    /// - Parameters:
    ///   - fields: the type and path of each field.
    ///   - skipping: rows at the start that are passed over.
    init(
        rows path: XMLPath, fields paths: [(type: DataType, path: XMLPath)], nulls: [[UInt8]], limits: MarkupLimits,
        skipping: Int = 0, parser: XMLPushParser
    ) {
        self.limits = limits
        self.nulls = nulls
        self.parser = parser
        self.skipping = skipping
        chunk = ChunkBuilder(fields: paths.count)
        cells = paths.map { FieldCell($0.type, position: $0.path.position) }
        markup = RecordMarkup(limit: limits.originalBytes)
        let dictionary = parser.dictionary
        rows = PathAutomaton(dictionary: dictionary)
        rows.add(path, field: 0)
        fields = PathAutomaton(dictionary: dictionary)
        var outer: [OuterAttribute] = []
        for (field, declared) in paths.enumerated() {
            if declared.path.levelsUp > 0, case .attribute(let step) = declared.path.target {
                outer.append(
                    OuterAttribute(
                        field: field, levelsUp: declared.path.levelsUp, name: Self.intern(step.name, dictionary),
                        namespace: Self.intern(step.namespace, dictionary)))
            } else {
                fields.add(declared.path, field: field)
            }
        }
        self.outer = outer
        nilName = Self.intern("nil", dictionary)
        instanceName = Self.intern(XMLNames.instance, dictionary)
        rows.begin()
    }

    private static func intern(_ text: String?, _ dictionary: xmlDictPtr) -> UnsafePointer<xmlChar>? {
        text.flatMap { xmlDictLookup(dictionary, $0, -1) }
    }

    // MARK: - Events

    func start(_ tag: borrowing XMLStartTag) {
        if depth > 0 {
            depth &+= 1
            guard !isSkipped else { return }
            fields.enter(tag.name, tag.namespace)
            found(tag)
            return
        }
        rows.enter(tag.name, tag.namespace)
        if root == nil {
            root = LibXML.text(tag.name)
            isRootKnown = rows.isAlive
        }
        if !outer.isEmpty { around.append(outer.map { value(of: $0, in: tag) }) }
        guard rows.accepts else { return }
        depth = 1
        isSkipped = skipping > 0
        if isSkipped {
            skipping -= 1
            return
        }
        line = parser.line
        offset = parser.offset(of: tag)
        fields.begin()
        for attribute in outer {
            let level = around.count - 1 - attribute.levelsUp
            guard level >= 0, let place = outer.firstIndex(where: { $0.field == attribute.field }),
                let value = around[level][place]
            else { continue }
            value.withUnsafeBytes { take($0, into: attribute.field) }
        }
        found(tag)
    }

    func text(_ bytes: UnsafeRawBufferPointer) {
        guard depth > 0, !isSkipped else { return }
        if textBytes <= limits.maximumRecordBytes {
            for value in open { add(bytes, to: value.field) }
            for index in json.indices { json[index].value.characters(bytes) }
            for index in direct.indices where direct[index].depth == depth {
                for field in fields.outputs[direct[index].state].texts {
                    if !direct[index].hasBegun { cells[field].begin() }
                    add(bytes, to: field)
                }
                direct[index].hasBegun = true
            }
            if !json.isEmpty { textBytes &+= bytes.count }
        }
        markup.characters(bytes)
    }

    func end() {
        if depth == 0 {
            rows.leave()
            if !outer.isEmpty { around.removeLast() }
            return
        }
        if !isSkipped { close() }
        depth &-= 1
        guard depth == 0 else { return }
        rowCount += 1
        rows.leave()
        if !outer.isEmpty { around.removeLast() }
        if !isSkipped { endRow() }
    }

    // MARK: - Inside a row

    /// Opens what the fields want of an element.
    private func found(_ tag: borrowing XMLStartTag) {
        markup.start(tag)
        for index in json.indices { json[index].value.start(tag) }
        let attributeCount = tag.attributeCount
        if attributeCount > 0, !json.isEmpty {
            for index in 0..<attributeCount { textBytes &+= tag.attributeValue(index).count }
        }
        var states: (Int, [Int])? = nil
        fields.forEachState { state in
            if states == nil { states = (state, []) } else { states?.1.append(state) }
        }
        guard let (first, others) = states else { return }
        found(tag, first)
        for state in others { found(tag, state) }
    }

    private func found(_ tag: borrowing XMLStartTag, _ state: Int) {
        let outputs = fields.outputs[state]
        for attribute in outputs.attributes {
            for index in 0..<tag.attributeCount where tag.attributeName(index) == attribute.name {
                if attribute.namespace != nil, attribute.namespace != tag.attributeNamespace(index) { continue }
                take(tag.attributeValue(index), into: attribute.field)
            }
        }
        for field in outputs.values {
            let isNull = isNil(tag)
            cells[field].begin(isNull: isNull)
            guard cells[field].isOpen else { continue }
            if cells[field].form == .json {
                var value = ElementJSON()
                value.start(tag)
                json.append((field, depth, value))
            } else {
                open.append((field, depth))
            }
        }
        if !outputs.texts.isEmpty { direct.append((state, depth, false)) }
    }

    /// Ends what ends with the innermost element.
    private func close() {
        fields.leave()
        markup.end()
        while let last = open.last, last.depth == depth {
            cells[last.field].close()
            open.removeLast()
        }
        while let last = direct.last, last.depth == depth {
            for field in fields.outputs[last.state].texts { cells[field].close() }
            direct.removeLast()
        }
        guard !json.isEmpty else { return }
        for index in json.indices {
            guard let value = json[index].value.end() else { continue }
            value.compactBytes.withUnsafeBytes { cells[json[index].field].append($0) }
            cells[json[index].field].close()
        }
        json.removeAll { $0.depth == depth }
    }

    /// A value that is there at once.
    private func take(_ bytes: UnsafeRawBufferPointer, into field: Int) {
        guard textBytes <= limits.maximumRecordBytes else { return }
        cells[field].begin()
        add(bytes, to: field)
        cells[field].close()
    }

    @inline(__always) private func add(_ bytes: UnsafeRawBufferPointer, to field: Int) {
        textBytes &+= bytes.count
        cells[field].append(bytes)
    }

    private func isNil(_ tag: borrowing XMLStartTag) -> Bool {
        for index in 0..<tag.attributeCount
        where tag.attributeName(index) == nilName && tag.attributeNamespace(index) == instanceName {
            let value = tag.attributeValue(index)
            return value.elementsEqual("true".utf8) || value.elementsEqual("1".utf8)
        }
        return false
    }

    private func value(of attribute: OuterAttribute, in tag: borrowing XMLStartTag) -> [UInt8]? {
        for index in 0..<tag.attributeCount where tag.attributeName(index) == attribute.name {
            if attribute.namespace != nil, attribute.namespace != tag.attributeNamespace(index) { continue }
            return Array(tag.attributeValue(index))
        }
        return nil
    }

    private func endRow() {
        var broken: BrokenRecord.Reason?
        let isTooLong = textBytes > limits.maximumRecordBytes
        if isTooLong { broken = .tooLong }
        for (field, cell) in cells.enumerated() {
            if cell.isRepeated, broken == nil { broken = .repeated(field: field) }
            var bytes = isTooLong ? nil : cell.bytes
            if let found = bytes, nulls.contains(where: { $0.elementsEqual(found) }) { bytes = nil }
            chunk.append(bytes, field: field)
            cell.clear()
        }
        chunk.end(original: markup.bytes, line: line, offset: offset, broken: broken)
        markup.clear()
        open.removeAll(keepingCapacity: true)
        direct.removeAll(keepingCapacity: true)
        json.removeAll(keepingCapacity: true)
        textBytes = 0
    }
}
