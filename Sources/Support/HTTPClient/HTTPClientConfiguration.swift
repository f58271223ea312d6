/// What all requests of one client share.
public struct HTTPClientConfiguration: Sendable {
    /// Which proxy requests go through.
    public enum Proxy: Sendable {
        /// The one that `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` name, if any.
        case environment
        /// None, whatever the environment says.
        case none
        /// One given as a URL (`http`, `https`, `socks5`, `socks5h`), perhaps with user name and password.
        case url(String)
    }

    /// The highest version of HTTP that is offered to servers.
    public enum Version: Sendable {
        /// HTTP/1.1.
        case http1
        /// HTTP/2 where an https server agrees, HTTP/1.1 elsewhere.
        case http2
    }

    /// How servers prove who they are, and we to them.
    public struct TLS: Sendable {
        /// Whether certificate and host name are checked. Off, anyone on the way can read and change everything.
        public var verifies = true
        /// A PEM file of authorities trusted instead of the system's.
        public var authorityFile: String?
        /// A PEM file with our certificate, for servers that ask for one.
        public var certificateFile: String?
        /// A PEM file with the key of our certificate.
        public var keyFile: String?
        /// The key file's password.
        public var keyPassword: String?

        /// Checks servers against the system's authorities and shows no certificate.
        public init() {}
    }

    /// The `User-Agent` of requests that set none.
    public var userAgent: String
    /// Which proxy requests go through.
    public var proxy = Proxy.environment
    /// How servers prove who they are, and we to them. TLS 1.2 is the least that is spoken.
    public var tls = TLS()
    /// The highest version of HTTP that is offered. HTTP/1.1 by default: one connection for each request at a time, so that a
    /// cut takes one answer and a slow reader holds up nobody.
    public var version = Version.http1
    /// Idle connections kept for later requests.
    public var maxIdleConnections = 32
    /// Bytes of one body that are held for a slow reader before the server is made to wait.
    public var bufferedBytes = 256 << 10

    /// The defaults: a checked TLS, the environment's proxy, HTTP/1.1.
    public init(userAgent: String = HTTPClient.defaultUserAgent) {
        self.userAgent = userAgent
    }
}
