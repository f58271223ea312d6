/// How the bytes of one object are to be read: what options, sniffing and defaults came to.
struct CSVDialect: Sendable, Hashable {
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D

    var delimiter: UInt8 = 0x2C
    /// Nil where quotes are ordinary characters.
    var quote: UInt8? = 0x22
    /// A byte that takes the next one literally, beside doubling the quote.
    var escape: UInt8?
    /// A byte that makes a line a comment when it comes first.
    var comment: UInt8?
    var encoding = CSVEncoding.utf8
    /// Unquoted texts that stand for null, beside the empty one.
    var nulls: [[UInt8]] = []

    /// Whether the structural index, which knows delimiters, quotes and line ends only, can read it.
    var isIndexable: Bool { escape == nil && comment == nil }
}

/// The character encodings that share ASCII's bytes, so that delimiters can be found before decoding.
public enum CSVEncoding: String, Sendable, Hashable, CaseIterable {
    /// Checked: bytes that are not valid make rejects.
    case utf8 = "utf-8"
    /// ISO 8859-1: every byte is the scalar of its number.
    case latin1 = "iso-8859-1"
    /// ISO 8859-1 with punctuation in place of the control characters from 0x80 to 0x9F.
    case windows1252 = "windows-1252"

    /// Reads an encoding's usual names in any case; nil for others.
    public init?(named name: String) {
        switch name.lowercased() {
        case "utf-8", "utf8": self = .utf8
        case "latin1", "latin-1", "iso-8859-1", "iso8859-1": self = .latin1
        case "windows-1252", "cp1252": self = .windows1252
        default: return nil
        }
    }

    /// The scalar that a byte from 0x80 up stands for in a single-byte encoding; windows-1252's five unassigned bytes
    /// stand for the control characters of their number, as browsers read them.
    func scalar(_ byte: UInt8) -> UInt16 {
        guard self == .windows1252, byte >= 0x80, byte < 0xA0 else { return UInt16(byte) }
        return Self.windows1252Controls[Int(byte) - 0x80]
    }

    private static let windows1252Controls: [UInt16] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
        0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0x9D, 0x017E, 0x0178,
    ]

    /// The bytes as text; nil when they are not valid in this encoding.
    func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        if self == .utf8 { return String(validating: bytes, as: UTF8.self) }
        return String(decoding: bytes.map { scalar($0) }, as: UTF16.self)
    }
}
