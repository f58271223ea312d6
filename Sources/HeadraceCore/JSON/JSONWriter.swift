internal import Glibc

/// Writes JSON text into a ``JSONBuffer``: commas, indentation and escapes are its work, order of calls the caller's.
///
/// Nothing is allocated per value except for floating-point numbers of more than 15 characters. At depth 0 a value
/// follows ``endRecord()`` or nothing; anything else would write a comma between documents. Strings are taken to be
/// UTF-8, as columns guarantee it, and are written without escapes beyond those that RFC 8259 demands.
package struct JSONWriter: ~Copyable {
    /// What a floating-point value becomes that JSON has no number for.
    package enum NonFinite: Sendable, Hashable {
        /// `null`
        case null
        /// `"NaN"`, `"Infinity"` or `"-Infinity"`
        case string
        /// `NaN`, `Infinity` or `-Infinity`: not JSON, for readers that allow it
        case literal
    }

    /// What has been written.
    package var buffer: JSONBuffer
    /// What NaN and the infinities become.
    package var nonFinite = NonFinite.null
    private let indentation: Int
    private var depth = 0
    private var needsComma = false
    private var followsKey = false

    /// Creates a writer; `indentation` above 0 puts each element and member on a line of its own.
    package init(into buffer: consuming JSONBuffer = JSONBuffer(), indentation: Int = 0) {
        self.buffer = buffer
        self.indentation = indentation
    }

    /// Gives up the buffer.
    package consuming func finish() -> JSONBuffer { buffer }

    /// Opens an object; members follow as ``key(_:)-(String)`` and value.
    @inline(__always)
    package mutating func beginObject() { begin(0x7B) }

    /// Closes the innermost container, which is an object.
    @inline(__always)
    package mutating func endObject() { end(0x7D) }

    /// Opens an array.
    @inline(__always)
    package mutating func beginArray() { begin(0x5B) }

    /// Closes the innermost container, which is an array.
    @inline(__always)
    package mutating func endArray() { end(0x5D) }

    /// Ends a record of newline-delimited JSON: the next value is a document of its own.
    @inline(__always)
    package mutating func endRecord() {
        buffer.append(0x0A)
        needsComma = false
    }

    /// Writes a member's name from its UTF-8.
    package mutating func key(_ name: UnsafeRawBufferPointer) {
        separate()
        quote(name)
        colon()
    }

    /// Writes a member's name.
    package mutating func key(_ name: String) {
        var name = name
        name.withUTF8 { key(UnsafeRawBufferPointer($0)) }
    }

    /// Writes a member's name that ``prepared(_:)`` has quoted, escaped and ended with a colon.
    @inline(__always)
    package mutating func key(prepared: UnsafeRawBufferPointer) {
        separate()
        buffer.append(prepared)
        followsKey = true
    }

    /// A member's name quoted, escaped and with its colon, for ``key(prepared:)``: do it once per column.
    package static func prepared(_ name: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.key(name)
        return Array(writer.buffer.bytes)
    }

    /// Writes a string from its UTF-8.
    package mutating func string(_ text: UnsafeRawBufferPointer) {
        separate()
        quote(text)
    }

    /// Writes a string.
    package mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }

    /// Writes a string that needs no escapes: dates, digits, identifiers. Not checked.
    @inline(__always)
    package mutating func string(plain text: UnsafeRawBufferPointer) {
        separate()
        buffer.append(0x22)
        buffer.append(text)
        buffer.append(0x22)
    }

    /// Writes bytes that are one JSON value already. Not checked.
    @inline(__always)
    package mutating func json(_ text: UnsafeRawBufferPointer) {
        separate()
        buffer.append(text)
    }

    /// Writes `null`.
    @inline(__always)
    package mutating func null() {
        separate()
        buffer.append("null")
    }

    /// Writes `true` or `false`.
    @inline(__always)
    package mutating func bool(_ value: Bool) {
        separate()
        buffer.append(value ? "true" : "false" as StaticString)
    }

    /// Writes whatever must stand before a value or name: a comma, a new line, or nothing after a key.
    @inline(__always)
    mutating func separate() {
        if followsKey {
            followsKey = false
            return
        }
        if needsComma { buffer.append(0x2C) }
        needsComma = true
        if indentation > 0, depth > 0 { newLine() }
    }

    @inline(__always)
    private mutating func colon() {
        buffer.append(0x3A)
        if indentation > 0 { buffer.append(0x20) }
        followsKey = true
    }

    @inline(__always)
    private mutating func begin(_ bracket: UInt8) {
        separate()
        buffer.append(bracket)
        depth &+= 1
        needsComma = false
    }

    @inline(__always)
    private mutating func end(_ bracket: UInt8) {
        depth &-= 1
        if indentation > 0, needsComma { newLine() }
        buffer.append(bracket)
        needsComma = true
    }

    @inline(never)
    private mutating func newLine() {
        let spaces = max(depth, 0) &* indentation
        buffer.reserve(spaces &+ 1)
        buffer.append(0x0A)
        memset(buffer.end, 0x20, spaces)
        buffer.advance(spaces)
    }

    /// Copies eight bytes at a time until one needs an escape.
    private mutating func quote(_ text: UnsafeRawBufferPointer) {
        let empty: StaticString = ""
        let base = text.baseAddress ?? UnsafeRawPointer(empty.utf8Start)
        let count = text.count
        buffer.reserve(count &+ 2)
        buffer.append(0x22)
        var i = 0
        while true {
            var stop = i
            var found = false
            while stop &+ 8 <= count {
                let word = JSONBytes.load8(base, stop)
                // Stored before it is checked: the slack takes what lies beyond the stop.
                (buffer.end + (stop &- i)).storeBytes(of: word.littleEndian, as: UInt64.self)
                let escapes = JSONBytes.escapes(word) & JSONBytes.highs
                if escapes != 0 {
                    stop &+= escapes.trailingZeroBitCount &>> 3
                    found = true
                    break
                }
                stop &+= 8
            }
            while !found, stop < count {
                let byte = base.load(fromByteOffset: stop, as: UInt8.self)
                found = byte < 0x20 || byte == 0x22 || byte == 0x5C
                if found { break }
                buffer.end.storeBytes(of: byte, toByteOffset: stop &- i, as: UInt8.self)
                stop &+= 1
            }
            buffer.advance(stop &- i)
            guard stop < count else { break }
            appendEscape(base.load(fromByteOffset: stop, as: UInt8.self))
            i = stop &+ 1
            buffer.reserve(count &- i &+ 1)
        }
        buffer.append(0x22)
    }

    @inline(never)
    private mutating func appendEscape(_ byte: UInt8) {
        switch byte {
        case 0x22: buffer.append("\\\"" as StaticString)
        case 0x5C: buffer.append("\\\\" as StaticString)
        case 0x08: buffer.append("\\b" as StaticString)
        case 0x09: buffer.append("\\t" as StaticString)
        case 0x0A: buffer.append("\\n" as StaticString)
        case 0x0C: buffer.append("\\f" as StaticString)
        case 0x0D: buffer.append("\\r" as StaticString)
        default:
            buffer.append("\\u00" as StaticString)
            let digits: StaticString = "0123456789abcdef"
            buffer.append(digits.utf8Start[Int(byte &>> 4)])
            buffer.append(digits.utf8Start[Int(byte & 15)])
        }
    }
}
