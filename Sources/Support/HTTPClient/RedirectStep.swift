/// What to do about an answer: a decision without I/O.
enum RedirectStep {
    /// The answer is what the caller gets.
    case deliver
    /// The answer leads to another request.
    case follow(HTTPRequest)

    /// Fields that say nothing about who we are, and so may go to an origin that the request did not name. All others
    /// stay behind: any of them may be a credential of the first host.
    private static let harmless: Set<String> = [
        "accept", "accept-encoding", "accept-language", "cache-control", "content-encoding", "content-language",
        "content-type", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range",
        "user-agent",
    ]

    /// Decides about the answer to a request after `followed` redirects.
    ///
    /// - Throws: ``HTTPClientError``: too many redirects, or one that must not be followed.
    static func after(
        _ request: HTTPRequest, status: Int, headers: HTTPHeaders, followed: Int
    ) throws(HTTPClientError) -> RedirectStep {
        let policy = request.redirects
        let locations = headers.values("Location")
        guard [301, 302, 303, 307, 308].contains(status), policy.limit > 0, let location = locations.first else {
            return .deliver
        }
        guard locations.allSatisfy({ $0 == location }) else {
            throw HTTPClientError(.badRedirect, "the redirect names several different locations")
        }
        guard followed < policy.limit else {
            throw HTTPClientError(.tooManyRedirects, "the server redirected more than \(policy.limit) times")
        }
        let target = try target(of: location, from: request.url)
        var next = request
        next.url = target
        let keepsMethod = status == 307 || status == 308
        let becomesGet = status == 303 ? request.method != "HEAD" : !keepsMethod && request.method == "POST"
        if becomesGet {
            next.method = "GET"
            next.body = nil
            next.headers.keep { !$0.hasPrefix("content-") }
        }
        guard let from = request.url.origin, let to = target.origin else {
            throw HTTPClientError(.badRedirect, "the server redirected to something that is not http or https")
        }
        if from.scheme == "https", to.scheme == "http", !policy.allowsDowngrade {
            throw HTTPClientError(.badRedirect, "the server redirected from https to http")
        }
        if !isSameParty(from, to) {
            guard next.body?.isEmpty ?? true || policy.allowsBodyToOtherOrigin else {
                throw HTTPClientError(
                    .badRedirect, "the server redirected a request with a body to another origin, \(to)")
            }
            next.headers.keep(harmless.contains)
        }
        return .follow(next)
    }

    private static func target(of location: String, from url: URLReference) throws(HTTPClientError) -> URLReference {
        var target: URLReference
        do {
            target = url.resolving(try URLReference(location))
        } catch {
            throw HTTPClientError(.badRedirect, "the server redirected to a bad URL: \(error.message)")
        }
        // A server must not make us log in somewhere under a name of its choice.
        target.userinfo = nil
        if target.fragment == nil { target.fragment = url.fragment }
        return target
    }

    /// Whether credentials for one origin may go to the other: the same, or its own https on the usual ports.
    private static func isSameParty(_ from: URLReference.Origin, _ to: URLReference.Origin) -> Bool {
        from == to
            || (from.host == to.host && from.scheme == "http" && from.port == 80 && to.scheme == "https"
                && to.port == 443)
    }
}
