/// Why a text is not the JSON that was asked for, and where.
public struct JSONError: Error, Sendable, Hashable {
    /// The kind of failure, stable across releases.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The input ends inside a value, or holds none.
        case unexpectedEnd
        /// A byte that no rule of the grammar allows at its place.
        case unexpectedByte
        /// A number that RFC 8259 section 6 does not allow, such as `01` or `1.`.
        case invalidNumber
        /// A word that is not `true`, `false` or `null`.
        case invalidLiteral
        /// A byte below 0x20 inside a string; it has to be escaped.
        case controlCharacterInString
        /// A backslash followed by something other than `"\/bfnrtu`, or `\u` without four hexadecimal digits.
        case invalidEscape
        /// Half of a surrogate pair without the other half.
        case loneSurrogate
        /// Bytes that are not UTF-8: stray, overlong, cut short, a surrogate or beyond U+10FFFF.
        case invalidUTF8
        /// The text looks like UTF-16 or UTF-32 and must be converted first.
        case wrongEncoding
        /// More arrays and objects are open at once than the options allow.
        case tooDeep
        /// Something other than white space follows the value.
        case trailingContent
        /// A `/* … */` without its end.
        case unterminatedComment
        /// A record is longer than the limit.
        case recordTooLarge
        /// A record path leads to nothing in the document.
        case recordPathNotFound
        /// A record path leads to a value that is neither an array nor an object.
        case recordPathNotRecords
        /// A record path that cannot be read.
        case invalidRecordPath
        /// A value has another kind than its reader asked for.
        case wrongKind
    }

    /// The kind of failure.
    public var code: Code
    /// One sentence without its place, such as `expected ',' or '}' after a member, found 'x'`.
    public var message: String
    /// Bytes before the failure, from the start of the text or stream.
    public var offset: Int
    /// The line of the failure, from 1; lines end with a line feed.
    public var line: Int
    /// The character of the line, from 1, counting Unicode scalars; nil where a stream's earlier part is gone.
    public var column: Int?

    /// Creates an error from its parts.
    public init(_ code: Code, _ message: String, offset: Int, line: Int, column: Int?) {
        self.code = code
        self.message = message
        self.offset = offset
        self.line = line
        self.column = column
    }

    /// The same failure for a text that began `offset` bytes into a stream, on line `line`.
    ///
    /// The column is kept only when the failure is not on the text's first line, because that line's beginning may
    /// belong to the text before.
    public func inStream(offset start: Int, line first: Int) -> JSONError {
        var moved = self
        moved.offset += start
        moved.line += first - 1
        if line == 1, start > 0 { moved.column = nil }
        return moved
    }
}

extension JSONError: CustomStringConvertible {
    /// The sentence and its place: `expected ':' after a key, found '1' at line 2, column 8 (byte 14)`.
    public var description: String {
        let place = column.map { "line \(line), column \($0)" } ?? "line \(line)"
        return "\(message) at \(place) (byte \(offset))"
    }
}

extension JSONError {
    /// The line and column of a byte, both from 1; the column counts Unicode scalars.
    static func place(of offset: Int, in bytes: UnsafeRawBufferPointer) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in bytes[..<min(offset, bytes.count)] {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }

    /// How a message names the character at an offset: `'x'`, `byte 0x07`, or the end of the input.
    static func found(at offset: Int, in bytes: UnsafeRawBufferPointer) -> String {
        guard offset < bytes.count else { return "the end of the input" }
        let byte = bytes[offset]
        if byte == 0x27 { return "\"'\"" }
        if byte >= 0x20, byte < 0x7F { return "'\(Unicode.Scalar(byte))'" }
        let length = JSONBytes.sequenceLength(bytes, at: offset)
        guard byte >= 0x80, length > 0 else {
            return "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return "'" + String(decoding: bytes[offset..<offset + length], as: UTF8.self) + "'"
    }
}
