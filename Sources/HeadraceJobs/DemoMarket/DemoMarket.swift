import Glibc
import Synchronization

/// An HTTP server on the loopback interface that serves the four feeds of the daily prices job for any day.
///
/// It is there for demonstrations and tests: what it serves is a pure function of its seed and the day asked for, and
/// it has the manners of services that one does not own: pages, a key, entity tags, gzip, a limit of requests, and once
/// in its life for each feed a 429 with `Retry-After` and a 500. docs/demo-market.md describes the feeds field by
/// field.
///
/// ```swift
/// let market = DemoMarket()
/// let port = try market.start()
/// defer { market.stop() }
/// // http://127.0.0.1:PORT/ebay/export.csv?date=2026-01-05
/// ```
///
/// The server runs on a thread of its own, with sockets that never block it, and can be used from any thread.
public final class DemoMarket: Sendable {
    /// What a test may want different from the market of a demonstration.
    public struct Options: Sendable {
        /// Products in the market; a feed has about three rows a day for each.
        public var productCount = 150
        /// Rows on a page of every feed; nil for each feed's own size of 100 to 150. At least one.
        public var pageSize: Int?
        /// How long every answer is held back.
        public var latency = Duration.zero
        /// Whether feeds refuse and fail at times, limit requests to 100 a second and ask crawlers for patience.
        public var hasManners = true
        /// Whether feeds have broken, wrong and repeated rows.
        public var hasDefects = true
        /// Feeds that are down from the start; ``DemoMarket/setOutage(_:of:)`` changes it later.
        public var outages: [MarketFeed: MarketOutage] = [:]

        /// The market of a demonstration.
        public init() {}
    }

    /// The key that `amazon_prices` wants in the header `X-API-Key`.
    public static let apiKey = MarketSite.apiKey

    /// The days that a demonstration runs in order, so that trends and history show.
    public static let days = MarketCatalog.days

    private struct Running {
        let thread: pthread_t
        /// A byte sent into this end wakes the server's thread and ends it.
        let lifeline: Int32
        let port: UInt16
    }

    private let seed: UInt64
    private let options: Options
    private let desk: MarketDesk
    private let running = Mutex<Running?>(nil)

    /// A market that has not opened yet.
    ///
    /// - Parameter seed: Markets of different seeds have different shops and prices.
    public init(seed: UInt64 = 1, options: Options = Options()) {
        self.seed = seed
        self.options = options
        desk = MarketDesk(outages: options.outages)
    }

    deinit {
        stop()
    }

    /// Opens the market on a free port of 127.0.0.1, which it returns; where it is open already, the port it has.
    ///
    /// A market that was stopped may be started again: it gets another port and begins its life anew.
    ///
    /// - Throws: ``DemoMarketError`` when the system has no socket or thread to give.
    @discardableResult
    public func start() throws(DemoMarketError) -> UInt16 {
        try running.withLock { (running) throws(DemoMarketError) in
            if let running { return running.port }
            let opened = try open()
            running = opened
            return opened.port
        }
    }

    /// Closes the market: no connection, socket or thread of it is left when this returns. Harmless when it is closed.
    public func stop() {
        running.withLock { running in
            guard let opened = running else { return }
            // Closing alone would not do where a child process has just been forked and holds the other end too.
            send(opened.lifeline, "x", 1, Int32(MSG_NOSIGNAL))
            close(opened.lifeline)
            pthread_join(opened.thread, nil)
            running = nil
        }
    }

    /// Where the market is to be found, such as `http://127.0.0.1:43210`; nil while it is closed.
    public var baseURL: String? {
        running.withLock { running in running.map { "http://127.0.0.1:\($0.port)" } }
    }

    /// Takes a feed down, or mends it, from the next request on.
    public func setOutage(_ outage: MarketOutage?, of feed: MarketFeed) {
        desk.setOutage(outage, of: feed)
    }

    /// The requests that were read whole, in the order of their answers; of more than 10,000 the latest.
    public var exchanges: [MarketExchange] { desk.exchanges }

    private func open() throws(DemoMarketError) -> Running {
        let (listener, port) = try MarketListener.open()
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            let error = DemoMarketError(call: "socketpair", code: errno)
            close(listener)
            throw error
        }
        let catalog = MarketCatalog(
            seed: seed, productCount: options.productCount, hasDefects: options.hasDefects)
        let site = MarketSite(
            catalog: catalog, pageSize: options.pageSize.map { max(1, $0) }, hasManners: options.hasManners)
        let server = MarketServer(
            listener: listener, lifeline: ends[0], site: site, desk: desk, latency: options.latency)
        // The thread owns the server from here on; the server closes the listener and its end of the pipe.
        let handle = Unmanaged.passRetained(server)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<MarketServer>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, handle.toOpaque())
        guard code == 0 else {
            handle.release()
            close(listener)
            close(ends[0])
            close(ends[1])
            throw DemoMarketError(call: "pthread_create", code: code)
        }
        return Running(thread: thread, lifeline: ends[1], port: port)
    }
}

/// Why the demo market could not open.
public struct DemoMarketError: Error, Hashable, CustomStringConvertible {
    /// The system call that failed.
    public let call: String
    /// What it left in `errno`.
    public let code: Int32

    public var description: String {
        "the demo market cannot open: \(call) failed with \(String(cString: strerror(code)))"
    }
}

/// What the server's thread shares with the threads that use the market.
final class MarketDesk: Sendable {
    private struct State {
        var outages: [MarketFeed: MarketOutage]
        var exchanges: [MarketExchange] = []
    }

    private static let mostExchanges = 10_000
    private let state: Mutex<State>

    init(outages: [MarketFeed: MarketOutage]) {
        state = Mutex(State(outages: outages))
    }

    func setOutage(_ outage: MarketOutage?, of feed: MarketFeed) {
        state.withLock { $0.outages[feed] = outage }
    }

    func outage(of feed: MarketFeed) -> MarketOutage? {
        state.withLock { $0.outages[feed] }
    }

    var exchanges: [MarketExchange] {
        state.withLock { Array($0.exchanges.suffix(Self.mostExchanges)) }
    }

    func record(_ request: MarketRequest, status: Int?) {
        let exchange = MarketExchange(method: request.method, path: request.path, query: request.query, status: status)
        state.withLock { state in
            if state.exchanges.count >= 2 * Self.mostExchanges { state.exchanges.removeFirst(Self.mostExchanges) }
            state.exchanges.append(exchange)
        }
    }
}
