/// How the market behaves like services that one does not own: the refusals of a server's life and the limit of a
/// second.
///
/// A value without clock: whoever asks says what time it is.
package struct MarketManners: Sendable {
    /// Requests that a feed answers within one second; the next ones get 429.
    package static let requestsPerSecond = 100

    private var hasLimited: Set<MarketFeed> = []
    private var hasFailed: Set<MarketFeed> = []
    private var windows: [MarketFeed: (second: UInt64, requests: Int)] = [:]

    package init() {}

    /// Counts a request against the feed's limit.
    ///
    /// - Returns: How many more the second allows; nil when it was one too many.
    package mutating func admit(_ feed: MarketFeed, second: UInt64) -> Int? {
        var window = windows[feed] ?? (second, 0)
        if window.second != second { window = (second, 0) }
        guard window.requests < Self.requestsPerSecond else { return nil }
        window.requests += 1
        windows[feed] = window
        return Self.requestsPerSecond - window.requests
    }

    /// Whether this request for a page is the one in the server's life that is refused for coming too soon.
    package mutating func limits(_ feed: MarketFeed, page: Int) -> Bool {
        page == feed.manners.limitedPage && hasLimited.insert(feed).inserted
    }

    /// Whether this request for a page is the one in the server's life that fails inside the server.
    package mutating func fails(_ feed: MarketFeed, page: Int) -> Bool {
        page == feed.manners.failingPage && hasFailed.insert(feed).inserted
    }
}
