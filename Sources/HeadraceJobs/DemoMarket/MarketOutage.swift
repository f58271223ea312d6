/// A way in which a feed of the demo market can be down until it is mended, for tests of what clients make of it.
public enum MarketOutage: Hashable, Sendable {
    /// Every request is answered with 503, without `Retry-After`.
    case unavailable
    /// The connection is closed when a request has arrived, without an answer.
    case closesConnection
    /// The answer announces its whole length and breaks off in the middle of the body.
    case cutsBody
    /// The request is read and never answered.
    case stalls
}
