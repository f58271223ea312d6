/// Reads HTTP/1.1 requests out of the bytes of a connection, however they are cut (RFC 9112).
///
/// Bounded: a head above 16 KiB, more than 100 fields or a body above 64 KiB is refused, and whatever the bytes are,
/// the parser either asks for more, yields a request or says with which status the connection ends.
package struct MarketRequestParser: Sendable {
    /// What the bytes so far amount to.
    package enum Outcome: Hashable, Sendable {
        /// The request is not complete yet.
        case incomplete
        /// A request, whose bytes have been removed.
        case request(MarketRequest)
        /// No request that could be answered otherwise than with this status, after which the connection must be
        /// closed.
        case refused(Int)
    }

    static let longestLine = 8 << 10
    static let longestHead = 16 << 10
    static let mostFields = 100
    static let longestBody = 64 << 10

    private var bytes: [UInt8] = []

    package init() {}

    /// Whether a request has begun.
    package var isEmpty: Bool { bytes.isEmpty }

    /// Adds bytes as they came from the connection.
    package mutating func append(_ received: some Sequence<UInt8>) {
        bytes.append(contentsOf: received)
    }

    /// Takes the next request, if it is there.
    package mutating func next() -> Outcome {
        // An empty line before a request is ignored (section 2.2).
        while bytes.starts(with: [0x0D, 0x0A]) { bytes.removeFirst(2) }
        guard let end = endOfHead() else {
            if bytes.count > Self.longestHead { return .refused(431) }
            if bytes.firstIndex(of: 0x0A) == nil, bytes.count > Self.longestLine { return .refused(414) }
            return .incomplete
        }
        guard end <= Self.longestHead else { return .refused(431) }
        var lines = bytes[..<end].split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            line.last == 0x0D ? line.dropLast() : line
        }
        while let last = lines.last, last.isEmpty { lines.removeLast() }
        guard let first = lines.first, first.count <= Self.longestLine else { return .refused(414) }

        let words = first.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 3, !words[0].isEmpty, words[0].allSatisfy(Self.isTokenByte) else { return .refused(400) }
        guard words[1].allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return .refused(400) }
        let version = String(decoding: words[2], as: UTF8.self)
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
            return .refused(version.hasPrefix("HTTP/") ? 505 : 400)
        }
        guard let target = Self.path(of: String(decoding: words[1], as: UTF8.self)) else { return .refused(400) }

        guard lines.count - 1 <= Self.mostFields else { return .refused(431) }
        guard let headers = Self.fields(lines.dropFirst()) else { return .refused(400) }
        guard version == "HTTP/1.0" || headers["host"] != nil, headers["host"]?.contains(",") != true else {
            return .refused(400)
        }
        guard headers["transfer-encoding"] == nil else { return .refused(501) }
        var length = 0
        if let field = headers["content-length"] {
            guard field.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(field) else {
                return .refused(400)
            }
            guard number <= Self.longestBody else { return .refused(413) }
            length = number
        }
        guard bytes.count >= end + length else { return .incomplete }
        bytes.removeFirst(end + length)

        let connection = (headers["connection"] ?? "").lowercased().split(separator: ",").map(MarketRequest.trimmed)
        let keepsAlive =
            version == "HTTP/1.1" ? !connection.contains("close") : connection.contains("keep-alive")
        return .request(
            MarketRequest(
                String(decoding: words[0], as: UTF8.self), target, headers: headers, keepsAlive: keepsAlive))
    }

    /// The length of the request line, the fields and the empty line that ends them.
    private func endOfHead() -> Int? {
        var index = 0
        while let lineEnd = bytes[index...].firstIndex(of: 0x0A) {
            let next = lineEnd + 1
            if next < bytes.count, bytes[next] == 0x0A { return next + 1 }
            if next + 1 < bytes.count, bytes[next] == 0x0D, bytes[next + 1] == 0x0A { return next + 2 }
            index = next
        }
        return nil
    }

    /// The path and query of a target in origin or absolute form; nil for any other form.
    private static func path(of target: String) -> String? {
        if target.hasPrefix("/") || target == "*" { return target }
        guard target.lowercased().hasPrefix("http://") else { return nil }
        let rest = target.dropFirst("http://".count)
        guard let slash = rest.firstIndex(of: "/") else { return "/" }
        return String(rest[slash...])
    }

    /// Header fields by lower-case name; nil when a line is no field, is folded, or holds a control character.
    private static func fields(_ lines: ArraySlice<ArraySlice<UInt8>>) -> [String: String]? {
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return nil }
            let name = line[..<colon]
            let value = line[(colon + 1)...]
            guard name.allSatisfy(isTokenByte), value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                return nil
            }
            let key = String(decoding: name, as: UTF8.self).lowercased()
            let text = MarketRequest.trimmed(String(decoding: value, as: UTF8.self))
            headers[key] = headers[key].map { $0 + ", " + text } ?? text
        }
        return headers
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
