/// A way in which bytes are packed: what a ``Decompressor`` reads and a ``Compressor`` writes.
public enum CompressionFormat: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Not packed: bytes pass as they are.
    case identity
    /// gzip (RFC 1952), one or more members, each checked by its CRC-32 and length.
    case gzip
    /// The zlib wrapper (RFC 1950), checked by its Adler-32. HTTP calls it `deflate`.
    case zlib
    /// Deflate without a wrapper (RFC 1951): no checksum, and no bytes that betray it.
    case deflate
    /// Zstandard (RFC 8878), one or more frames.
    case zstd
    /// bzip2, one or more streams, each block checked by its CRC.
    case bzip2
    /// xz, one or more streams, checked as each stream declares.
    case xz

    /// The first bytes that ``detect(_:)`` wants to see where there are that many.
    public static let detectionByteCount = 10

    /// The format's name as it is written in options.
    public var description: String { rawValue }

    /// Recognises gzip, zstd, bzip2 and xz by their first bytes; `nil` for everything else, which includes zlib and
    /// deflate, whose first bytes prove nothing, and prefixes too short to tell.
    public static func detect(_ prefix: UnsafeRawBufferPointer) -> CompressionFormat? {
        if starts(prefix, with: [0x1F, 0x8B, 0x08]) { return .gzip }
        if starts(prefix, with: [0x28, 0xB5, 0x2F, 0xFD]) { return .zstd }
        if starts(prefix, with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) { return .xz }
        if prefix.count >= 4, prefix[0] & 0xF0 == 0x50, prefix[1] == 0x2A, prefix[2] == 0x4D, prefix[3] == 0x18 {
            return .zstd  // a skippable frame comes first
        }
        // "BZh9" alone might begin a text; the magic of the first block, or of the end of an empty stream, cannot.
        if starts(prefix, with: [0x42, 0x5A, 0x68]), prefix.count >= 10, (0x31...0x39).contains(prefix[3]) {
            let block = UnsafeRawBufferPointer(rebasing: prefix[4...])
            if starts(block, with: [0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
                || starts(block, with: [0x17, 0x72, 0x45, 0x38, 0x50, 0x90])
            {
                return .bzip2
            }
        }
        return nil
    }

    /// Recognises gzip, zstd, bzip2 and xz by their first bytes, as ``detect(_:)-(UnsafeRawBufferPointer)`` does.
    public static func detect(_ prefix: [UInt8]) -> CompressionFormat? {
        prefix.withUnsafeBytes { detect($0) }
    }

    /// The format that a file name's last extension stands for (`gz`, `gzip`, `zst`, `zstd`, `bz2`, `xz`, `zz`), in
    /// either case; `nil` for any other.
    public init?(fileExtension: String) {
        switch fileExtension.lowercased() {
        case "gz", "gzip": self = .gzip
        case "zst", "zstd": self = .zstd
        case "bz2": self = .bzip2
        case "xz": self = .xz
        case "zz": self = .zlib
        default: return nil
        }
    }

    /// Whether one stream may follow another, which decompresses to their concatenation.
    var concatenates: Bool {
        switch self {
        case .gzip, .zstd, .bzip2, .xz: true
        case .identity, .zlib, .deflate: false
        }
    }

    /// Whether zero bytes may follow the last stream, as tape blocks and aligned uploads leave them.
    var allowsPadding: Bool { self == .gzip || self == .xz }

    /// Whether a byte can begin a further stream.
    func canBegin(with byte: UInt8) -> Bool {
        switch self {
        case .gzip: byte == 0x1F
        case .zstd: byte == 0x28 || byte & 0xF0 == 0x50
        case .bzip2: byte == 0x42
        case .xz: byte == 0xFD
        case .identity, .zlib, .deflate: false
        }
    }

    private static func starts(_ bytes: UnsafeRawBufferPointer, with magic: [UInt8]) -> Bool {
        bytes.count >= magic.count && bytes.prefix(magic.count).elementsEqual(magic)
    }
}
