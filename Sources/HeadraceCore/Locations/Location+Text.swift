extension Location {
    /// The location as text that reads back as the same location, secrets included.
    public var text: String {
        let items = options.map { "\(Self.encode($0.name, "%&="))=\(Self.encode($0.value, "%&"))" }
        let query = items.joined(separator: "&")
        let isWeb = scheme == "http" || scheme == "https"
        return (scheme.isEmpty ? localText : "\(scheme):\(address)")
            + (items.isEmpty ? "" : (isWeb ? "#" : "?") + query)
    }

    /// A path that would read as something else, such as one with a `?`, is written as `file:` URL.
    private var localText: String {
        guard address.contains("?") || Self.splitScheme(address).0 != "" else { return address }
        return "file:" + (address.hasPrefix("//") ? "//" : "") + Self.encode(address, "%?")
    }

    private static func encode(_ text: String, _ reserved: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.isASCII, reserved.unicodeScalars.contains(scalar) {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Location: CustomStringConvertible {
    /// What stands in place of a password, token or key.
    public static let redaction = "<redacted>"

    /// The location with passwords, tokens and keys replaced by `<redacted>`, as messages show it and ledgers keep it.
    public var redacted: Location {
        let address = scheme.isEmpty ? self.address : Self.redactAuthority(self.address)
        let isWeb = scheme == "http" || scheme == "https"
        return Location(
            scheme: scheme, address: isWeb ? Self.redactQuery(address) : address, options: options.map(Self.redact))
    }

    /// The location for people: redacted, and without percent-encoding in its options.
    public var description: String {
        let shown = redacted
        let text = scheme.isEmpty ? shown.address : "\(scheme):\(shown.address)"
        if options.isEmpty { return text }
        let items = shown.options.map { "\($0.name)=\($0.value)" }
        return text + (scheme == "http" || scheme == "https" ? "#" : "?") + items.joined(separator: "&")
    }

    /// Names that are those of secrets wherever they occur in a name, without `-` and `_`.
    private static let secretParts = [
        "password", "passwd", "passphrase", "token", "secret", "apikey", "accesskey", "signature", "authorization",
        "credential", "cookie",
    ]
    private static let secretNames: Set<String> = ["pwd", "pw", "pass", "auth", "sig", "sas", "bearer"]
    /// Options that say where a secret is found or sent, and hold none: `password-env=VARIABLE`.
    private static let harmlessEnds = ["-env", "-header", "-parameter"]

    private static func isSecret(_ name: String) -> Bool {
        let lower = name.lowercased()
        let plain = lower.filter { $0 != "-" && $0 != "_" }
        return secretNames.contains(plain) || secretParts.contains { plain.contains($0) }
    }

    private static func redact(_ option: Option) -> Option {
        if option.name == "header" {
            let (name, value) = split(option.value, at: ":")
            return isSecret(name) && !value.isEmpty ? Option(option.name, "\(name): \(redaction)") : option
        }
        guard isSecret(option.name), !harmlessEnds.contains(where: option.name.hasSuffix) else { return option }
        return Option(option.name, redaction)
    }

    /// `//user:pw@host/db@x` becomes `//user:<redacted>@host/db@x`: the authority ends at the first `/`, `?` or `#`.
    private static func redactAuthority(_ address: String) -> String {
        guard address.hasPrefix("//") else { return address }
        let rest = address.dropFirst(2)
        let authority = rest.prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else {
            return address
        }
        return "//\(authority[..<colon]):\(redaction)\(rest[at...])"
    }

    private static func redactQuery(_ url: String) -> String {
        let (path, query) = split(url, at: "?")
        guard !query.isEmpty else { return url }
        let items = query.split(separator: "&", omittingEmptySubsequences: false).map { item -> String in
            let (name, value) = split(String(item), at: "=")
            let plain = percentDecode(name, plusIsSpace: false) ?? name
            let isKey = isSecret(plain) || plain.lowercased().hasSuffix("key")
            return isKey && !value.isEmpty ? "\(name)=\(redaction)" : String(item)
        }
        return path + "?" + items.joined(separator: "&")
    }
}
