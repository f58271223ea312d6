extension URLReference {
    /// Parses a reference, whole or relative, the empty one included. Blanks around it are dropped.
    ///
    /// - Throws: ``HTTPClientError`` with the code `badURL` for control characters and for an authority that cannot be read
    ///   in one way only: a port that is no number, several at signs, a backslash, letters beyond ASCII in the host.
    public init(_ text: String) throws(HTTPClientError) {
        var rest = text.utf8[...]
        while rest.first == 0x20 { rest.removeFirst() }
        while rest.last == 0x20 { rest.removeLast() }
        guard !rest.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw .badURL("a URL must not contain control characters")
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "#")) {
            fragment = Self.encode(rest[rest.index(after: mark)...], keeping: .wholeQuery)
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            query = Self.encode(rest[rest.index(after: mark)...], keeping: .wholeQuery)
            rest = rest[..<mark]
        }
        scheme = Self.takeScheme(&rest)
        path = ""
        if rest.starts(with: "//".utf8) {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            try parseAuthority(rest[..<end])
            rest = rest[end...]
        }
        path = Self.encode(rest, keeping: .wholePath)
    }

    /// The scheme before a colon that comes before any slash, in lower case.
    private static func takeScheme(_ rest: inout Substring.UTF8View) -> String? {
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), let first = rest.first, isLetter(first) else {
            return nil
        }
        let name = rest[..<colon]
        let isScheme = name.allSatisfy {
            isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
        guard isScheme else { return nil }
        rest = rest[rest.index(after: colon)...]
        return String(decoding: name, as: UTF8.self).lowercased()
    }

    private mutating func parseAuthority(_ authority: Substring.UTF8View) throws(HTTPClientError) {
        // Readers disagree on backslashes and on which of several at signs counts, which attackers use.
        guard !authority.contains(UInt8(ascii: "\\")), authority.count(where: { $0 == UInt8(ascii: "@") }) <= 1 else {
            throw .badURL("the authority of a URL must not contain a backslash or several at signs")
        }
        var rest = authority
        if let at = rest.firstIndex(of: UInt8(ascii: "@")) {
            userinfo = Self.encode(rest[..<at], keeping: .userinfo)
            rest = rest[rest.index(after: at)...]
        }
        if rest.first == UInt8(ascii: "[") {
            guard let close = rest.firstIndex(of: UInt8(ascii: "]")) else {
                throw .badURL("the IPv6 address of a URL lacks its closing bracket")
            }
            let end = rest.index(after: close)
            let address = rest[rest.index(after: rest.startIndex)..<close]
            let isAddress = address.allSatisfy { Self.isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == 0x2E }
            guard isAddress, address.contains(UInt8(ascii: ":")) else {
                throw .badURL("the brackets in a URL hold no IPv6 address")
            }
            host = String(decoding: rest[..<end], as: UTF8.self).lowercased()
            rest = rest[end...]
        } else {
            let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            let name = rest[..<end]
            guard name.allSatisfy({ $0 < 0x80 }) else {
                throw .badURL("the host of a URL must be ASCII: write an international name in its xn-- form")
            }
            guard name.allSatisfy({ PercentEncoding.Unescaped.registeredName.contains($0) }) else {
                throw .badURL("the host of a URL contains a character that no host has")
            }
            host = String(decoding: name, as: UTF8.self).lowercased()
            rest = rest[end...]
        }
        try parsePort(rest)
    }

    private mutating func parsePort(_ rest: Substring.UTF8View) throws(HTTPClientError) {
        guard let colon = rest.first else { return }
        let digits = rest.dropFirst()
        guard colon == UInt8(ascii: ":"), digits.allSatisfy(Self.isDigit) else {
            throw .badURL("the port of a URL is not a number")
        }
        guard !digits.isEmpty else { return }
        guard let number = Int(String(decoding: digits, as: UTF8.self)), number <= 65_535 else {
            throw .badURL("the port of a URL is above 65535")
        }
        port = number
    }

    private static func encode(_ bytes: Substring.UTF8View, keeping: PercentEncoding.Unescaped) -> String {
        PercentEncoding.encode(bytes: bytes, keeping: keeping)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
    }
}
