public import HeadraceCore
import HeadraceHTTPClient

extension HeadraceError.Code {
    /// A server answered with an error status.
    public static let httpStatus = Self("httpStatus")
    /// No whole answer came from a server.
    public static let httpFailed = Self("httpFailed")
    /// A site's robots.txt forbids the URL.
    public static let robotsDisallowed = Self("robotsDisallowed")
    /// The pages of an API cannot be followed: a circle, no end, a link that makes no sense.
    public static let badPagination = Self("badPagination")
}

extension RESTClient {
    /// The error for a request that is not tried again.
    func error<Body>(
        for attempt: Attempt<Body>, _ request: RESTRequest, _ decision: RetryDecision, attempts: Int,
        _ startedAt: Int64, _ context: RunContext
    ) -> any Error {
        let redact = redact.adding(request.url)
        let url = redact(request.url)
        let elapsed = Duration.nanoseconds(context.clock.monotonic() - startedAt)
        var fields = [("attempts", "\(attempts) in \(elapsed.shown)")]
        switch attempt {
        case .other(let error): return error
        case .success(let response, _):
            return HeadraceError(.unexpected, "\(url) answered with status \(response.status)")
        case .refused(let status, let headers, let excerpt):
            if let text = Self.shown(excerpt, headers, redact) { fields.append(("answer", text)) }
            return HeadraceError(
                .httpStatus, "\(request.method) \(url) was answered with status \(status)\(Self.meaning(status))",
                fields: fields, because: Self.reason(decision), hint: Self.hint(status, request.url),
                retry: Self.retry(decision))
        case .failed(let failure):
            return HeadraceError(
                .httpFailed, "\(request.method) \(url) got no whole answer: \(redact(failure.message))",
                fields: fields + [("kind", failure.code.rawValue)], because: Self.reason(decision),
                hint: Self.hint(failure), retry: failure.isRetryable ? .mayHelp : .never)
        }
    }

    /// The start of a text that the server sent with its refusal, on one line and without secrets.
    private static func shown(_ excerpt: [UInt8], _ headers: HTTPHeaders, _ redact: Redactor) -> String? {
        let type = headers["Content-Type"]?.lowercased() ?? ""
        guard type.contains("json") || type.hasPrefix("text/plain") || type.contains("xml"),
            let text = String(validating: excerpt, as: UTF8.self)
        else { return nil }
        let words = redact(text).split { $0.isWhitespace || $0.isNewline }
        let line = words.joined(separator: " ").filter { character in
            character.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
        guard !line.isEmpty else { return nil }
        return line.count <= 300 ? line : line.prefix(300) + "…"
    }

    /// The error for a request whose time was used up before it could be sent.
    func outOfTime(_ request: RESTRequest, attempts: Int) -> HeadraceError {
        HeadraceError(
            .httpFailed, "\(request.method) \(redact(request.url)) was not sent: the time for it is used up",
            fields: [("attempts", "\(attempts)")], hint: "allow more time, or try again later", retry: .mayHelp)
    }

    private static func reason(_ decision: RetryDecision) -> String? {
        guard case .stop(let reason) = decision else { return nil }
        switch reason {
        case .settled: return nil
        case .notRepeatable: return "the request may have been carried out and is not sent twice"
        case .attemptsSpent: return "all attempts were used"
        case .budgetSpent: return "the time for the request is used up"
        case .askedToWait(let wait): return "the server asks to wait \(wait.shown), longer than is allowed"
        }
    }

    private static func retry(_ decision: RetryDecision) -> HeadraceError.Retry {
        guard case .stop(let reason) = decision else { return .never }
        switch reason {
        case .settled: return .never
        case .notRepeatable, .attemptsSpent, .budgetSpent: return .mayHelp
        case .askedToWait(let wait): return .after(wait)
        }
    }

    private static func meaning(_ status: Int) -> String {
        switch status {
        case 400: " (bad request)"
        case 401: " (not authorised)"
        case 403: " (forbidden)"
        case 404: " (not found)"
        case 405: " (method not allowed)"
        case 408: " (request time-out)"
        case 410: " (gone)"
        case 429: " (too many requests)"
        case 500: " (server error)"
        case 502: " (bad gateway)"
        case 503: " (not available)"
        case 504: " (gateway time-out)"
        default: ""
        }
    }

    private static func hint(_ status: Int, _ url: URLReference) -> String? {
        switch status {
        case 401: "check the key or password, and that it is sent the way the server wants it"
        case 403: "check that the key may read this, or that the site serves programs"
        case 404, 410: "check the path and the query of the URL"
        case 429: "ask less often: lower the rate for this host"
        case 500...599: "try again later; the fault is on the server's side"
        case 300..<400: "use the address that the server redirects to"
        default: nil
        }
    }

    private static func hint(_ failure: HTTPClientError) -> String? {
        switch failure.code {
        case .resolveFailed: "check the host's name and the network"
        case .connectFailed: "check that the server runs and that host and port are right"
        case .connectTimeout, .firstByteTimeout, .silenceTimeout, .totalTimeout:
            "try again later, or allow more time"
        case .tlsFailed: "check the server's certificate and the system's authorities"
        case .tooLarge: "ask for smaller pages, or allow larger answers"
        case .badRedirect, .tooManyRedirects: "use the address that the server redirects to"
        default: nil
        }
    }
}
