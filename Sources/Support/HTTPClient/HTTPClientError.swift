/// Why a request got no answer, or its answer could not be read to the end.
///
/// A response with an error status is not an error of the client: it is a response.
public struct HTTPClientError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure. New codes may be added; compare with the constants.
    public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The code as it is printed and documented.
        public let rawValue: String

        /// Wraps a code's printed form.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The printed form.
        public var description: String { rawValue }

        /// The URL cannot be read, or is not one of http or https with a host.
        public static let badURL = Code(rawValue: "badURL")
        /// The request cannot be sent as it is: method, a header, a body where none may be.
        public static let badRequest = Code(rawValue: "badRequest")
        /// The host's name has no address, or the name server did not answer.
        public static let resolveFailed = Code(rawValue: "resolveFailed")
        /// No connection to the host or the proxy.
        public static let connectFailed = Code(rawValue: "connectFailed")
        /// Name, connection and TLS took longer than allowed.
        public static let connectTimeout = Code(rawValue: "connectTimeout")
        /// The server took the request but did not begin to answer in time.
        public static let firstByteTimeout = Code(rawValue: "firstByteTimeout")
        /// Bytes stopped, or came more slowly than allowed.
        public static let silenceTimeout = Code(rawValue: "silenceTimeout")
        /// The whole exchange took longer than allowed.
        public static let totalTimeout = Code(rawValue: "totalTimeout")
        /// No secure connection: certificate, name or protocol.
        public static let tlsFailed = Code(rawValue: "tlsFailed")
        /// The connection ended before the answer did.
        public static let cut = Code(rawValue: "cut")
        /// The body is larger than allowed.
        public static let tooLarge = Code(rawValue: "tooLarge")
        /// More redirects than allowed, or a circle.
        public static let tooManyRedirects = Code(rawValue: "tooManyRedirects")
        /// A redirect that must not be followed.
        public static let badRedirect = Code(rawValue: "badRedirect")
        /// The answer is not HTTP.
        public static let malformedResponse = Code(rawValue: "malformedResponse")
        /// The body is encoded in a way that is not known, or is not what its encoding says.
        public static let badEncoding = Code(rawValue: "badEncoding")
        /// The task was cancelled, or the reader gave the body up.
        public static let cancelled = Code(rawValue: "cancelled")
        /// The client was closed.
        public static let closed = Code(rawValue: "clientClosed")
        /// The process lacks memory, threads or descriptors.
        public static let outOfResources = Code(rawValue: "outOfResources")
        /// libcurl failed in a way that has no code of its own; the sentence has its words.
        public static let transferFailed = Code(rawValue: "transferFailed")
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence for a person, free of secrets.
    public let message: String
    /// The host that was asked, where one is known.
    public internal(set) var host: String?
    /// The port that was asked, where one is known.
    public internal(set) var port: Int?
    /// The URL that was asked, without user name, query and fragment.
    public internal(set) var url: String?
    /// Bytes of the body that arrived before the failure, as they came over the wire.
    public internal(set) var receivedBytes: Int
    /// Whether the same request may succeed later. Whether it may be sent twice is for the one who made it to say.
    public let isRetryable: Bool

    init(_ code: Code, _ message: String, isRetryable: Bool? = nil, receivedBytes: Int = 0) {
        self.code = code
        self.message = message
        self.receivedBytes = receivedBytes
        self.isRetryable = isRetryable ?? Self.retryable.contains(code)
    }

    /// The sentence, the URL and the code.
    public var description: String {
        "\(message)\(url.map { " (\($0))" } ?? "") [\(code.rawValue)]"
    }

    /// The same failure with the place that was asked.
    func at(_ target: URLReference) -> HTTPClientError {
        var error = self
        error.url = error.url ?? target.withoutSecrets
        error.host = error.host ?? target.host
        error.port = error.port ?? target.origin?.port
        return error
    }

    /// The same failure with the bytes of the body that came before it.
    func after(_ receivedBytes: Int) -> HTTPClientError {
        var error = self
        error.receivedBytes = receivedBytes
        return error
    }

    static func badURL(_ message: String) -> HTTPClientError {
        HTTPClientError(.badURL, message)
    }

    private static let retryable: Set<Code> = [
        .resolveFailed, .connectFailed, .connectTimeout, .firstByteTimeout, .silenceTimeout, .totalTimeout, .cut,
        .badEncoding, .outOfResources, .transferFailed,
    ]
}
