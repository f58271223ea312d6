/// Errors are made here, off the hot path: lines and columns are counted only when one is thrown.
extension JSONTokenizer {
    /// An error whose sentence says what was expected at `offset` and what stands there.
    @inline(never)
    mutating func fail(_ code: JSONError.Code, at offset: Int, expected: StaticString) -> JSONError {
        failure(code, "expected \(expected), found \(JSONError.found(at: offset, in: bytes))", at: offset)
    }

    /// An error for an input that ends too early.
    @inline(never)
    mutating func failEnd(_ expected: StaticString, _ code: JSONError.Code = .unexpectedEnd) -> JSONError {
        failure(code, "expected \(expected), found the end of the input", at: count)
    }

    /// An error inside a number: an early end or a wrong byte.
    @inline(never)
    mutating func failNumber(at offset: Int, _ expected: StaticString) -> JSONError {
        offset < count ? fail(.invalidNumber, at: offset, expected: expected) : failEnd(expected)
    }

    /// An error with a sentence of its own.
    @inline(never)
    mutating func failure(_ code: JSONError.Code, _ message: String, at offset: Int) -> JSONError {
        let place = JSONError.place(of: offset, in: bytes)
        guard !looksLikeUTF16 else {
            return JSONError(
                .wrongEncoding, "the text looks like UTF-16 or UTF-32, JSON is read as UTF-8", offset: 0, line: 1,
                column: 1)
        }
        return JSONError(code, message, offset: offset, line: place.line, column: place.column)
    }

    /// UTF-16 and UTF-32 begin with a byte order mark or have a zero byte beside the first ASCII character.
    private var looksLikeUTF16: Bool {
        guard count >= 2 else { return false }
        let (first, second) = (byte(0), byte(1))
        return (first == 0xFF && second == 0xFE) || (first == 0xFE && second == 0xFF)
            || (first == 0 && second != 0) || (first != 0 && second == 0)
            || (first == 0 && second == 0 && count >= 4 && byte(2) == 0 && byte(3) != 0)
    }
}
