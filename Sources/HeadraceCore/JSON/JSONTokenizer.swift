import Glibc

/// A pull tokenizer of RFC 8259 over bytes in memory.
///
/// ``next()`` checks everything it passes: grammar, UTF-8, escapes and depth. No token allocates; the tokenizer keeps
/// one bit per open container, in the value itself for the first 64. The bytes must outlive the tokenizer and stay
/// unchanged. After an error it is spent until ``reset(_:)``.
///
/// Not an error: duplicate names, numbers of any size, an empty name.
// Its helpers are mutating though they change nothing: a call that only borrows makes the compiler copy the whole value
// to the stack first, at every token.
package struct JSONTokenizer: ~Copyable {
    enum State: UInt8 {
        case value, firstMember, firstElement, afterValue, finished
    }

    let options: JSONReadingOptions
    let checksComments: Bool
    var base: UnsafeRawPointer
    var count: Int
    var position = 0
    var state = State.value
    /// One bit per open container, 1 for an object; the innermost is bit 0.
    var kinds: UInt64 = 0
    /// Full words of `kinds` below the current one, for depths beyond 64.
    var outerKinds: [UInt64] = []

    /// How many containers are open.
    package internal(set) var depth = 0
    /// Where the current token begins: for a key or string the byte after its opening quote.
    package internal(set) var tokenStart = 0
    /// Where the current token ends: for a key or string its closing quote.
    package internal(set) var tokenEnd = 0
    /// Whether the current key or string holds a backslash, so that its bytes are not its text.
    package internal(set) var hasEscapes = false
    /// Whether the current key or string is ASCII as written; escapes may still stand for other characters.
    package internal(set) var isASCII = true
    /// How the current number is written.
    package internal(set) var numberShape = JSONNumberShape.integer

    /// Creates a tokenizer at the start of one document.
    package init(_ bytes: UnsafeRawBufferPointer, options: JSONReadingOptions = .strict) {
        self.options = options
        checksComments = options.allowsComments
        base = Self.address(bytes)
        count = bytes.count
        position = Self.lengthOfByteOrderMark(bytes)
    }

    /// Starts over on another document, with the same options.
    package mutating func reset(_ bytes: UnsafeRawBufferPointer) {
        base = Self.address(bytes)
        count = bytes.count
        position = Self.lengthOfByteOrderMark(bytes)
        state = .value
        kinds = 0
        depth = 0
        outerKinds.removeAll(keepingCapacity: true)
    }

    /// The document.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// The bytes of the current token, without quotes; for a key or string they are its text unless ``hasEscapes``.
    package var tokenBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + tokenStart, count: tokenEnd &- tokenStart)
    }

    /// Reads the next token.
    package mutating func next() throws(JSONError) -> JSONToken {
        var i = try skipBlank(from: position)
        switch state {
        case .value:
            return try value(at: i)
        case .afterValue:
            guard i < count else { throw failEnd(afterValueExpectation) }
            let inObject = kinds & 1 == 1
            let byte = byte(i)
            if byte == 0x2C {
                i = try skipBlank(from: i &+ 1)
                if options.allowsTrailingCommas, i < count, self.byte(i) == (inObject ? 0x7D : 0x5D) {
                    return close(at: i)
                }
                return inObject ? try key(at: i, "a name in '\"' after ','") : try value(at: i)
            }
            if byte == (inObject ? 0x7D : 0x5D) { return close(at: i) }
            throw fail(.unexpectedByte, at: i, expected: afterValueExpectation)
        case .firstMember:
            if i < count, byte(i) == 0x7D { return close(at: i) }
            return try key(at: i, "a name in '\"' or '}'")
        case .firstElement:
            if i < count, byte(i) == 0x5D { return close(at: i) }
            return try value(at: i)
        case .finished:
            guard i < count else {
                position = i
                tokenStart = i
                tokenEnd = i
                return .end
            }
            throw fail(.trailingContent, at: i, expected: "nothing after the value")
        }
    }

    /// Passes a comma, a name and its colon that stand next in exactly these bytes, `,"name":`; without the comma for the
    /// first member of an object. The bytes must be a comma and a well-formed name with its colon, or none.
    ///
    /// - Returns: false when something else stands there, and nothing was passed.
    package mutating func passMember(_ member: UnsafeRawPointer, _ length: Int) -> Bool {
        let skipped: Int
        switch state {
        case .firstMember: skipped = 1
        case .afterValue where kinds & 1 == 1: skipped = 0
        default: return false
        }
        let rest = length &- skipped
        guard rest > 1, position &+ rest <= count, memcmp(base + position, member + skipped, rest) == 0 else {
            return false
        }
        position &+= rest
        state = .value
        return true
    }

    @inline(__always)
    func byte(_ index: Int) -> UInt8 { base.load(fromByteOffset: index, as: UInt8.self) }

    @inline(__always)
    mutating func skipBlank(from start: Int) throws(JSONError) -> Int {
        var i = start
        while i < count {
            let byte = byte(i)
            if byte > 0x20 {
                guard checksComments, byte == 0x2F else { return i }
                i = try skipComment(at: i)
            } else if JSONBytes.isBlank(byte) {
                i &+= 1
                while i &+ 8 <= count, JSONBytes.load8(base, i) == 0x2020_2020_2020_2020 { i &+= 8 }
            } else {
                return i
            }
        }
        return i
    }

    private mutating func value(at i: Int) throws(JSONError) -> JSONToken {
        guard i < count else { throw failEnd("a value") }
        switch byte(i) {
        case 0x22:
            try string(at: i)
            ended(at: tokenEnd &+ 1)
            return .string
        case 0x2D, 0x30...0x39:
            ended(at: try number(at: i))
            return .number
        case 0x7B:
            try open(at: i, kind: 1)
            state = .firstMember
            return .objectStart
        case 0x5B:
            try open(at: i, kind: 0)
            state = .firstElement
            return .arrayStart
        case 0x74:
            try literal("true", at: i)
            return .true
        case 0x66:
            try literal("false", at: i)
            return .false
        case 0x6E:
            try literal("null", at: i)
            return .null
        case 0x4E where options.allowsNonFiniteNumbers:
            try literal("NaN", at: i)
            numberShape = .nonFinite
            return .number
        case 0x49 where options.allowsNonFiniteNumbers:
            try literal("Infinity", at: i)
            numberShape = .nonFinite
            return .number
        default:
            throw fail(.unexpectedByte, at: i, expected: "a value")
        }
    }

    private mutating func key(at i: Int, _ expected: StaticString) throws(JSONError) -> JSONToken {
        guard i < count else { throw failEnd(expected) }
        guard byte(i) == 0x22 else { throw fail(.unexpectedByte, at: i, expected: expected) }
        try string(at: i)
        let colon = try skipBlank(from: tokenEnd &+ 1)
        guard colon < count else { throw failEnd("':' after a name") }
        guard byte(colon) == 0x3A else { throw fail(.unexpectedByte, at: colon, expected: "':' after a name") }
        position = colon &+ 1
        state = .value
        return .key
    }

    @inline(__always)
    mutating func ended(at end: Int) {
        position = end
        state = depth == 0 ? .finished : .afterValue
    }

    private mutating func open(at i: Int, kind: UInt64) throws(JSONError) {
        guard depth < options.maximumDepth else {
            throw failure(.tooDeep, "more than \(options.maximumDepth) arrays and objects are open at once", at: i)
        }
        if depth & 63 == 0, depth > 0 { outerKinds.append(kinds) }
        kinds = kinds &<< 1 | kind
        depth &+= 1
        tokenStart = i
        tokenEnd = i &+ 1
        position = i &+ 1
    }

    private mutating func close(at i: Int) -> JSONToken {
        let wasObject = kinds & 1 == 1
        tokenStart = i
        tokenEnd = i &+ 1
        closed(at: tokenEnd)
        return wasObject ? .objectEnd : .arrayEnd
    }

    /// Leaves the innermost container, whose last byte lies before `end`.
    mutating func closed(at end: Int) {
        depth &-= 1
        kinds = kinds &>> 1
        if depth & 63 == 0, depth > 0 { kinds = outerKinds.removeLast() }
        ended(at: end)
    }

    private var afterValueExpectation: StaticString {
        kinds & 1 == 1 ? "',' or '}' after a member" : "',' or ']' after an element"
    }

    private static func address(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer {
        let empty: StaticString = ""
        return bytes.baseAddress ?? UnsafeRawPointer(empty.utf8Start)
    }

    private static func lengthOfByteOrderMark(_ bytes: UnsafeRawBufferPointer) -> Int {
        bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
    }
}
