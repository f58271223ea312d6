import HeadraceCore
import HeadraceHTTPClient

/// An answer whose body is still to be read, with its place among the host's requests.
struct OpenAnswer: Sendable {
    let response: HTTPResponse
    private let permit: HostPermit

    init(_ response: HTTPResponse, _ permit: HostPermit) {
        self.response = response
        self.permit = permit
    }

    /// The version of the bytes, where the server names one that means the same bytes; nil for weak tags.
    var strongTag: String? { response.headers["ETag"].flatMap { $0.hasPrefix("W/") ? nil : $0 } }

    /// Whether the bytes were packed for the way, so that an offset into them is none into what is read.
    var isPacked: Bool {
        response.headers.list("Content-Encoding").contains { $0.lowercased() != "identity" }
    }

    /// What tells this version from others, as well as the server lets us know.
    var identity: String {
        if let tag = response.headers["ETag"] { return tag }
        return [response.headers["Last-Modified"], response.headers["Content-Length"]].compactMap { $0 }
            .joined(separator: " ")
    }

    /// The size of the whole in bytes; nil where it is not told or the bytes are packed.
    var byteCount: Int? { isPacked ? nil : response.headers["Content-Length"].flatMap { Int($0) } }

    /// Closes the connection unless the body was read to its end, and gives the place back.
    func close() {
        response.body.cancel()
        permit.release()
    }
}

extension RESTClient {
    /// Sends a request, again where the policy says so, until the head of a good answer is there.
    func open(_ request: RESTRequest, in context: RunContext) async throws -> OpenAnswer {
        try await exchange(request, boundsBody: false, in: context) { response, permit in
            OpenAnswer(response, permit)
        } finish: { _, answer, _, _ in
            answer
        }
    }
}
