public import HeadraceCore
import HeadraceHTTPClient

/// Sends requests to APIs and sites with the manners they ask for: retries with backoff, `Retry-After`, a rate and a
/// concurrency for each host, robots.txt, bounds on size and time.
///
/// One client holds one limiter for each host, so share it between the sources of a run. A run's cancellation ends every wait and
/// transfer at once. Secrets of the configuration go to no log and no error, even when a server sends them back.
public final class RESTClient: Sendable {
    /// What all requests of the client share.
    public let configuration: RESTConfiguration
    let http: HTTPClient
    let limiters: HostLimiters
    let redact: Redactor
    let robots: RobotsGate

    /// - Throws: `unexpected` when libcurl cannot be started.
    public init(_ configuration: RESTConfiguration = RESTConfiguration()) throws(HeadraceError) {
        self.configuration = configuration
        do {
            http = try HTTPClient(configuration.http)
        } catch {
            throw HeadraceError(.unexpected, "libcurl cannot be started", underlying: error)
        }
        limiters = HostLimiters(configuration.limits, concurrency: configuration.concurrency)
        redact = Redactor(configuration.authentication)
        robots = RobotsGate()
    }

    /// The answer to a GET, whole.
    ///
    /// - Throws: as `send(_:in:)`.
    public func get(_ url: URLReference, ifNoneMatch: String? = nil, in context: RunContext) async throws
        -> RESTResponse
    {
        var request = RESTRequest("GET", url)
        request.ifNoneMatch = ifNoneMatch
        return try await send(request, in: context)
    }

    /// Sends a request, again where the policy says so, and gives the whole answer.
    ///
    /// - Throws: `httpStatus` for a status that is neither success nor accepted, `httpFailed` when no whole answer came,
    ///   `robotsDisallowed`, `cancelled`. The error names the URL without its secrets and the attempts made.
    public func send(_ request: RESTRequest, in context: RunContext) async throws -> RESTResponse {
        let limit = configuration.maxBodyBytes
        let secretParameters = secretParameters
        return try await exchange(request, in: context) { response, permit in
            defer { permit.release() }
            return try await response.body.collect(upTo: limit)
        } finish: { response, bytes, attempts, elapsed in
            var url = response.url
            for name in secretParameters { url.removeQueryItems(named: name) }
            return RESTResponse(
                status: response.status, headers: response.headers, url: url, bytes: bytes, attempts: attempts,
                elapsed: elapsed)
        }
    }

    /// The parameters of the query that carry a secret of the configuration: added when a request is sent, taken off what
    /// comes back.
    var secretParameters: [String] {
        configuration.authentication.compactMap { if case .query(let name, _) = $0 { name } else { nil } }
    }

    /// Closes every connection; requests under way fail.
    public func close() async { await http.close() }

