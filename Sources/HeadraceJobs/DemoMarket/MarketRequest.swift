/// A request as the demo market's server has read it.
package struct MarketRequest: Hashable, Sendable {
    package var method: String
    /// The path with its percent-escapes resolved.
    package var path: String
    /// The query's parameters, unescaped; of a repeated name the last one counts.
    package var query: [String: String]
    /// Header fields by their lower-case names; values of a repeated name are joined by commas (RFC 9110, section 5.3).
    package var headers: [String: String]
    /// Whether the client lets the connection stand after the response.
    package var keepsAlive: Bool

    package init(
        _ method: String, _ target: String, headers: [String: String] = [:], keepsAlive: Bool = true
    ) {
        self.method = method
        self.headers = headers
        self.keepsAlive = keepsAlive
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = Self.unescaped(parts.first ?? "", plusIsSpace: false)
        query = [:]
        for parameter in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[Self.unescaped(pair[0], plusIsSpace: true)] =
                pair.count > 1 ? Self.unescaped(pair[1], plusIsSpace: true) : ""
        }
    }

    /// Whether a coding is listed in `Accept-Encoding` with a weight above zero (RFC 9110, section 12.5.3).
    func accepts(coding: String) -> Bool {
        guard let field = headers["accept-encoding"] else { return false }
        for item in field.lowercased().split(separator: ",") {
            let parts = item.split(separator: ";").map { Self.trimmed($0) }
            guard parts.first == coding else { continue }
            guard let weight = parts.dropFirst().first(where: { $0.hasPrefix("q=") }) else { return true }
            return weight.dropFirst(2).contains { ("1"..."9").contains($0) }
        }
        return false
    }

    /// Whether `If-None-Match` names an entity tag, by weak comparison (RFC 9110, section 13.1.2).
    func knows(entityTag: String) -> Bool {
        guard let field = headers["if-none-match"] else { return false }
        return field.split(separator: ",").map { Self.trimmed($0) }.contains { candidate in
            candidate == "*" || candidate == entityTag || candidate == "W/" + entityTag
        }
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        var text = Substring(text)
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }

    /// Percent-escapes resolved; what is no escape stands for itself, and bytes that are no UTF-8 are replaced.
    private static func unescaped(_ text: Substring, plusIsSpace: Bool) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < bytes.count, let high = hex(bytes[index + 1]),
                let low = hex(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
