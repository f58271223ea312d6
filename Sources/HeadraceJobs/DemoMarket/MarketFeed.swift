/// One of the four feeds that the demo market serves, each with the format and the pagination of its kind.
///
/// Every feed takes `date=YYYY-MM-DD` and gives that day's observations in pages. A row has the same seven fields in
/// all of them: raw_id, product_name, price, currency, scraped_date, seller and condition. What each is called in which
/// format, and how the next page is found, stands in docs/demo-market.md.
public enum MarketFeed: String, Sendable, CaseIterable {
    /// A CSV export, a header line on every page, gzipped for who accepts it; the next page stands in the `Link`
    /// header.
    case ebayPrices = "ebay_prices"
    /// A JSON API with numbered pages that asks for a key in `X-API-Key`.
    case amazonPrices = "amazon_prices"
    /// An XML document with namespaces in parts; the next part stands in a `next` element.
    case retailerFeed = "retailer_feed"
    /// An HTML page in windows-1252 as browsers tolerate it; the next page is a link.
    case pricePage = "price_page"

    /// The value of P1's `source` column for rows of this feed.
    public var source: String {
        switch self {
        case .ebayPrices: "ebay"
        case .amazonPrices: "amazon"
        case .retailerFeed: "retailer"
        case .pricePage: "shop"
        }
    }

    /// The path of the feed, without its query.
    public var path: String {
        switch self {
        case .ebayPrices: "/ebay/export.csv"
        case .amazonPrices: "/amazon/api/v1/prices"
        case .retailerFeed: "/partner/feed.xml"
        case .pricePage: "/shop/prices.html"
        }
    }

    /// The query parameter that numbers the pages, from 1.
    public var pageParameter: String { self == .retailerFeed ? "part" : "page" }

    /// The path and query of one page of a day.
    public func target(on day: MarketDay, page: Int = 1) -> String {
        "\(path)?date=\(day)&\(pageParameter)=\(page)"
    }

    /// Stands for the feed in the noise that makes its rows; a case keeps its number for ever.
    var coordinate: Int {
        switch self {
        case .ebayPrices: 1
        case .amazonPrices: 2
        case .retailerFeed: 3
        case .pricePage: 4
        }
    }

    /// What its identifiers begin with.
    var prefix: String {
        switch self {
        case .ebayPrices: "EB"
        case .amazonPrices: "AZ"
        case .retailerFeed: "RT"
        case .pricePage: "SH"
        }
    }

    /// Rows on a full page.
    var defaultPageSize: Int {
        switch self {
        case .ebayPrices, .pricePage: 100
        case .amazonPrices: 120
        case .retailerFeed: 150
        }
    }

    /// Currencies in which the shop quotes, repeated by how often.
    var currencies: [MarketCurrency] {
        switch self {
        case .ebayPrices: [.usd, .usd, .usd, .gbp, .eur, .jpy]
        case .amazonPrices: [.usd, .usd, .usd, .usd, .eur, .gbp, .jpy]
        case .retailerFeed: [.eur, .eur, .eur, .gbp, .gbp, .usd, .jpy]
        case .pricePage: [.jpy, .jpy, .usd, .usd, .eur, .gbp]
        }
    }

    /// Where the manners of a real service show: the pages whose first request in the life of a server is refused.
    var manners: (limitedPage: Int, failingPage: Int) {
        switch self {
        case .ebayPrices: (limitedPage: 2, failingPage: 3)
        case .amazonPrices: (limitedPage: 3, failingPage: 2)
        case .retailerFeed: (limitedPage: 2, failingPage: 1)
        case .pricePage: (limitedPage: 3, failingPage: 2)
        }
    }
}

/// The currencies of the market, with the rates by which its shops turn their prices in dollars into local ones.
enum MarketCurrency: String, Sendable, CaseIterable {
    case usd = "USD"
    case eur = "EUR"
    case gbp = "GBP"
    case jpy = "JPY"

    /// The price tag for an amount in US cents, rounded to what shops like to print, and never zero.
    func tag(forUSCents cents: Int) -> String {
        switch self {
        case .usd: Self.text(cents: max(cents / 100 * 100, 100) - 1)
        case .eur: Self.text(cents: max(cents * 10 / 11 / 100 * 100, 100))
        case .gbp: Self.text(cents: max(cents * 100 / 128 / 50 * 50, 50))
        case .jpy: String(max(cents * 100 / 67 / 100 * 100, 100))
        }
    }

    private static func text(cents: Int) -> String { "\(cents / 100).\(padded(cents % 100, 2))" }
}
