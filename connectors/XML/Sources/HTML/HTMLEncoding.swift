/// Makes UTF-8 of a page's bytes, whatever is wrong with them: libxml2 drops the rest of a page at the first byte that its
/// encoding does not know.
enum HTMLEncoding {
    private static let windows1252: [UInt16] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
        0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0x9D, 0x017E, 0x0178,
    ]

    /// The page as UTF-8; nil for an encoding that is left to libxml2.
    ///
    /// As the HTML standard says, `iso-8859-1` and `us-ascii` mean windows-1252. Bytes that are not UTF-8 become U+FFFD.
    static func utf8(_ bytes: UnsafeRawBufferPointer, label: String?) -> [UInt8]? {
        let start = String(decoding: bytes.prefix(1024), as: UTF8.self).lowercased()
        let label = label?.lowercased() ?? metaLabel(start)
        switch label {
        case "utf-8", "utf8": return plain(Array(String(decoding: bytes, as: UTF8.self).utf8))
        case "windows-1252", "cp1252", "iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii": return single(bytes)
        case nil:
            let isUTF8 = String(validating: bytes, as: UTF8.self) != nil
            return isUTF8 ? plain(Array(bytes)) : single(bytes)
        default: return nil
        }
    }

    /// The charset that a `meta` near the start names.
    private static func metaLabel(_ start: String) -> String? {
        for tag in start.split(separator: "<") where tag.hasPrefix("meta") {
            guard let text = tag.split(separator: ">").first else { continue }
            let parts = text.split(separator: "charset=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let value = parts[1].drop { "\"' ".contains($0) }.prefix { !"\"' ;/>".contains($0) }
            if !value.isEmpty { return String(value) }
        }
        return nil
    }

    private static func plain(_ bytes: [UInt8]) -> [UInt8] {
        bytes.contains(0) ? bytes.flatMap { $0 == 0 ? [0xEF, 0xBF, 0xBD] : [$0] } : bytes
    }

    private static func single(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let units = bytes.map { (0x80..<0xA0).contains($0) ? windows1252[Int($0) - 0x80] : UInt16($0) }
        return plain(Array(String(decoding: units, as: UTF16.self).utf8))
    }
}
