internal import HeadraceCXML2

/// Writes the record that is being read as XML again, for its reject: entities put in, comments and processing
/// instructions left out, cut at a limit.
final class RecordMarkup {
    private let text = ByteText(capacity: 1024)
    private let limit: Int
    /// Names of the open elements as places in `names`.
    private var open: [(start: Int, count: Int)] = []
    private let names = ByteText()
    /// Whether the innermost start tag still lacks its `>`.
    private var isTagOpen = false
    private var isFull = false

    init(limit: Int) { self.limit = limit }

    /// What has been written, whole characters only.
    var bytes: UnsafeRawBufferPointer { text.bytes }

    func clear() {
        text.clear()
        names.clear()
        open.removeAll(keepingCapacity: true)
        isTagOpen = false
        isFull = false
    }

    func start(_ tag: borrowing XMLStartTag) {
        guard !isFull else { return }
        closeTag()
        let start = names.count
        appendName(tag.prefix, tag.name, to: names)
        open.append((start, names.count - start))
        text.append(UInt8(ascii: "<"))
        appendName(tag.prefix, tag.name, to: text)
        for index in 0..<tag.declarationCount {
            guard let declarations = tag.declarations else { break }
            text.append(" xmlns")
            if let prefix = declarations[index * 2] {
                text.append(UInt8(ascii: ":"))
                append(prefix, to: text)
            }
            text.append("=\"")
            if let uri = declarations[index * 2 + 1] {
                escape(UnsafeRawBufferPointer(start: uri, count: Int(xmlStrlen(uri))), inAttribute: true)
            }
            text.append(UInt8(ascii: "\""))
        }
        for index in 0..<tag.attributeCount {
            text.append(UInt8(ascii: " "))
            appendName(tag.attributePrefix(index), tag.attributeName(index), to: text)
            text.append("=\"")
            escape(tag.attributeValue(index), inAttribute: true)
            text.append(UInt8(ascii: "\""))
        }
        isTagOpen = true
        checkLimit()
    }

    func characters(_ bytes: UnsafeRawBufferPointer) {
        guard !isFull else { return }
        closeTag()
        // What cannot be kept need not be copied first.
        escape(UnsafeRawBufferPointer(rebasing: bytes.prefix(limit &- text.count &+ 4)), inAttribute: false)
        checkLimit()
    }

    func end() {
        guard !isFull, let last = open.popLast() else { return }
        if isTagOpen {
            text.append("/>")
            isTagOpen = false
        } else {
            text.append("</")
            text.append(UnsafeRawBufferPointer(rebasing: names.bytes[last.start..<last.start + last.count]))
            text.append(UInt8(ascii: ">"))
        }
        names.truncate(to: last.start)
        checkLimit()
    }

    private func closeTag() {
        if isTagOpen { text.append(UInt8(ascii: ">")) }
        isTagOpen = false
    }

    private func checkLimit() {
        guard text.count > limit else { return }
        isFull = true
        var end = limit
        while end > 0, text.bytes[end] & 0xC0 == 0x80 { end -= 1 }
        text.truncate(to: end)
        text.append("…")
    }

    private func appendName(
        _ prefix: UnsafePointer<xmlChar>?, _ name: UnsafePointer<xmlChar>?, to target: ByteText
    ) {
        if let prefix {
            append(prefix, to: target)
            target.append(UInt8(ascii: ":"))
        }
        if let name { append(name, to: target) }
    }

    private func append(_ name: UnsafePointer<xmlChar>, to target: ByteText) {
        target.append(UnsafeRawBufferPointer(start: name, count: Int(xmlStrlen(name))))
    }

    private func escape(_ bytes: UnsafeRawBufferPointer, inAttribute: Bool) {
        var start = 0
        for place in 0..<bytes.count {
            let reference: StaticString
            switch bytes[place] {
            case UInt8(ascii: "&"): reference = "&amp;"
            case UInt8(ascii: "<"): reference = "&lt;"
            case UInt8(ascii: ">"): reference = "&gt;"
            case UInt8(ascii: "\"") where inAttribute: reference = "&quot;"
            case 0x0A where inAttribute: reference = "&#10;"
            case 0x09 where inAttribute: reference = "&#9;"
            case 0x0D: reference = "&#13;"
            default: continue
            }
            text.append(UnsafeRawBufferPointer(rebasing: bytes[start..<place]))
            text.append(reference)
            start = place &+ 1
        }
        text.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
    }
}