    /// The attempts of one request: paces them, judges their outcome and waits between them.
    ///
    /// - Parameters:
    ///   - boundsBody: whether the time of the request holds for its body, too; not for streams, which take as long as
    ///     their reader.
    ///   - consume: what of a good answer belongs to the attempt, so that a failure in it is tried again. It keeps the
    ///     permit, or releases it.
    func exchange<Body: Sendable, R: Sendable>(
        _ request: RESTRequest, boundsBody: Bool = true, in context: RunContext,
        consume: @escaping @Sendable (HTTPResponse, HostPermit) async throws -> Body,
        finish: @escaping @Sendable (HTTPResponse, Body, Int, Duration) -> R
    ) async throws -> R {
        try await context.cancellation.scope { [self] in
            try await robots.check(request, client: self, in: context)
            let clock = context.clock
            let startedAt = clock.monotonic()
            var policy = configuration.retry
            if let deadline = request.deadline {
                let left = Duration.nanoseconds(max(0, deadline - startedAt))
                policy.budget = policy.budget.map { min($0, left) } ?? left
            }
            var state = RetryState(policy, isRepeatable: request.isRepeatable, startedAt: startedAt)
            let limiter = limiters[Self.host(of: request.url)]
            while true {
                let permit = try await limiter.acquire(clock: clock)
                let remaining = state.remaining(at: clock.monotonic())
                if remaining == .zero { throw outOfTime(request, attempts: state.attempts) }
                let plain = prepared(request, remaining: boundsBody ? remaining : nil)
                let attempt = await attempt(plain, request, permit, consume)
                if case .success(let response, let body) = attempt {
                    let elapsed = Duration.nanoseconds(clock.monotonic() - startedAt)
                    return finish(response, body, state.attempts + 1, elapsed)
                }
                permit.release()
                try context.cancellation.check()
                let decision = state.decide(
                    after: attempt.outcome, monotonic: clock.monotonic(), now: clock.now(),
                    random: context.random.fraction())
                guard case .retry(let wait, let sparesHost) = decision else {
                    throw error(for: attempt, request, decision, attempts: state.attempts, startedAt, context)
                }
                context.log.warning(
                    "a request is tried again",
                    [
                        ("url", redact(request.url)), ("outcome", attempt.shortText),
                        ("attempt", "\(state.attempts)"), ("wait", wait.shown),
                    ])
                if sparesHost { limiter.pause(for: wait, clock: clock) }
                try await clock.sleep(for: wait)
            }
        }
    }

    /// What came of one attempt, with as much of a refusal's body as an error may show.
    enum Attempt<Body: Sendable>: Sendable {
        case success(HTTPResponse, Body)
        case refused(status: Int, headers: HTTPHeaders, excerpt: [UInt8])
        case failed(HTTPClientError)
        case other(any Error)

        var outcome: AttemptOutcome {
            switch self {
            case .success(let response, _): .answered(status: response.status, headers: response.headers)
            case .refused(let status, let headers, _): .answered(status: status, headers: headers)
            case .failed(let error): .failed(error)
            // Not ours to repeat: counts as settled.
            case .other: .answered(status: 200, headers: [:])
            }
        }

        var shortText: String {
            switch self {
            case .success(let response, _): "status \(response.status)"
            case .refused(let status, _, _): "status \(status)"
            case .failed(let error): error.code.rawValue
            case .other(let error): "\(error)"
            }
        }
    }

    private func attempt<Body>(
        _ plain: HTTPRequest, _ request: RESTRequest, _ permit: HostPermit,
        _ consume: @Sendable (HTTPResponse, HostPermit) async throws -> Body
    ) async -> Attempt<Body> {
        do {
            let response = try await http.send(plain)
            let isWanted =
                response.isSuccess || request.accepts.contains(response.status)
                || (response.status == 304 && request.ifNoneMatch != nil)
            guard isWanted else {
                let excerpt = try? await response.body.collect(upTo: 16 << 10)
                return .refused(status: response.status, headers: response.headers, excerpt: excerpt ?? [])
            }
            return .success(response, try await consume(response, permit))
        } catch let error as HTTPClientError {
            return .failed(error)
        } catch {
            return .other(error)
        }
    }

    private func prepared(_ request: RESTRequest, remaining: Duration?) -> HTTPRequest {
        var plain = HTTPRequest(request.method, request.url, headers: request.headers, body: request.body)
        if request.sendsCredentials {
            for field in configuration.headers.fields where plain.headers[field.name] == nil {
                plain.headers.add(field.name, field.value)
            }
            for authentication in configuration.authentication { authentication.apply(to: &plain) }
        }
        if let tag = request.ifNoneMatch { plain.headers["If-None-Match"] = tag }
        plain.timeouts = configuration.timeouts
        if let remaining {
            plain.timeouts.total = plain.timeouts.total.map { min($0, remaining) } ?? remaining
        }
        return plain
    }

    static func host(of url: URLReference) -> String {
        url.origin.map { "\($0.host):\($0.port)" } ?? ""
    }
}
