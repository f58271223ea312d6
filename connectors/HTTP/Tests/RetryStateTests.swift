import HeadraceHTTP
import HeadraceHTTPClient
import Testing

private func state(_ change: (inout RetryPolicy) -> Void = { _ in }, isRepeatable: Bool = true) -> RetryState {
    var policy = RetryPolicy()
    change(&policy)
    return RetryState(policy, isRepeatable: isRepeatable, startedAt: 0)
}

private func answer(_ status: Int, _ headers: HTTPHeaders = [:]) -> AttemptOutcome {
    .answered(status: status, headers: headers)
}

@Suite struct RetryStateTests {
    @Test("Statuses that may pass are tried again", arguments: [408, 425, 429, 500, 502, 503, 504])
    func retryableStatus(status: Int) {
        var state = state()
        #expect(
            state.decide(after: answer(status), monotonic: 0, now: 0, random: 0.5)
                == .retry(after: .milliseconds(250), sparesHost: false))
    }

    @Test("Statuses that will not change are final", arguments: [200, 204, 301, 304, 400, 401, 403, 404, 410, 501])
    func finalStatus(status: Int) {
        var state = state()
        #expect(state.decide(after: answer(status), monotonic: 0, now: 0, random: 0.5) == .stop(.settled))
    }

    @Test("The wait doubles up to its bound, and the jitter takes any part of it")
    func backoff() {
        var waits: [RetryDecision] = []
        var slow = state {
            $0.attempts = 6
            $0.maxDelay = .seconds(3)
        }
        for _ in 0..<6 { waits.append(slow.decide(after: answer(503), monotonic: 0, now: 0, random: 1)) }
        let expected: [RetryDecision] = [500, 1000, 2000, 3000, 3000].map {
            .retry(after: .milliseconds($0), sparesHost: false)
        }
        #expect(waits == expected + [.stop(.attemptsSpent)])
        var none = state()
        #expect(
            none.decide(after: answer(503), monotonic: 0, now: 0, random: 0)
                == .retry(after: .zero, sparesHost: false))
    }

    @Test("Retry-After in seconds replaces the own wait and spares the host")
    func retryAfterSeconds() {
        var state = state()
        #expect(
            state.decide(after: answer(429, ["Retry-After": "7"]), monotonic: 0, now: 0, random: 0.9)
                == .retry(after: .seconds(7), sparesHost: true))
    }

    @Test(
        "Retry-After as a date is measured against the server's own clock",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        ])
    func retryAfterDate(date: String) {
        let headers: HTTPHeaders = ["Retry-After": date, "Date": "Sun, 06 Nov 1994 08:49:07 GMT"]
        var state = state()
        #expect(
            state.decide(after: answer(503, headers), monotonic: 0, now: 0, random: 0.9)
                == .retry(after: .seconds(30), sparesHost: true))
    }

    @Test("Without the server's clock ours decides, and a date that has passed is no wait")
    func retryAfterOwnClock() {
        let headers: HTTPHeaders = ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"]
        // 784111777 is that second.
        var early = state()
        #expect(
            early.decide(after: answer(503, headers), monotonic: 0, now: 784_111_770_000_000, random: 0)
                == .retry(after: .seconds(7), sparesHost: true))
        var late = state()
        #expect(
            late.decide(after: answer(503, headers), monotonic: 0, now: 784_111_790_000_000, random: 0)
                == .retry(after: .zero, sparesHost: true))
    }

    @Test("A Retry-After that cannot be read leaves the own wait", arguments: ["soon", "-5", "", "1.5", "Sun, 06 Foo"])
    func badRetryAfter(value: String) {
        var state = state()
        #expect(
            state.decide(after: answer(429, ["Retry-After": value]), monotonic: 0, now: 0, random: 1)
                == .retry(after: .milliseconds(500), sparesHost: false))
    }

    @Test("A server that asks for too long a wait is not asked again", arguments: ["121", "99999999999999999999"])
    func tooLong(value: String) {
        var state = state()
        let decision = state.decide(after: answer(429, ["Retry-After": value]), monotonic: 0, now: 0, random: 1)
        guard case .stop(.askedToWait(let wait)) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(wait >= .seconds(121))
    }

    @Test("No wait goes beyond the budget")
    func budget() {
        var state = state { $0.budget = .seconds(10) }
        let answer = answer(503, ["Retry-After": "4"])
        #expect(
            state.decide(after: answer, monotonic: 5_000_000_000, now: 0, random: 1)
                == .retry(after: .seconds(4), sparesHost: true))
        #expect(state.decide(after: answer, monotonic: 9_500_000_000, now: 0, random: 1) == .stop(.budgetSpent))
        #expect(state.remaining(at: 9_500_000_000) == .milliseconds(500))
        #expect(state.remaining(at: 11_000_000_000) == .zero)
    }

    @Test("What must not be carried out twice is sent again only when it surely was not carried out")
    func notRepeatable() {
        var post = state(isRepeatable: false)
        #expect(post.decide(after: answer(503), monotonic: 0, now: 0, random: 1) == .stop(.notRepeatable))
        #expect(
            post.decide(after: answer(429), monotonic: 0, now: 0, random: 1)
                == .retry(after: .seconds(1), sparesHost: false))
    }

    @Test("One attempt is one attempt")
    func never() {
        var state = RetryState(.never, isRepeatable: true, startedAt: 0)
        #expect(state.decide(after: answer(503), monotonic: 0, now: 0, random: 1) == .stop(.attemptsSpent))
    }
}
