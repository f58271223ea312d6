/// Turns the comments of a stream of JSON into spaces, in place, so that nothing after it has to know of them.
///
/// Line feeds stay, so that lines and offsets are those of the original. A chunk may end anywhere.
package struct JSONCommentBlanker: Sendable {
    private enum State: Sendable { case plain, string, escape, slash, line, block, star }

    private var state = State.plain
    private var passed = 0
    private var line = 1
    private var slash = (offset: 0, line: 1)

    /// Creates a blanker at the start of a stream.
    package init() {}

    /// Blanks the comments in the stream's next bytes.
    ///
    /// A slash at the end of a chunk has been blanked before it is known to begin a comment.
    ///
    /// - Throws: ``JSONError`` for a slash outside strings that begins no comment.
    package mutating func blank(_ bytes: UnsafeMutableRawBufferPointer) throws(JSONError) {
        for i in bytes.indices {
            let byte = bytes[i]
            if byte == 0x0A { line += 1 }
            switch state {
            case .plain:
                if byte == 0x22 {
                    state = .string
                } else if byte == 0x2F {
                    state = .slash
                    slash = (passed + i, line)
                    bytes[i] = 0x20
                }
            case .string:
                if byte == 0x5C { state = .escape }
                if byte == 0x22 { state = .plain }
            case .escape: state = .string
            case .slash:
                guard byte == 0x2F || byte == 0x2A else {
                    throw error(.unexpectedByte, "expected '/' or '*' after '/'")
                }
                state = byte == 0x2F ? .line : .block
                bytes[i] = 0x20
            case .line:
                if byte == 0x0A { state = .plain } else { bytes[i] = 0x20 }
            case .block, .star:
                if state == .star, byte == 0x2F { state = .plain } else { state = byte == 0x2A ? .star : .block }
                if byte != 0x0A { bytes[i] = 0x20 }
            }
        }
        passed += bytes.count
    }

    /// Where the comment, or the slash that may begin one, lies in which the bytes passed so far end; the offset and line
    /// count from this blanker's start. Nil outside comments.
    package var openComment: (offset: Int, line: Int)? {
        switch state {
        case .slash, .line, .block, .star: slash
        case .plain, .string, .escape: nil
        }
    }

    /// Ends the stream.
    ///
    /// - Throws: ``JSONError`` when a `/* … */` or a slash is left open.
    package func finish() throws(JSONError) {
        switch state {
        case .block, .star: throw error(.unterminatedComment, "a comment has no '*/'")
        case .slash: throw error(.unexpectedEnd, "expected '/' or '*' after '/'")
        default: return
        }
    }

    /// An error at the slash passed last.
    private func error(_ code: JSONError.Code, _ message: String) -> JSONError {
        JSONError(code, message, offset: slash.offset, line: slash.line, column: nil)
    }
}
