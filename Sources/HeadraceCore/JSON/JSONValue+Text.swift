extension JSONValue {
    /// How deep a tree may be, whatever the options say: trees are walked by recursion.
    private static let maximumDepth = 1024

    /// Reads one document from UTF-8 bytes; only white space may follow it.
    ///
    /// - Throws: ``JSONError`` with offset, line and column.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, options: JSONReadingOptions = .strict
    ) throws(JSONError) -> JSONValue {
        var bounded = options
        bounded.maximumDepth = min(options.maximumDepth, maximumDepth)
        var tokenizer = JSONTokenizer(bytes, options: bounded)
        let value = try JSONValue(reading: try tokenizer.next(), from: &tokenizer)
        _ = try tokenizer.next()
        return value
    }

    /// Reads one document from UTF-8 bytes; only white space may follow it.
    ///
    /// - Throws: ``JSONError`` with offset, line and column.
    public static func parse(_ bytes: [UInt8], options: JSONReadingOptions = .strict) throws(JSONError) -> JSONValue {
        // The standard library's closure does not carry the error's type.
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(JSONError) in try parse(bytes, options: options) }
        }
        return try result.get()
    }

    /// Reads one document; only white space may follow it.
    ///
    /// - Throws: ``JSONError`` with offset in UTF-8 bytes, line and column.
    public static func parse(_ text: String, options: JSONReadingOptions = .strict) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), options: options)
    }

    /// Reads the value whose first token has just been read; the tokenizer stands after it then.
    package init(reading token: JSONToken, from tokenizer: inout JSONTokenizer) throws(JSONError) {
        switch token {
        case .objectStart:
            var members: [JSONObject.Member] = []
            while try tokenizer.next() == .key {
                let name = tokenizer.text
                members.append(.init(name, try JSONValue(reading: try tokenizer.next(), from: &tokenizer)))
            }
            self = .object(JSONObject(members))
        case .arrayStart:
            var elements: [JSONValue] = []
            while true {
                let token = try tokenizer.next()
                if token == .arrayEnd { break }
                elements.append(try JSONValue(reading: token, from: &tokenizer))
            }
            self = .array(elements)
        case .string: self = .string(tokenizer.text)
        case .number: self = .number(JSONNumber(checked: tokenizer.text))
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .null, .key, .objectEnd, .arrayEnd, .end: self = .null
        }
    }

    /// The value without white space, on one line.
    public var compactText: String { text(indentation: 0) }

    /// The value with each element and member on a line of its own, indented by two spaces a level, without a line
    /// feed at the end. The same value gives the same text in every release.
    public var prettyText: String { text(indentation: 2) }

    /// The bytes of ``compactText``.
    public var compactBytes: [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return Array(writer.buffer.bytes)
    }

    private func text(indentation: Int) -> String {
        var writer = JSONWriter(indentation: indentation)
        writer.value(self)
        return String(decoding: writer.buffer.bytes, as: UTF8.self)
    }
}

extension JSONValue: CustomStringConvertible {
    /// The compact text.
    public var description: String { compactText }
}

extension JSONWriter {
    /// Writes a tree.
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(let number): self.number(number)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let object):
            beginObject()
            for member in object.members {
                key(member.name)
                self.value(member.value)
            }
            endObject()
        }
    }
}
