import HeadraceCodecs

/// What the demo market answers to a request: routes, checks, manners and pages, without a socket.
package struct MarketSite: Sendable {
    /// The key that the JSON API wants in `X-API-Key`.
    package static let apiKey = "demo-key"

    private let catalog: MarketCatalog
    private let pageSize: Int?
    private let crawlDelay: String
    /// Nil where the manners are switched off.
    private var manners: MarketManners?
    /// The rows of the days asked for lately, so that a page does not cost a day.
    private var days: [(feed: MarketFeed, day: MarketDay, rows: [MarketObservation])] = []

    package init(catalog: MarketCatalog, pageSize: Int? = nil, hasManners: Bool = true) {
        self.catalog = catalog
        self.pageSize = pageSize
        manners = hasManners ? MarketManners() : nil
        crawlDelay = hasManners ? "Crawl-delay: 0.1\n" : ""
    }

    /// The feed that a request is for, if it is for one.
    package static func feed(of request: MarketRequest) -> MarketFeed? {
        if request.path == changesPath { return .amazonPrices }
        return MarketFeed.allCases.first { $0.path == request.path }
    }

    private static let changesPath = "/amazon/api/v1/changes"

    /// The answer to a request.
    ///
    /// - Parameter second: The time on any clock that runs forward, for the limit of requests in a second.
    package mutating func respond(to request: MarketRequest, second: UInt64) -> MarketResponse {
        guard request.method == "GET" || request.method == "HEAD" else {
            return MarketResponse(405, "Only GET and HEAD are allowed here.", headers: [("Allow", "GET, HEAD")])
        }
        if let feed = Self.feed(of: request) { return respond(feed, request, second) }
        switch request.path {
        case "/":
            let paths = MarketFeed.allCases.map { "\($0.rawValue)  \($0.target(on: MarketCatalog.days[0]))" }
            return MarketResponse(200, "Demo market\n\n" + paths.joined(separator: "\n"))
        case "/market/days":
            let days = MarketCatalog.days.map { "\"\($0)\"" }.joined(separator: ",")
            return MarketResponse(200, type: "application/json", body: Array("{\"days\":[\(days)]}\n".utf8))
        case "/robots.txt":
            return MarketResponse(200, "User-agent: *\n\(crawlDelay)Disallow: /shop/checkout\nDisallow: /shop/account")
        default:
            return MarketResponse(404, "There is nothing at \(request.path).")
        }
    }

    private mutating func respond(_ feed: MarketFeed, _ request: MarketRequest, _ second: UInt64) -> MarketResponse {
        if feed == .amazonPrices, request.headers["x-api-key"] != Self.apiKey {
            return failure(feed, 401, "unauthorized", "The header X-API-Key has no valid key.")
        }
        var limits: [(name: String, value: String)] = []
        if manners != nil {
            guard let remaining = manners?.admit(feed, second: second) else { return tooManyRequests(feed) }
            limits = Self.limitHeaders(remaining: remaining)
        }
        guard let text = request.query["date"], let day = MarketDay(text) else {
            return failure(feed, 400, "bad_request", "The parameter date must be a day, as in date=2026-01-05.")
        }
        if request.path == Self.changesPath { return changes(on: day, request, limits) }
        guard let number = Int(request.query[feed.pageParameter] ?? "1"), number > 0 else {
            return failure(feed, 400, "bad_request", "The parameter \(feed.pageParameter) must be a number from 1.")
        }
        if request.method == "GET", manners?.limits(feed, page: number) == true { return tooManyRequests(feed) }
        if request.method == "GET", manners?.fails(feed, page: number) == true {
            return failure(feed, 500, "internal_error", "Something went wrong on our side. Please try again.")
        }
        let size = pageSize ?? feed.defaultPageSize
        let rows = rows(of: feed, on: day)
        guard let page = MarketPage(number, of: rows, size: size, feed: feed, day: day, noise: catalog.noise) else {
            return failure(feed, 404, "not_found", "\(day) has no \(feed.pageParameter) \(number).")
        }
        return answer(page, request, limits)
    }

    private func answer(
        _ page: MarketPage, _ request: MarketRequest, _ limits: [(name: String, value: String)]
    ) -> MarketResponse {
        var response: MarketResponse
        switch page.feed {
        case .ebayPrices: response = MarketResponse(200, type: CSVExport.contentType, body: CSVExport.body(of: page))
        case .amazonPrices:
            response = MarketResponse(
                200, type: JSONPrices.contentType, body: JSONPrices.body(of: page, catalog: catalog))
        case .retailerFeed:
            response = MarketResponse(200, type: XMLFeed.contentType, body: XMLFeed.body(of: page, catalog: catalog))
        case .pricePage: response = MarketResponse(200, type: HTMLPage.contentType, body: HTMLPage.body(of: page))
        }
        var tag = Self.fingerprint(of: response.body)
        if page.feed == .ebayPrices {
            response.headers += links(of: page, host: request.headers["host"])
            response.headers += [
                ("Vary", "Accept-Encoding"),
                ("Content-Disposition", "attachment; filename=\"export-\(page.day)-\(page.number).csv\""),
            ]
            if request.accepts(coding: "gzip"), let compressed = Self.gzipped(response.body) {
                response.body = compressed
                response.headers.append(("Content-Encoding", "gzip"))
                tag += "-gzip"
            }
        }
        response.headers += [
            ("ETag", "\"\(tag)\""), ("Last-Modified", page.day.httpDate), ("Cache-Control", "max-age=0"),
        ]
        response.headers += limits
        if request.knows(entityTag: "\"\(tag)\"") {
            response.status = 304
            response.body = []
            response.headers.removeAll {
                ["Content-Type", "Content-Encoding", "Content-Disposition"].contains($0.name)
            }
        }
        return response
    }

    /// Pages before and after, as RFC 8288 has them.
    private func links(of page: MarketPage, host: String?) -> [(name: String, value: String)] {
        let base = host.map { "http://\($0)" } ?? ""
        var links: [String] = []
        if let next = page.next { links.append("<\(base)\(next)>; rel=\"next\"") }
        links.append("<\(base)\(page.feed.target(on: page.day))>; rel=\"first\"")
        links.append("<\(base)\(page.feed.target(on: page.day, page: page.count))>; rel=\"last\"")
        return [("Link", links.joined(separator: ", "))]
    }

    private mutating func rows(of feed: MarketFeed, on day: MarketDay) -> [MarketObservation] {
        if let known = days.first(where: { $0.feed == feed && $0.day == day }) { return known.rows }
        let rows = catalog.observations(of: feed, on: day)
        if days.count >= 2 * MarketFeed.allCases.count { days.removeFirst() }
        days.append((feed, day, rows))
        return rows
    }

    // MARK: - Changes

    private static let changesOnAPage = 50

    /// Products whose price differs from the day before, in pages that only their predecessor's cursor finds.
    private func changes(
        on day: MarketDay, _ request: MarketRequest, _ limits: [(name: String, value: String)]
    ) -> MarketResponse {
        let feed = MarketFeed.amazonPrices
        let changed = catalog.products.indices.filter { product in
            catalog.offers(feed, product, on: day) && catalog.offers(feed, product, on: day.previous)
                && catalog.marketUSCents(of: product, on: day) != catalog.marketUSCents(of: product, on: day.previous)
        }
        let cursor = request.query["cursor"] ?? ""
        guard let start = cursor.isEmpty ? 0 : Self.offset(of: cursor), (0...changed.count).contains(start) else {
            return failure(feed, 400, "bad_cursor", "The cursor is none that this service gave out.")
        }
        let items = changed.dropFirst(start).prefix(Self.changesOnAPage).map { product in
            let before = MarketCurrency.usd.tag(forUSCents: catalog.marketUSCents(of: product, on: day.previous))
            let after = MarketCurrency.usd.tag(forUSCents: catalog.marketUSCents(of: product, on: day))
            let title = JSONPrices.string(catalog.products[product].name, escapesAll: false)
            return """
                {"title":\(title),"previous":{"amount":\(before),"currency":"USD"},\
                "current":{"amount":\(after),"currency":"USD"}}
                """
        }
        let end = start + items.count
        let next = end < changed.count ? "\"\(Self.cursor(at: end))\"" : "null"
        let text = """
            {"data":{"items":[\(items.joined(separator: ",\n"))]},\
            "next_cursor":\(next),"has_more":\(end < changed.count)}

            """
        return MarketResponse(200, type: "application/json", body: Array(text.utf8), headers: limits)
    }

    private static func cursor(at offset: Int) -> String { "c" + String(offset * 7919 + 104_729, radix: 36) }

    private static func offset(of cursor: String) -> Int? {
        guard cursor.hasPrefix("c"), let number = Int(cursor.dropFirst(), radix: 36), number >= 104_729 else {
            return nil
        }
        let (offset, rest) = (number - 104_729).quotientAndRemainder(dividingBy: 7919)
        return rest == 0 ? offset : nil
    }

    // MARK: - Refusals

    private func tooManyRequests(_ feed: MarketFeed) -> MarketResponse {
        var response = failure(feed, 429, "rate_limited", "Too many requests. Please wait a second.")
        response.headers += [("Retry-After", "1")] + Self.limitHeaders(remaining: 0)
        return response
    }

    private static func limitHeaders(remaining: Int) -> [(name: String, value: String)] {
        [
            ("RateLimit-Limit", String(MarketManners.requestsPerSecond)), ("RateLimit-Remaining", String(remaining)),
            ("RateLimit-Reset", "1"),
        ]
    }

    /// An error in the form in which the feed's kind of service gives it.
    private func failure(_ feed: MarketFeed, _ status: Int, _ code: String, _ sentence: String) -> MarketResponse {
        switch feed {
        case .amazonPrices:
            let message = JSONPrices.string(sentence, escapesAll: false)
            return MarketResponse(
                status, type: "application/json",
                body: Array("{\"error\":{\"code\":\"\(code)\",\"message\":\(message)}}\n".utf8))
        case .retailerFeed:
            return MarketResponse(
                status, type: XMLFeed.contentType,
                body: Array("<error code=\"\(code)\">\(XMLFeed.escaped(sentence))</error>\n".utf8))
        case .pricePage:
            return MarketResponse(
                status, type: HTMLPage.contentType,
                body: HTMLPage.encoded("<!DOCTYPE html><title>\(status)</title><h1>\(sentence)</h1>\n"))
        case .ebayPrices: return MarketResponse(status, sentence)
        }
    }

    /// Sixteen hexadecimal digits that differ when a body does (FNV-1a).
    static func fingerprint(of body: [UInt8]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in body { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// Nil where the codec fails, whereupon the body goes out as it is.
    private static func gzipped(_ body: [UInt8]) -> [UInt8]? {
        try? Compressor.compress(body, .gzip)
    }
}
