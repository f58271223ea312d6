public import HeadraceHTTPClient

/// When and how often a request is tried again.
///
/// Waits double from `baseDelay` to `maxDelay` with full jitter (a random part of the whole), unless the server says how
/// long to wait.
public struct RetryPolicy: Sendable, Hashable {
    /// Attempts in all, the first included; at least 1.
    public var attempts = 3
    /// The longest wait before the second attempt; doubled for each further one.
    public var baseDelay: Duration = .milliseconds(500)
    /// The longest wait that is our own choice.
    public var maxDelay: Duration = .seconds(30)
    /// The longest wait that a server may ask for by `Retry-After`; one that asks for more is not asked again.
    public var maxRetryAfter: Duration = .seconds(120)
    /// From the first attempt to the end of the last, waits included; nil for any time.
    public var budget: Duration? = .seconds(300)
    /// The statuses after which the same request may succeed.
    public var statuses: Set<Int> = [408, 425, 429, 500, 502, 503, 504]

    /// Three attempts within five minutes.
    public init() {}

    /// No second attempt.
    public static var never: RetryPolicy {
        var policy = RetryPolicy()
        policy.attempts = 1
        return policy
    }
}

/// What came of one attempt.
public enum AttemptOutcome: Sendable {
    /// An answer with any status.
    case answered(status: Int, headers: HTTPHeaders)
    /// No answer, or one that broke off.
    case failed(HTTPClientError)
}

/// What to do after an attempt.
public enum RetryDecision: Sendable, Hashable {
    /// Send the request again after this time. The whole host is to be spared when it asked for the wait itself.
    case retry(after: Duration, sparesHost: Bool)
    /// Send no more, for this reason.
    case stop(Reason)

    /// Why there is no further attempt.
    public enum Reason: Sendable, Hashable {
        /// The outcome is good, or one that asking again does not change.
        case settled
        /// The request may have been carried out and must not be sent twice.
        case notRepeatable
        /// The policy's number of attempts was made.
        case attemptsSpent
        /// The time that the policy allows is over, or would be after the wait.
        case budgetSpent
        /// The server asks for a longer wait than the policy allows.
        case askedToWait(Duration)
    }
}

/// The attempts of one request so far: decides without clock, random numbers or I/O of its own.
public struct RetryState: Sendable {
    private let policy: RetryPolicy
    private let isRepeatable: Bool
    private let startedAt: Int64
    /// Attempts whose outcome is known.
    public private(set) var attempts = 0

    /// - Parameters:
    ///   - isRepeatable: whether the request may be carried out twice.
    ///   - startedAt: the run's monotonic nanoseconds at the first attempt.
    public init(_ policy: RetryPolicy, isRepeatable: Bool, startedAt: Int64) {
        self.policy = policy
        self.isRepeatable = isRepeatable
        self.startedAt = startedAt
    }

    /// Time of the budget that is left at `monotonic` nanoseconds; nil without a budget.
    public func remaining(at monotonic: Int64) -> Duration? {
        policy.budget.map { max(.zero, $0 - .nanoseconds(monotonic - startedAt)) }
    }

    /// Takes in the outcome of an attempt.
    ///
    /// - Parameters:
    ///   - monotonic: the run's monotonic nanoseconds now.
    ///   - now: microseconds since 1970, for a `Retry-After` that is a date.
    ///   - random: a fraction from 0 up to 1, for the jitter.
    public mutating func decide(
        after outcome: AttemptOutcome, monotonic: Int64, now: Int64, random: Double
    ) -> RetryDecision {
        attempts += 1
        guard isRetryable(outcome) else { return .stop(.settled) }
        guard isRepeatable || Self.wasNotCarriedOut(outcome) else { return .stop(.notRepeatable) }
        var asked: Duration?
        if case .answered(_, let headers) = outcome { asked = RetryAfter.wait(in: headers, now: now) }
        if let asked, asked > policy.maxRetryAfter { return .stop(.askedToWait(asked)) }
        guard attempts < max(1, policy.attempts) else { return .stop(.attemptsSpent) }
        let wait = asked ?? ownWait(random)
        if let remaining = remaining(at: monotonic), wait >= remaining { return .stop(.budgetSpent) }
        return .retry(after: wait, sparesHost: asked != nil)
    }

    private func isRetryable(_ outcome: AttemptOutcome) -> Bool {
        switch outcome {
        case .answered(let status, _): policy.statuses.contains(status)
        case .failed(let error): error.isRetryable
        }
    }

    /// Whether the server surely did nothing, so that even a POST may be sent again.
    private static func wasNotCarriedOut(_ outcome: AttemptOutcome) -> Bool {
        switch outcome {
        case .answered(let status, _): status == 429
        case .failed(let error): [.resolveFailed, .connectFailed, .connectTimeout].contains(error.code)
        }
    }

    private func ownWait(_ random: Double) -> Duration {
        let doublings = min(attempts - 1, 30)
        return min(policy.maxDelay, policy.baseDelay * (1 << doublings)) * random
    }
}
