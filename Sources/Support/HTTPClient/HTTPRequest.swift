public import HeadraceCodecs

/// One request, with the bounds within which its answer is wanted.
public struct HTTPRequest: Sendable, CustomStringConvertible {
    /// The method, in upper case as servers want it.
    public var method: String
    /// An http or https URL. A user name and password in it become an `Authorization` header.
    public var url: URLReference
    /// The fields to send. `Host`, `Content-Length` and the like are written by the client.
    public var headers: HTTPHeaders
    /// The body; `nil` and empty are different for no method but those that must have one.
    public var body: [UInt8]?
    /// How long each part of the exchange may take.
    public var timeouts = HTTPTimeouts()
    /// Which redirects are followed.
    public var redirects = HTTPRedirectPolicy()
    /// Whether a packed body is asked for and unpacked.
    public var decoding = HTTPContentDecoding.automatic
    /// Most bytes of body, as the reader gets them, after unpacking; `nil` for any number.
    public var maxBodyBytes: Int?
    /// How much a packed body may grow when it is unpacked.
    public var expansion = ExpansionLimit.standard

    /// A request of a method to a URL.
    public init(_ method: String = "GET", _ url: URLReference, headers: HTTPHeaders = [:], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// The method and the URL without its secrets.
    public var description: String { "\(method) \(url.redacted)" }
}

/// How long each part of an exchange may take; `nil` for any time.
public struct HTTPTimeouts: Sendable, Hashable {
    /// From the start to a connection that can carry the request: name, connection, proxy and TLS.
    public var connect: Duration? = .seconds(30)
    /// From the last byte of the request to the first of the answer.
    public var firstByte: Duration? = .seconds(60)
    /// Between two bytes. Over a span of this length at least ``minimumBytesPerSecond`` must come, too. The time in
    /// which the reader does not read is not counted.
    public var silence: Duration? = .seconds(60)
    /// The least average rate over a span of ``silence``, which ends an endless drip.
    public var minimumBytesPerSecond = 1
    /// From the start to the last byte, redirects and the reader's own time included.
    public var total: Duration?

    /// The defaults: 30 s to connect, 60 s each to the first byte and between bytes, any time in all.
    public init() {}
}

/// Which redirects are followed. Whatever is followed, no field that might be a credential goes to another origin.
public struct HTTPRedirectPolicy: Sendable, Hashable {
    /// Most redirects of one request; at zero a redirect is the response.
    public var limit: Int
    /// Whether https may lead to http.
    public var allowsDowngrade = false
    /// Whether a body may be sent to an origin that the request did not name, as 307 and 308 ask for.
    public var allowsBodyToOtherOrigin = false

    /// Follows up to a number of redirects, never from https to http, never a body to another origin.
    public init(limit: Int = 10) {
        self.limit = limit
    }

    /// Hands redirects to the caller.
    public static let none = HTTPRedirectPolicy(limit: 0)
}

/// What is done about packed bodies.
public enum HTTPContentDecoding: Sendable, Hashable {
    /// Packed bodies are asked for, unless the request sets `Accept-Encoding` itself or asks for a range, and unpacked.
    case automatic
    /// Nothing is asked for, and the body is handed on as it came.
    case none
}
