internal import HeadraceCXML2
import HeadraceCore

/// Builds the JSON value of an element.
///
/// An element with text only is a string. Any other is an object: attributes as `@name`, child elements by their local
/// names, as an array where a name is repeated, and text that is not blank as `#text`. `xsi:nil` makes null.
struct ElementJSON {
    private struct Element {
        var name: String
        var members: [(name: String, values: [JSONValue])] = []
        var text: [UInt8] = []
        var isNil = false
        /// Where each member is, for elements with many.
        var places: [String: Int] = [:]

        mutating func add(_ value: JSONValue, as name: String) {
            if let place = places[name] {
                members[place].values.append(value)
            } else {
                places[name] = members.count
                members.append((name, [value]))
            }
        }

        var value: JSONValue {
            if isNil { return .null }
            let string = String(decoding: text, as: UTF8.self)
            if members.isEmpty { return .string(string) }
            var object = members.map { ($0.name, $0.values.count == 1 ? $0.values[0] : JSONValue.array($0.values)) }
            if !text.allSatisfy(CellDecoder.isBlank) { object.append(("#text", .string(string))) }
            return .object(object)
        }
    }

    private var open: [Element] = []

    mutating func start(_ tag: borrowing XMLStartTag) {
        var element = Element(name: LibXML.text(tag.name))
        for index in 0..<tag.attributeCount {
            let name = LibXML.text(tag.attributeName(index))
            let value = String(decoding: tag.attributeValue(index), as: UTF8.self)
            if LibXML.text(tag.attributeNamespace(index)) == XMLNames.instance {
                if name == "nil" { element.isNil = value == "true" || value == "1" }
            } else {
                element.add(.string(value), as: "@" + name)
            }
        }
        open.append(element)
    }

    mutating func characters(_ bytes: UnsafeRawBufferPointer) {
        if !open.isEmpty { open[open.count - 1].text.append(contentsOf: bytes) }
    }

    /// Closes the innermost element; the value when it was the outermost.
    mutating func end() -> JSONValue? {
        guard let element = open.popLast() else { return nil }
        if open.isEmpty { return element.value }
        open[open.count - 1].add(element.value, as: element.name)
        return nil
    }
}

/// Names that XML gives a meaning.
enum XMLNames {
    /// The namespace of `xsi:nil`.
    static let instance = "http://www.w3.org/2001/XMLSchema-instance"
}
