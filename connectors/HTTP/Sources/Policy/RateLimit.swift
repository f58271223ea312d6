/// How many requests a host gets within a span of time.
public struct RateLimit: Sendable, Hashable {
    /// Requests in a span; at least 1.
    public var requests: Int
    /// The length of a span.
    public var span: Duration
    /// Requests that may follow each other without a pause after a rest.
    public var burst: Int

    /// - Parameter burst: 1 spaces requests evenly, so that no span of this length ever sees more than `requests`; n lets
    ///   n - 1 more through after a rest.
    public init(_ requests: Int, per span: Duration, burst: Int = 1) {
        self.requests = max(1, requests)
        self.span = span
        self.burst = max(1, burst)
    }

    /// Rounded up, or three requests a second would be a nanosecond too fast.
    var interval: Int64 { (span.nanoseconds + Int64(requests) - 1) / Int64(requests) }
}

/// Hands out the times at which requests may be sent, under several limits at once (the generic cell rate algorithm).
struct RequestPacer: Sendable {
    private struct Cell {
        let interval: Int64
        let tolerance: Int64
        /// When the next request would be due if all came evenly.
        var due: Int64

        init(_ limit: RateLimit, from now: Int64) {
            interval = limit.interval
            tolerance = limit.interval * Int64(limit.burst - 1)
            due = now
        }
    }

    private let limits: [RateLimit]
    private var cells: [Cell] = []
    private var hasBegun = false
    private var notBefore = Int64.min
    private var lastGrant = Int64.min

    init(_ limits: [RateLimit]) { self.limits = limits }

    /// The time, in the nanoseconds of `now`, for the next request. Times grow with every call.
    mutating func reserve(at now: Int64) -> Int64 {
        if !hasBegun {
            hasBegun = true
            cells = limits.map { Cell($0, from: now) } + cells
        }
        var grant = max(now, notBefore, lastGrant)
        for cell in cells { grant = max(grant, cell.due - cell.tolerance) }
        for index in cells.indices { cells[index].due = max(grant, cells[index].due) + cells[index].interval }
        lastGrant = grant
        return grant
    }

    /// Grants nothing before `time`; grants given already are to be checked against ``pausedUntil``.
    mutating func pause(until time: Int64) { notBefore = max(notBefore, time) }

    var pausedUntil: Int64 { notBefore }

    /// Adds a limit; requests sent before do not count.
    mutating func add(_ limit: RateLimit, at now: Int64) { cells.append(Cell(limit, from: now)) }
}

extension Duration {
    /// The duration in nanoseconds, held within what 64 bits can say.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow
            ? (seconds < 0 ? .min : .max) : product.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
    }

    /// The duration for messages: `250 ms`, `1.5 s`, `120 s`.
    var shown: String {
        let milliseconds = nanoseconds / 1_000_000
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        let tenths = milliseconds / 100
        return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
    }
}
