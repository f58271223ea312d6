/// Where the records are inside a JSON document.
///
/// Two spellings. A pointer after RFC 6901, `/data/items`: each part is a member's name or an element's index, `~1`
/// stands for `/` and `~0` for `~`; beyond the RFC a part `*` is every member and element, and `/` alone is the
/// document, like the empty text. A path of RFC 9535 that begins with `$`, of which the child segments `.name`, `.*`,
/// `['name']`, `["name"]`, `[0]` and `[*]` are understood and everything else is refused.
///
/// What the path leads to gives records: an array one per element, an object one, null none; at the document itself a
/// string, number or truth value is one too, further down it is an error. A path of RFC 9535 that ends in a wildcard
/// already names each element, so that an element that is an array stays one record.
package struct JSONRecordPath: Sendable, Hashable {
    /// One part of the path: what it selects of an object, and what of an array.
    struct Step: Sendable, Hashable {
        var name: [UInt8]?
        var index: Int?
        var isWildcard = false
    }

    let steps: [Step]
    /// Whether an array at the end of the path stands for its elements.
    let explodes: Bool
    /// The path as it was given.
    package let text: String

    /// The document itself: the elements of an array at the top, or the one object.
    package static let root = JSONRecordPath(steps: [], explodes: true, text: "")

    private init(steps: [Step], explodes: Bool, text: String) {
        self.steps = steps
        self.explodes = explodes
        self.text = text
    }

    /// Reads a path in either spelling.
    ///
    /// - Throws: ``JSONError`` with code `invalidRecordPath` that points into the path.
    package init(_ text: String) throws(JSONError) {
        if text.isEmpty || text == "/" {
            self.init(steps: [], explodes: true, text: text)
        } else if text.utf8.first == 0x2F {
            self.init(steps: try Self.pointer(text), explodes: true, text: text)
        } else if text.utf8.first == 0x24 {
            var parser = JSONPathParser(text)
            let steps = try parser.steps()
            self.init(steps: steps, explodes: steps.last?.isWildcard != true, text: text)
        } else {
            throw Self.invalid("a record path begins with '/' or '$'", at: 0)
        }
    }

    /// The nodes of a path of RFC 9535, one record each, arrays too.
    package init(nodesOf text: String) throws(JSONError) {
        var parser = JSONPathParser(text)
        self.init(steps: try parser.steps(), explodes: false, text: text)
    }

    static func invalid(_ message: String, at offset: Int) -> JSONError {
        JSONError(.invalidRecordPath, message, offset: offset, line: 1, column: offset + 1)
    }

    private static func pointer(_ text: String) throws(JSONError) -> [Step] {
        var steps: [Step] = []
        var offset = 1
        for part in text.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
            var name: [UInt8] = []
            var escaped = false
            for byte in part {
                if escaped {
                    guard byte == 0x30 || byte == 0x31 else { throw invalid("'~' is followed by 0 or 1", at: offset) }
                    name.append(byte == 0x30 ? 0x7E : 0x2F)
                    escaped = false
                } else if byte == 0x7E {
                    escaped = true
                } else {
                    name.append(byte)
                }
                offset += 1
            }
            if escaped { throw invalid("'~' is followed by 0 or 1", at: offset) }
            offset += 1
            let digits = String(decoding: name, as: UTF8.self)
            let index = Int(digits).flatMap { $0 >= 0 && String($0) == digits ? $0 : nil }
            steps.append(name == [0x2A] ? Step(isWildcard: true) : Step(name: name, index: index))
        }
        return steps
    }

    /// The first steps as a pointer, for messages: `/data/items`.
    func prefix(_ count: Int) -> String {
        steps.prefix(count).map { step in
            if step.isWildcard { return "/*" }
            return "/" + (step.name.map { String(decoding: $0, as: UTF8.self) } ?? String(step.index ?? 0))
        }.joined()
    }
}

/// Reads the child segments of RFC 9535.
private struct JSONPathParser {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func fail(_ message: String) -> JSONError { JSONRecordPath.invalid(message, at: position) }

    mutating func steps() throws(JSONError) -> [JSONRecordPath.Step] {
        guard current == 0x24 else { throw fail("a path begins with '$'") }
        position += 1
        var steps: [JSONRecordPath.Step] = []
        while true {
            let start = position
            skipBlank()
            switch current {
            case nil:
                guard start == position else { throw fail("white space follows the path") }
                return steps
            case 0x2E:
                position += 1
                steps.append(try shorthand())
            case 0x5B:
                position += 1
                skipBlank()
                steps.append(try selector())
                skipBlank()
                guard current == 0x5D else { throw fail("only one selector in '[…]' is supported, then ']'") }
                position += 1
            default: throw fail("a segment begins with '.' or '['")
            }
        }
    }

    private mutating func skipBlank() {
        while let byte = current, JSONBytes.isBlank(byte) { position += 1 }
    }

    private mutating func shorthand() throws(JSONError) -> JSONRecordPath.Step {
        if current == 0x2E { throw fail("descendants ('..') are not supported: name the way to the records") }
        if current == 0x2A {
            position += 1
            return .init(isWildcard: true)
        }
        let start = position
        while let byte = current {
            let isDigit = byte &- 0x30 < 10
            guard byte == 0x5F || byte >= 0x80 || (byte | 0x20) &- 0x61 < 26 || (isDigit && position > start) else {
                break
            }
            position += 1
        }
        guard position > start else { throw fail("a name or '*' follows '.'") }
        return .init(name: Array(bytes[start..<position]))
    }

    private mutating func selector() throws(JSONError) -> JSONRecordPath.Step {
        switch current {
        case 0x2A:
            position += 1
            return .init(isWildcard: true)
        case 0x22, 0x27: return .init(name: try quoted())
        case .some(0x30...0x39):
            let start = position
            while let byte = current, byte &- 0x30 < 10 { position += 1 }
            let digits = String(decoding: bytes[start..<position], as: UTF8.self)
            // RFC 9535 keeps integers within what a double holds exactly.
            guard let index = Int(digits), String(index) == digits, index < 1 << 53 else {
                throw fail("an index is a number up to 2^53 - 1 without leading zeros")
            }
            skipBlank()
            if current == 0x3A { throw fail("slices are not supported") }
            return .init(index: index)
        case 0x2D: throw fail("an index from the end is not supported: the end of a stream is not known")
        case 0x3A: throw fail("slices are not supported")
        case 0x3F: throw fail("filters are not supported: filter the rows instead")
        default: throw fail("a quoted name, an index or '*' follows '['")
        }
    }

    /// A name in either kind of quote, with the escapes of JSON and the quote itself.
    private mutating func quoted() throws(JSONError) -> [UInt8] {
        let quote = bytes[position]
        position += 1
        var json: [UInt8] = [0x22]
        while let byte = current, byte != quote {
            position += 1
            if byte == 0x5C, let escaped = current {
                position += 1
                if escaped == 0x27 {
                    guard quote == 0x27 else { throw fail("\\' stands in single quotes only") }
                    json.append(0x27)
                } else {
                    guard escaped != 0x22 || quote == 0x22 else { throw fail("\\\" stands in double quotes only") }
                    json += [byte, escaped]
                }
            } else {
                if byte == 0x22 { json.append(0x5C) }
                json.append(byte)
            }
        }
        guard current == quote else { throw fail("a name has no closing quote") }
        position += 1
        json.append(0x22)
        guard case .string(let name)? = try? JSONValue.parse(json) else {
            throw fail("a name has an invalid escape or character")
        }
        return Array(name.utf8)
    }
}
