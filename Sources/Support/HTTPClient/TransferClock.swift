/// When an exchange has taken too long: one clock for the request's way out, the wait for the answer and the answer.
/// The connection's own time-out is libcurl's, which shares it out among the addresses of a host.
struct TransferClock {
    private let timeouts: HTTPTimeouts
    private let deadline: UInt64?
    private var isConnected = false
    private var hasAnswer = false
    private var lastMove: UInt64 = 0
    private var spanStart: UInt64 = 0
    private var spanCount = 0
    private(set) var isPaused = false
    /// Whether libcurl has taken the whole body of the request.
    var hasSentAll = true

    init(_ plan: TransferPlan) {
        timeouts = plan.timeouts
        deadline = plan.deadline
    }

    /// Whether a connection carries, or carried, the request.
    var wasConnected: Bool { isConnected }

    mutating func connected() {
        isConnected = true
        startSpan()
    }

    mutating func moved(_ count: Int, isAnswer: Bool) {
        if isAnswer { hasAnswer = true }
        lastMove = monotonicNanoseconds()
        spanCount += count
    }

    mutating func paused() {
        isPaused = true
    }

    mutating func resumed() {
        isPaused = false
        startSpan()
    }

    private mutating func startSpan() {
        lastMove = monotonicNanoseconds()
        spanStart = lastMove
        spanCount = 0
    }

    /// When to look again, at the latest.
    var nextLook: UInt64 {
        var look = deadline ?? .max
        guard isConnected, !isPaused else { return look }
        if !hasAnswer, hasSentAll {
            if let firstByte = timeouts.firstByte { look = min(look, lastMove &+ firstByte.clampedNanoseconds) }
        } else if let silence = timeouts.silence {
            look = min(look, lastMove &+ silence.clampedNanoseconds, spanStart &+ silence.clampedNanoseconds)
        }
        return look
    }

    /// What is overdue at a time, if anything.
    mutating func overdue(at now: UInt64) -> HTTPClientError? {
        if let deadline, now >= deadline {
            return HTTPClientError(.totalTimeout, "the exchange took longer than \(text(timeouts.total)) in all")
        }
        guard isConnected, !isPaused else { return nil }
        if !hasAnswer, hasSentAll {
            guard let firstByte = timeouts.firstByte, now >= lastMove &+ firstByte.clampedNanoseconds else {
                return nil
            }
            return HTTPClientError(
                .firstByteTimeout, "the server did not begin to answer within \(text(timeouts.firstByte))")
        }
        guard let silence = timeouts.silence else { return nil }
        let span = silence.clampedNanoseconds
        let end = hasAnswer ? "the server sent" : "the server took"
        if now >= lastMove &+ span {
            return HTTPClientError(.silenceTimeout, "\(end) no bytes for \(text(silence))")
        }
        guard now >= spanStart &+ span else { return nil }
        if Double(spanCount) < Double(timeouts.minimumBytesPerSecond) * Double(span) / 1e9 {
            return HTTPClientError(
                .silenceTimeout, "\(end) \(spanCount) bytes in \(text(silence)), which is slower than allowed")
        }
        spanStart = now
        spanCount = 0
        return nil
    }

    private func text(_ duration: Duration?) -> String {
        let milliseconds = (duration?.clampedNanoseconds ?? 0) / 1_000_000
        return milliseconds.isMultiple(of: 1000) ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}
