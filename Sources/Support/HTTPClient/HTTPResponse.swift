/// The head of an answer, and the body to read. A body that is neither read to its end nor discarded costs its
/// connection.
public struct HTTPResponse: Sendable {
    /// The status code.
    public let status: Int
    /// The words after the status code, which mean nothing to programs and are empty in HTTP/2.
    public let reason: String
    /// The version of the answer: `HTTP/1.1`, `HTTP/2`.
    public let version: String
    /// The fields in order, duplicates kept.
    public let headers: HTTPHeaders
    /// The URL that answered, after redirects.
    public let url: URLReference
    /// The URLs that led here, in order; empty without redirects.
    public let redirects: [URLReference]
    /// How long the steps to the answer took.
    public let timing: HTTPTiming
    /// The body.
    public let body: HTTPBody

    /// Whether the status says success: 200 to 299.
    public var isSuccess: Bool { (200..<300).contains(status) }
}

/// Times of the last request of an exchange, each from its start. A reused connection has zero for name, connection
/// and TLS.
public struct HTTPTiming: Sendable, Hashable {
    /// Until the host's name was resolved.
    public let resolved: Duration
    /// Until the connection stood.
    public let connected: Duration
    /// Until TLS stood; zero without TLS.
    public let secured: Duration
    /// Until the request could be sent.
    public let readyToSend: Duration
    /// Until the first byte of the answer.
    public let firstByte: Duration
}
