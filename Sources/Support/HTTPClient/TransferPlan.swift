import HeadraceCodecs

/// One request as libcurl is to send it, checked: what can be refused is refused before a connection is made.
struct TransferPlan: Sendable {
    let url: String
    let method: String
    let headerLines: [String]
    let hasUserAgent: Bool
    let body: [UInt8]?
    let timeouts: HTTPTimeouts
    /// When the whole exchange must be over, on the monotonic clock.
    let deadline: UInt64?
    let configuration: HTTPClientConfiguration

    /// Fields that the client writes itself, since a wrong one lets a request be read in two ways.
    private static let ownFields: Set<String> = ["content-length", "transfer-encoding", "connection", "te", "upgrade"]
    private static let tokenCharacters = PercentEncoding.Unescaped.unreserved.union("!#$%&'*+^`|")
    private static let hostCharacters = PercentEncoding.Unescaped("abcdefghijklmnopqrstuvwxyz0123456789-._[:]")

    init(
        _ request: HTTPRequest, configuration: HTTPClientConfiguration, deadline: UInt64?
    ) throws(HTTPClientError) {
        var target = request.url
        guard let origin = target.origin else {
            throw .badURL("a URL to fetch must be http or https and name a host")
        }
        guard origin.host.utf8.allSatisfy(Self.hostCharacters.contains), origin.port > 0 else {
            throw .badURL("the host of the URL is not a name or an address")
        }
        target.fragment = nil
        target.userinfo = nil
        guard !request.method.isEmpty, request.method.utf8.allSatisfy(Self.tokenCharacters.contains) else {
            throw HTTPClientError(.badRequest, "the request's method is not a word of letters")
        }
        guard request.method != "HEAD" || request.body == nil, request.method != "CONNECT" else {
            throw HTTPClientError(.badRequest, "a \(request.method) request with these parts cannot be sent")
        }
        url = target.text
        method = request.method
        body = request.body
        timeouts = request.timeouts
        self.deadline = deadline
        self.configuration = configuration
        hasUserAgent = request.headers["User-Agent"] != nil
        headerLines = try Self.lines(request)
    }

    private static func lines(_ request: HTTPRequest) throws(HTTPClientError) -> [String] {
        var lines: [String] = []
        for field in request.headers.fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(tokenCharacters.contains) else {
                throw HTTPClientError(.badRequest, "the name of a request header is not a word")
            }
            guard !ownFields.contains(field.name.lowercased()) else {
                throw HTTPClientError(.badRequest, "the header \(field.name) is written by the client itself")
            }
            guard !field.value.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) else {
                throw HTTPClientError(.badRequest, "the value of the header \(field.name) has control characters")
            }
            // libcurl reads "Name:" as "leave out" and "Name;" as "send empty".
            lines.append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        let has = { (name: String) in request.headers[name] != nil }
        if request.decoding == .automatic, !has("Accept-Encoding"), !has("Range") {
            lines.append("Accept-Encoding: gzip")
        }
        // libcurl would call any body a form, and wait a second for servers that ignore "Expect".
        if !has("Content-Type") { lines.append("Content-Type:") }
        if !has("Expect") { lines.append("Expect:") }
        return lines
    }

    /// The request with the user name and password of its URL as a header, where redirects can be kept from it.
    static func movingCredentials(of request: HTTPRequest) -> HTTPRequest {
        guard let userinfo = request.url.userinfo else { return request }
        var request = request
        request.url.userinfo = nil
        if request.headers["Authorization"] == nil {
            let hasPassword = userinfo.contains(":")
            let credentials = PercentEncoding.decodeBytes(userinfo) + (hasPassword ? [] : [UInt8(ascii: ":")])
            request.headers.add("Authorization", "Basic " + Base64.encode(credentials))
        }
        return request
    }
}
