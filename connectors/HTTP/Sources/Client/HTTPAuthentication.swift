import Glibc
import HeadraceCodecs
public import HeadraceCore
import HeadraceHTTPClient

/// How a client says who it is. Sent to the origin of the request only, never printed.
public enum HTTPAuthentication: Sendable {
    /// `Authorization: Basic …`
    case basic(user: String, password: Secret)
    /// `Authorization: Bearer …`
    case bearer(Secret)
    /// A header of its own, such as `X-API-Key`.
    case header(String, Secret)
    /// A parameter of the query, such as `api_key`; added when the request is sent, so that no error, log or position
    /// holds it.
    case query(String, Secret)

    func apply(to request: inout HTTPRequest) {
        switch self {
        case .basic(let user, let password):
            let pair = Array("\(user):\(password.reveal())".utf8)
            request.headers["Authorization"] = "Basic " + Base64.encode(pair)
        case .bearer(let token): request.headers["Authorization"] = "Bearer " + token.reveal()
        case .header(let name, let value): request.headers[name] = value.reveal()
        case .query(let name, let value): request.url.setQueryItem(name, value.reveal())
        }
    }

    /// The texts that must never be shown, in every form in which they travel.
    var secrets: [String] {
        switch self {
        case .basic(let user, let password):
            [password.reveal(), Base64.encode(Array("\(user):\(password.reveal())".utf8))]
        case .bearer(let secret), .header(_, let secret): [secret.reveal()]
        case .query(_, let secret): [secret.reveal(), PercentEncoding.encode(secret.reveal())]
        }
    }
}

extension Secret {
    /// The value of an environment variable.
    ///
    /// - Throws: `badOption` when it is not set or empty.
    public init(environment name: String) throws(HeadraceError) {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else {
            throw HeadraceError(
                .badOption, "the environment variable \(name) is not set, so there is no key to send",
                hint: "export \(name)=… before the run")
        }
        self.init(value)
    }
}

/// Takes the secrets of a client out of text that a server or a URL may have carried them into.
struct Redactor: Sendable {
    private let secrets: [String]

    /// Shorter secrets than four bytes are left alone: they would blank out ordinary words, and protect nothing.
    init(_ authentication: [HTTPAuthentication]) { self.init(authentication.flatMap(\.secrets)) }

    private init(_ secrets: [String]) {
        self.secrets = secrets.filter { $0.utf8.count >= 4 }.sorted { $0.utf8.count > $1.utf8.count }
    }

    /// One that also knows the secrets that a URL itself holds.
    func adding(_ url: URLReference) -> Redactor {
        var found = url.userinfo.map { [$0] + $0.split(separator: ":").map(String.init) } ?? []
        for item in url.queryItems {
            guard let value = item.value, var probe = try? URLReference("/") else { continue }
            probe.addQueryItem(item.name, "x")
            if probe.redacted.hasSuffix("=<redacted>") { found += [value, PercentEncoding.encode(value)] }
        }
        return Redactor(secrets + found)
    }

    func callAsFunction(_ text: String) -> String {
        secrets.reduce(text) { Self.replace($1, in: $0) }
    }

    func callAsFunction(_ url: URLReference) -> String { self(url.redacted) }

    private static func replace(_ secret: String, in text: String) -> String {
        let (needle, bytes) = (Array(secret.utf8), Array(text.utf8))
        guard bytes.count >= needle.count else { return text }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: needle) {
                result += Array("<redacted>".utf8)
                index += needle.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
