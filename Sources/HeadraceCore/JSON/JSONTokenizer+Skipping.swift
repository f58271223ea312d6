extension JSONTokenizer {
    /// Passes the rest of the value whose first token ``next()`` has just returned, and returns all its bytes.
    ///
    /// Fast and not validating: inside a container only strings and the number of brackets are looked at, so a
    /// container that another reader would refuse may pass. A scalar has been validated already. A key's range is
    /// that of the name with its quotes, and nothing is passed.
    package mutating func skip(_ token: JSONToken) throws(JSONError) -> Range<Int> {
        let start = tokenStart
        switch token {
        case .objectStart, .arrayStart:
            guard !options.allowsComments else { return try validate(token) }
            var skipper = JSONContainerSkipper()
            guard let end = skipper.skip(base, from: position, to: count) else {
                throw failEnd(token == .objectStart ? "the end of an object" : "the end of an array")
            }
            closed(at: end)
            return start..<end
        case .key, .string: return start &- 1..<tokenEnd &+ 1
        default: return start..<tokenEnd
        }
    }

    /// Passes the rest of the value whose first token ``next()`` has just returned, checking all of it, and returns
    /// all its bytes: JSON text that can be stored as it is.
    package mutating func validate(_ token: JSONToken) throws(JSONError) -> Range<Int> {
        guard token == .objectStart || token == .arrayStart else { return try skip(token) }
        let start = tokenStart
        let outer = depth &- 1
        while depth > outer { _ = try next() }
        return start..<tokenEnd
    }

    /// Passes the value of the member whose key has just been read; not validating, like ``skip(_:)``.
    package mutating func skipValue() throws(JSONError) -> Range<Int> {
        try skip(try next())
    }
}

extension JSONTokenizer {
    /// Appends the text of the current key or string, with escapes resolved, to a buffer that the caller reuses.
    package func appendText(to buffer: inout JSONBuffer) {
        guard hasEscapes else { return buffer.append(tokenBytes) }
        JSONEscapes.resolve(tokenBytes, into: &buffer)
    }

    /// The text of the current key or string, or the current number's or word's bytes, as a Swift string.
    package var text: String {
        guard hasEscapes else { return String(decoding: tokenBytes, as: UTF8.self) }
        var buffer = JSONBuffer(capacity: tokenBytes.count)
        JSONEscapes.resolve(tokenBytes, into: &buffer)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }
}
