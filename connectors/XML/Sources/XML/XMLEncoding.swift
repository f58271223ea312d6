/// What a document's bytes are encoded in, as far as something outside of the document decides.
struct XMLEncoding: Sendable {
    /// The encoding that an option asks for.
    let option: String?
    /// The carrier's media type, such as `text/xml; charset=windows-1252`.
    let contentType: String?

    /// The encoding to read in whatever the document says; nil leaves it to the document.
    ///
    /// A document that names its encoding, or begins with a byte order mark, knows better than the server it comes from.
    func label(for start: UnsafeRawBufferPointer) -> String? {
        if let option { return option }
        guard let charset = MediaType.charset(of: contentType) else { return nil }
        let marks: [[UInt8]] = [[0xEF, 0xBB, 0xBF], [0xFE, 0xFF], [0xFF, 0xFE], [0x00], [0x3C, 0x00]]
        if marks.contains(where: { start.starts(with: $0) }) { return nil }
        guard start.starts(with: "<?xml".utf8) else { return charset }
        let declaration = String(decoding: start.prefix(200).prefix { $0 != UInt8(ascii: ">") }, as: UTF8.self)
        return declaration.contains("encoding") ? nil : charset
    }
}

/// Media types as `Content-Type` writes them.
enum MediaType {
    /// The value of the parameter `charset`, lower case; nil where there is none.
    static func charset(of contentType: String?) -> String? {
        guard let contentType else { return nil }
        for parameter in contentType.split(separator: ";").dropFirst() {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].drop(while: { $0 == " " }).lowercased() == "charset" else { continue }
            let value = parts[1].filter { $0 != "\"" && $0 != "'" && $0 != " " }.lowercased()
            return value.isEmpty ? nil : value
        }
        return nil
    }
}
