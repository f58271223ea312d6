/// A URI reference of RFC 3986: a whole URL or one relative to another.
///
/// The parts are kept as written, percent-encoded, so that what a server signed or matches byte by byte stays so; only
/// scheme and host are brought to lower case. Characters that RFC 3986 forbids but the world writes (blanks, quotes,
/// letters beyond ASCII) are percent-encoded as UTF-8 when parsed.
public struct URLReference: Sendable, Hashable, CustomStringConvertible {
    /// The scheme in lower case, without its colon; `nil` in a relative reference.
    public internal(set) var scheme: String?
    /// User name and password as written, percent-encoded, without the at sign.
    public internal(set) var userinfo: String?
    /// The host in lower case, an IPv6 address in its brackets; `nil` without an authority.
    public internal(set) var host: String?
    /// The port where one is written.
    public internal(set) var port: Int?
    /// The path, percent-encoded, perhaps empty.
    public internal(set) var path: String
    /// The query, percent-encoded, without its question mark; `nil` and empty are different.
    public internal(set) var query: String?
    /// The fragment, percent-encoded, without its number sign.
    public internal(set) var fragment: String?

    /// Where a URL leads: what browsers compare before they hand over credentials.
    public struct Origin: Sendable, Hashable, CustomStringConvertible {
        /// The scheme in lower case.
        public let scheme: String
        /// The host in lower case.
        public let host: String
        /// The port written, or the scheme's own.
        public let port: Int

        /// The origin as the beginning of a URL, with its port.
        public var description: String { "\(scheme)://\(host):\(port)" }
    }

    /// The origin of an http or https URL; `nil` for any other reference.
    public var origin: Origin? {
        guard let scheme, let host, !host.isEmpty else { return nil }
        switch scheme {
        case "http": return Origin(scheme: scheme, host: host, port: port ?? 80)
        case "https": return Origin(scheme: scheme, host: host, port: port ?? 443)
        default: return nil
        }
    }

    /// The reference as text (RFC 3986 section 5.3), credentials included: for requests, never for logs.
    public var text: String {
        text(userinfo: userinfo, query: query)
    }

    /// The reference with its user name and password, and the values of query parameters whose names sound secret,
    /// replaced by `<redacted>`.
    public var redacted: String {
        text(userinfo: userinfo.map { _ in "<redacted>" }, query: query.map(Self.redact))
    }

    /// The redacted form, so that printing a URL shows no secret.
    public var description: String { redacted }

    /// Scheme, authority without user name, and path: what an error may show.
    var withoutSecrets: String {
        var shown = self
        shown.userinfo = nil
        shown.query = nil
        shown.fragment = nil
        return shown.text
    }

    private func text(userinfo: String?, query: String?) -> String {
        var text = ""
        if let scheme { text += scheme + ":" }
        if let host {
            text += "//"
            if let userinfo { text += userinfo + "@" }
            text += host
            if let port { text += ":\(port)" }
        } else if path.hasPrefix("//") {
            text += "/."  // or the path would read as an authority
        }
        text += path
        if let query { text += "?" + query }
        if let fragment { text += "#" + fragment }
        return text
    }

    private static func redact(_ query: String) -> String {
        query.split(separator: "&", omittingEmptySubsequences: false).map { item in
            guard let equals = item.firstIndex(of: "="),
                SecretNames.query(PercentEncoding.decode(item[..<equals]))
            else { return String(item) }
            return item[...equals] + "<redacted>"
        }.joined(separator: "&")
    }
}

/// Names that by custom carry a secret: as request headers, or as query parameters.
enum SecretNames {
    private static let words = ["token", "secret", "password", "passwd", "apikey", "signature", "credential", "auth"]

    static func header(_ name: String) -> Bool {
        let name = name.lowercased()
        return name == "cookie" || name == "set-cookie" || name.contains("key") || hasSecretWord(name)
    }

    static func query(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["key", "sig", "pwd", "pass", "code"].contains(name) || hasSecretWord(name)
    }

    private static func hasSecretWord(_ name: String) -> Bool {
        let letters = name.filter { $0 != "-" && $0 != "_" && $0 != "." }
        return words.contains { letters.contains($0) }
    }
}
