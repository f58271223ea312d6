/// A link in an XML or HTML page, found by its element without reading the page as a tree.
///
/// Tags are read as both languages write them: any case, attributes in quotes of either kind or none, a namespace prefix
/// left aside. What stands in comments and CDATA is no tag. Enough for the one link that leads to the next page; for anything else there is the
/// format's parser.
struct MarkupLink: Sendable, Hashable {
    /// Names in lower case.
    let elements: [String]
    let attribute: String
    /// A word that an attribute must hold, such as `next` in `rel`; nil for none.
    let required: Required?

    struct Required: Sendable, Hashable {
        let attribute: String
        let word: String
    }

    /// The attribute of the first such element that has it; nil when there is none.
    func find(in page: [UInt8]) -> String? {
        var scanner = MarkupScanner(page)
        while let tag = scanner.nextTag() {
            guard elements.contains(tag.name), let link = tag.attributes[attribute] else { continue }
            if let required {
                let words = tag.attributes[required.attribute]?.lowercased().split { $0.isWhitespace } ?? []
                guard words.contains(where: { $0 == required.word }) else { continue }
            }
            return link
        }
        return nil
    }
}

extension Pagination {
    /// The URL in an attribute of the first element of a name: `<next href="…"/>` of an XML feed.
    public static func elementLink(_ element: String, attribute: String = "href") -> Pagination {
        let link = MarkupLink(elements: [element.lowercased()], attribute: attribute.lowercased(), required: nil)
        return .link { bytes, _ in link.find(in: bytes) }
    }

    /// The `href` of an `a` or `link` element of an HTML page whose `rel` says `next`.
    public static var htmlLink: Pagination {
        let link = MarkupLink(
            elements: ["a", "link"], attribute: "href", required: .init(attribute: "rel", word: "next"))
        return .link { bytes, _ in link.find(in: bytes) }
    }
}

/// Goes through the start tags of a page.
struct MarkupScanner {
    struct Tag {
        let name: String
        /// By names in lower case; of an attribute given twice the first counts, as in HTML.
        let attributes: [String: String]
    }

    private let bytes: [UInt8]
    private var index = 0

    init(_ page: [UInt8]) { bytes = page }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func nextTag() -> Tag? {
        while let byte = current {
            guard byte == UInt8(ascii: "<") else {
                index += 1
                continue
            }
            if skip("<!--", to: "-->") || skip("<![CDATA[", to: "]]>") { continue }
            index += 1
            guard let first = current, Self.isLetter(first) || first == UInt8(ascii: "_") || first >= 0x80 else {
                continue
            }
            let name = take { !Self.isBlank($0) && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "/") }
            return Tag(name: Self.local(name), attributes: attributes())
        }
        return nil
    }

    /// Passes from an opening mark to after its end, or to the end of the page; false when the mark is not here.
    private mutating func skip(_ open: String, to close: String) -> Bool {
        guard bytes[index...].starts(with: open.utf8) else { return false }
        index += open.utf8.count
        while index < bytes.count, !bytes[index...].starts(with: close.utf8) { index += 1 }
        index = min(bytes.count, index + close.utf8.count)
        return true
    }

    private mutating func attributes() -> [String: String] {
        var found: [String: String] = [:]
        while let byte = current, byte != UInt8(ascii: ">") {
            if Self.isBlank(byte) || byte == UInt8(ascii: "/") {
                index += 1
                continue
            }
            let ends: Set<UInt8> = [UInt8(ascii: "="), UInt8(ascii: ">"), UInt8(ascii: "/")]
            var name = take { !ends.contains($0) && !Self.isBlank($0) }
            if name.isEmpty {
                index += 1
                continue
            }
            name = name.lowercased()
            skipBlanks()
            var value = ""
            if current == UInt8(ascii: "=") {
                index += 1
                skipBlanks()
                value = self.value()
            }
            if found[name] == nil { found[name] = Self.unescaped(value) }
        }
        return found
    }

    private mutating func value() -> String {
        guard let quote = current, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            return take { !Self.isBlank($0) && $0 != UInt8(ascii: ">") }
        }
        index += 1
        let text = take { $0 != quote }
        index += 1
        return text
    }

    private mutating func take(while passes: (UInt8) -> Bool) -> String {
        let start = index
        while let byte = current, passes(byte) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func skipBlanks() {
        while let byte = current, Self.isBlank(byte) { index += 1 }
    }

    private static func local(_ name: String) -> String {
        name.lowercased().split(separator: ":").last.map(String.init) ?? ""
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }

    /// Undoes the references that both languages have; others stay as they are.
    private static func unescaped(_ text: String) -> String {
        guard text.contains("&") else { return text }
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "&") {
            result += rest[..<start]
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: ";"), let character = character(rest[..<end]) else {
                result += "&"
                continue
            }
            result.unicodeScalars.append(character)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func character(_ reference: Substring) -> Unicode.Scalar? {
        switch reference {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard reference.hasPrefix("#") else { return nil }
            let digits = reference.dropFirst()
            let isHexadecimal = digits.first == "x" || digits.first == "X"
            let number = isHexadecimal ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return number.flatMap(Unicode.Scalar.init)
        }
    }
}
