/// A JSON number as the digits that were written, never rounded.
///
/// Equal means written alike: `1.0` and `1` are two numbers here.
public struct JSONNumber: Sendable, Hashable {
    /// The number in the grammar of RFC 8259 section 6 (or `NaN`, `Infinity`, `-Infinity` where a reader allowed it).
    public let text: String

    /// Reads a number; nil unless the text is one by RFC 8259.
    public init?(_ text: String) {
        var text = text
        let isNumber = text.withUTF8 { bytes -> Bool in
            guard let first = bytes.first, first == 0x2D || first &- 0x30 < 10 else { return false }
            var tokenizer = JSONTokenizer(UnsafeRawBufferPointer(bytes))
            guard let token = try? tokenizer.next(), token == .number else { return false }
            return tokenizer.tokenEnd == bytes.count
        }
        guard isNumber else { return nil }
        self.text = text
    }

    /// The number that an integer is.
    public init(_ value: some BinaryInteger) { text = String(value) }

    /// The shortest number that reads back as `value`; nil for NaN and infinities.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = value.description
    }

    /// Takes over text that a tokenizer has checked.
    init(checked text: String) { self.text = text }

    /// The number as a fixed-width integer; nil when it is written with a point or exponent or does not fit.
    public func integer<I: FixedWidthInteger>(as type: I.Type = I.self) -> I? { I(text) }

    /// The nearest double; infinite beyond its range, as RFC 8259 leaves readers free to.
    public var double: Double {
        if let value = Double(text) { return value }
        // The three words of lenient readers, spelled otherwise than Swift's.
        return text == "NaN" ? .nan : text.hasPrefix("-") ? -.infinity : .infinity
    }
}

extension JSONNumber: CustomStringConvertible {
    /// The number as written.
    public var description: String { text }
}
