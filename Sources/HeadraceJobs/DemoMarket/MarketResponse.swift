/// A response of the demo market, before it is put into bytes.
package struct MarketResponse: Sendable {
    package var status: Int
    /// Fields in the order in which they are sent; `Content-Length` and `Connection` are added on the way out.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    init(_ status: Int, type: String, body: [UInt8], headers: [(name: String, value: String)] = []) {
        self.status = status
        self.headers = [("Content-Type", type)] + headers
        self.body = body
    }

    /// An answer of one line of text.
    init(_ status: Int, _ sentence: String, headers: [(name: String, value: String)] = []) {
        self.init(status, type: "text/plain; charset=utf-8", body: Array((sentence + "\n").utf8), headers: headers)
    }

    /// The value of a field by its name, in any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The message as it is sent (RFC 9112).
    ///
    /// - Parameters:
    ///   - hasBody: False in answer to HEAD, where the length is told all the same.
    ///   - keepsAlive: Whether the connection stands afterwards.
    func message(hasBody: Bool, keepsAlive: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\nServer: headrace-demo-market\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        // A 304 has no body and must not tell another length than the 200 would (RFC 9110, section 15.4.5).
        if status != 304 { head += "Content-Length: \(body.count)\r\n" }
        head += "Connection: \(keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        return Array(head.utf8) + (hasBody && status != 304 ? body : [])
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Status \(status)"
        }
    }
}
