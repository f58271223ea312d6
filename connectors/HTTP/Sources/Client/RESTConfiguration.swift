public import HeadraceCore
@_exported public import HeadraceHTTPClient

/// What all requests of a `RESTClient` share.
public struct RESTConfiguration: Sendable {
    /// Sent with every request, unless the request sets the same name.
    public var headers = HTTPHeaders()
    /// Sent with every request to the origin that the request was made for.
    public var authentication: [HTTPAuthentication] = []
    /// When and how often a request is tried again.
    public var retry = RetryPolicy()
    /// Held for each host, all at once; a host that asks for less in robots.txt gets less.
    public var limits = [RateLimit(10, per: .seconds(1))]
    /// Requests under way to one host at a time.
    public var concurrency = 4
    /// How long each part of one attempt may take.
    public var timeouts = HTTPTimeouts()
    /// The largest body that is held in memory, unpacked, in bytes.
    public var maxBodyBytes = 64 << 20
    /// Whether a host's robots.txt is asked for and kept to.
    public var robots = RobotsPolicy.ignored
    /// Proxy, TLS and user agent.
    public var http = HTTPClientConfiguration()

    /// Ten requests a second and four at a time for each host, three attempts, robots.txt not asked for.
    public init() {}
}

/// Whether a host's robots.txt is kept to.
public enum RobotsPolicy: Sendable, Hashable {
    /// For APIs that one has the right to use.
    case ignored
    /// For pages made for people. The agent is the product name that the file's groups are matched with, usually the
    /// first word of the `User-Agent`.
    case obeyed(agent: String)
}

/// One request of a `RESTClient`.
public struct RESTRequest: Sendable {
    /// The method, in upper case.
    public var method: String
    /// Where the request goes; keys of the configuration are added when it is sent.
    public var url: URLReference
    /// Fields of this request, before those of the configuration.
    public var headers: HTTPHeaders
    /// The body; nil for none.
    public var body: [UInt8]?
    /// Asks for the body only if it differs from the one with this ETag.
    public var ifNoneMatch: String?
    /// Statuses handed back as answers though they are no success.
    public var accepts: Set<Int> = []
    /// Whether the client's own headers and authentication go along; false for a URL that someone else wrote.
    public var sendsCredentials = true
    /// Whether the request may be carried out twice. By default GET, HEAD, OPTIONS, PUT and DELETE may.
    public var isRepeatable: Bool
    /// The run's monotonic nanoseconds at which the answer is no longer wanted.
    public var deadline: Int64?

    /// A request of a method to a URL; see ``isRepeatable`` for which methods may be sent twice.
    public init(_ method: String = "GET", _ url: URLReference, headers: HTTPHeaders = [:], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        isRepeatable = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].contains(method)
    }

    /// A GET of a URL as text.
    ///
    /// - Throws: `badLocation` when the text is no http or https URL.
    public init(getting url: String) throws(HeadraceError) {
        self.init("GET", try URLReference(http: url))
    }
}

extension URLReference {
    /// An absolute http or https URL.
    ///
    /// - Throws: `badLocation` for anything else.
    public init(http text: String) throws(HeadraceError) {
        do {
            try self.init(text)
        } catch {
            throw HeadraceError(.badLocation, error.message, hint: "write a URL such as https://host/path")
        }
        guard origin != nil else {
            throw HeadraceError(
                .badLocation, "\(redacted) is not an http or https URL with a host",
                hint: "write a URL such as https://host/path")
        }
    }
}

/// A whole answer.
public struct RESTResponse: Sendable {
    /// The status code of the last attempt.
    public let status: Int
    /// The fields of the answer, duplicates kept.
    public let headers: HTTPHeaders
    /// The URL that answered, after redirects; what is relative in the body is relative to it.
    public let url: URLReference
    /// The body, unpacked; empty for 304.
    public let bytes: [UInt8]
    /// Requests that it took.
    public let attempts: Int
    /// From the first attempt to the last byte, waits included.
    public let elapsed: Duration

    /// An answer as it would come from a server, for tests and for pages read elsewhere.
    public init(
        status: Int, headers: HTTPHeaders, url: URLReference, bytes: [UInt8], attempts: Int = 1,
        elapsed: Duration = .zero
    ) {
        self.status = status
        self.headers = headers
        self.url = url
        self.bytes = bytes
        self.attempts = attempts
        self.elapsed = elapsed
    }

    /// Whether the server says that nothing has changed since the ETag that the request named.
    public var isNotModified: Bool { status == 304 }
    /// What tells this version of the body from others, as the server wrote it.
    public var etag: String? { headers["ETag"] }
}
