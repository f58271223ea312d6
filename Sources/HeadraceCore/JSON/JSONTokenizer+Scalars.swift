extension JSONTokenizer {
    /// Checks the string whose opening quote is at `i` and makes its inside the current token.
    @inline(__always)
    mutating func string(at i: Int) throws(JSONError) {
        hasEscapes = false
        isASCII = true
        tokenStart = i &+ 1
        tokenEnd = try endOfString(from: i &+ 1)
    }

    private mutating func endOfString(from start: Int) throws(JSONError) -> Int {
        var i = start
        while true {
            while i &+ 8 <= count {
                let stops = JSONBytes.stringStops(JSONBytes.load8(base, i))
                if stops != 0 {
                    i &+= stops.trailingZeroBitCount &>> 3
                    break
                }
                i &+= 8
            }
            guard i < count else { throw failEnd("'\"' at the end of a string") }
            let byte = byte(i)
            if byte == 0x22 { return i }
            if byte >= 0x80 {
                isASCII = false
                i = try endOfMultibyteRun(from: i)
            } else if byte == 0x5C {
                hasEscapes = true
                i = try endOfEscape(at: i)
            } else if byte < 0x20 {
                throw fail(.controlCharacterInString, at: i, expected: "control characters in strings to be escaped")
            } else {
                i &+= 1
            }
        }
    }

    /// Passes well-formed sequences beyond ASCII; text in other scripts comes in long runs of them.
    private mutating func endOfMultibyteRun(from start: Int) throws(JSONError) -> Int {
        var i = start
        while i < count, byte(i) >= 0x80 {
            if byte(i) &- 0xC2 < 0x1E, i &+ 1 < count, byte(i &+ 1) & 0xC0 == 0x80 {
                i &+= 2
                continue
            }
            let length = JSONBytes.sequenceLength(bytes, at: i)
            guard length > 0 else {
                throw fail(.invalidUTF8, at: i, expected: "UTF-8")
            }
            i &+= length
        }
        return i
    }

    private mutating func endOfEscape(at i: Int) throws(JSONError) -> Int {
        guard i &+ 1 < count else { throw failEnd("the rest of an escape") }
        switch byte(i &+ 1) {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:
            return i &+ 2
        case 0x75:
            let unit = try codeUnit(at: i)
            guard unit & 0xF800 == 0xD800 else { return i &+ 6 }
            if unit < 0xDC00, i &+ 7 < count, byte(i &+ 6) == 0x5C, byte(i &+ 7) == 0x75 {
                if try codeUnit(at: i &+ 6) & 0xFC00 == 0xDC00 { return i &+ 12 }
            }
            guard options.loneSurrogates == .replaced else {
                throw failure(.loneSurrogate, "an escape is half of a surrogate pair without the other half", at: i)
            }
            return i &+ 6
        default:
            throw fail(.invalidEscape, at: i &+ 1, expected: "one of \"\\/bfnrtu after a backslash")
        }
    }

    /// The four hexadecimal digits of the `\u` escape at `i`.
    private mutating func codeUnit(at i: Int) throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for k in 2..<6 {
            guard i &+ k < count else { throw failEnd("four hexadecimal digits after \\u") }
            let digit = JSONBytes.hexadecimal(byte(i &+ k))
            guard digit < 16 else {
                throw fail(.invalidEscape, at: i &+ k, expected: "four hexadecimal digits after \\u")
            }
            unit = unit &<< 4 | UInt16(digit)
        }
        return unit
    }

    /// Checks the number at `i`, makes it the current token and returns its end.
    mutating func number(at start: Int) throws(JSONError) -> Int {
        var i = start
        if byte(i) == 0x2D {
            i &+= 1
            if options.allowsNonFiniteNumbers, i < count, byte(i) == 0x49 {
                try literal("Infinity", at: i)
                tokenStart = start
                numberShape = .nonFinite
                return tokenEnd
            }
        }
        guard i < count, isDigit(i) else { throw failNumber(at: i, "a digit after '-'") }
        var shape = JSONNumberShape.integer
        if byte(i) == 0x30 {
            i &+= 1
            if i < count, isDigit(i) {
                throw failure(.invalidNumber, "a number begins with 0 and another digit", at: start)
            }
        } else {
            i = endOfDigits(from: i)
        }
        if i < count, byte(i) == 0x2E {
            shape = .fraction
            i &+= 1
            guard i < count, isDigit(i) else { throw failNumber(at: i, "a digit after the decimal point") }
            i = endOfDigits(from: i)
        }
        if i < count, byte(i) | 0x20 == 0x65 {
            shape = .exponent
            i &+= 1
            if i < count, byte(i) == 0x2B || byte(i) == 0x2D { i &+= 1 }
            guard i < count, isDigit(i) else { throw failNumber(at: i, "a digit in the exponent") }
            i = endOfDigits(from: i)
        }
        numberShape = shape
        tokenStart = start
        tokenEnd = i
        return i
    }

    @inline(__always)
    private func isDigit(_ index: Int) -> Bool { byte(index) &- 0x30 < 10 }

    @inline(__always)
    private mutating func endOfDigits(from start: Int) -> Int {
        var i = start
        while i < count, isDigit(i) { i &+= 1 }
        return i
    }

    /// Checks a word letter by letter and makes it the current token, a whole value.
    @inline(__always)
    mutating func literal(_ word: StaticString, at i: Int) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        for k in 1..<length {
            guard i &+ k < count else { throw failEnd("the rest of a word", .unexpectedEnd) }
            guard byte(i &+ k) == word.utf8Start[k] else {
                throw fail(.invalidLiteral, at: i &+ k, expected: word)
            }
        }
        tokenStart = i
        tokenEnd = i &+ length
        ended(at: tokenEnd)
    }

    /// The end of the comment whose slash is at `i`, which may be the end of the input after `//`.
    mutating func skipComment(at i: Int) throws(JSONError) -> Int {
        guard i &+ 1 < count else { throw failEnd("'/' or '*' after '/'") }
        switch byte(i &+ 1) {
        case 0x2F:
            var end = i &+ 2
            while end < count, byte(end) != 0x0A { end &+= 1 }
            return end
        case 0x2A:
            var end = i &+ 2
            while end &+ 1 < count {
                if byte(end) == 0x2A, byte(end &+ 1) == 0x2F { return end &+ 2 }
                end &+= 1
            }
            throw failure(.unterminatedComment, "a comment has no '*/'", at: i)
        default:
            throw fail(.unexpectedByte, at: i &+ 1, expected: "'/' or '*' after '/'")
        }
    }
}
