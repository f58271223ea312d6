/// What the shops of the demo market offer on which day.
///
/// A pure function of the seed, the day and the number of products: no clock and no state, so that a day asked for
/// twice, or by another process, is the same day.
package struct MarketCatalog: Sendable {
    /// The days that a demo runs in order, so that trends and history show. Any other day works as well.
    package static let days: [MarketDay] = (20_458...20_460).map(MarketDay.init(ordinal:))

    /// Everything that the market sells; an observation's `product` is an index into it.
    package let products: [MarketProduct]
    let noise: MarketNoise
    private let hasDefects: Bool

    /// A market of its own.
    ///
    /// - Parameters:
    ///   - seed: Markets with different seeds have different shops and prices.
    ///   - productCount: Products in all; each shop lists three quarters of them and has about four observations of
    ///     each a day.
    ///   - hasDefects: Without, every row is a good one and stands once.
    package init(seed: UInt64, productCount: Int = 150, hasDefects: Bool = true) {
        products = MarketProduct.range(count: max(0, productCount))
        noise = MarketNoise(seed: seed)
        self.hasDefects = hasDefects
    }

    /// The price of a product on a day before the shops put their margin on it, in US cents.
    ///
    /// It moves in steps of one to four percent about three days in five, and returns near its base every eight days.
    package func marketUSCents(of product: Int, on day: MarketDay) -> Int {
        let block = day.ordinal >> 3
        var cents = products[product].baseUSCents
        cents += cents * (noise.number(below: 61, .step, product, block) - 30) / 1000
        for step in 0...(day.ordinal & 7) {
            switch noise.number(below: 10, .step, product, block, step + 1) {
            case 0..<3: cents += cents * (10 + noise.number(below: 31, .step, product, block, step + 1, 1)) / 1000
            case 3..<6: cents -= cents * (10 + noise.number(below: 31, .step, product, block, step + 1, 1)) / 1000
            default: break
            }
        }
        return cents
    }

    /// Whether a shop offers a product on a day: three quarters of the range, of which one in thirty is sold out.
    package func offers(_ feed: MarketFeed, _ product: Int, on day: MarketDay) -> Bool {
        noise.number(below: 4, .listed, feed.coordinate, product) > 0
            && noise.number(below: 30, .absence, feed.coordinate, product, day.ordinal) > 0
    }

    /// The rows of a feed on a day, in the order in which the feed gives them.
    package func observations(of feed: MarketFeed, on day: MarketDay) -> [MarketObservation] {
        var rows: [(order: UInt64, row: MarketObservation)] = []
        for product in products.indices where offers(feed, product, on: day) {
            let cents = marketUSCents(of: product, on: day)
            for offer in 0..<(2 + noise.number(below: 4, .offers, feed.coordinate, product)) {
                let order = noise.bits(.order, feed.coordinate, product, offer, day.ordinal)
                rows.append((order, observation(feed, product, offer, marketUSCents: cents, on: day)))
            }
        }
        rows.sort { ($0.order, $0.row.id) < ($1.order, $1.row.id) }
        var observations = rows.map(\.row)
        if hasDefects, !observations.isEmpty {
            plantDefects(in: &observations, of: feed, on: day)
        }
        return observations
    }

    private func observation(
        _ feed: MarketFeed, _ product: Int, _ offer: Int, marketUSCents: Int, on day: MarketDay
    ) -> MarketObservation {
        let shop = feed.coordinate
        let currencies = feed.currencies
        let currency = currencies[noise.number(below: currencies.count, .currency, shop, product, offer)]
        let spread = noise.number(below: 161, .spread, shop, product, offer) - 80
        let second = noise.number(below: 86_400, .time, shop, product, offer, day.ordinal)
        return MarketObservation(
            id: "\(feed.prefix)\(padded(100_000 + product, 6))-\(offer + 1)",
            name: spelling(of: products[product].name, feed, product, offer),
            price: currency.tag(forUSCents: marketUSCents + marketUSCents * spread / 1000),
            currency: currency.rawValue,
            seenAt: Self.time(second, of: day),
            seller: Self.sellers[noise.number(below: Self.sellers.count, .seller, shop, product, offer)],
            condition: Self.conditions[noise.number(below: Self.conditions.count, .condition, shop, product, offer)],
            product: product,
            defect: nil)
    }

    /// The second of a day as the feeds' date and time.
    static func time(_ second: Int, of day: MarketDay) -> String {
        "\(day) \(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    }

    /// The name in one of the ways in which shops write names; all of them normalize to the same.
    private func spelling(of name: String, _ feed: MarketFeed, _ product: Int, _ offer: Int) -> String {
        let words = name.split(separator: " ")
        return switch noise.number(below: 12, .spelling, feed.coordinate, product, offer) {
        case 0: name.lowercased()
        case 1: name.uppercased()
        case 2: words.joined(separator: "  ")
        case 3: "  " + name
        case 4: name + "   "
        case 5: " " + words.joined(separator: "   ").lowercased() + " "
        case 6: words.joined(separator: "\t")
        case 7: words.prefix(2).joined(separator: " ") + "\n" + words.dropFirst(2).joined(separator: " ")
        default: name
        }
    }

    private static let conditions = ["new", "new", "new", "used", "refurbished"]

    private static let sellers = [
        "TechOutlet", "Müller & Söhne", "O'Brien \"Best\" Deals", "Café Digital, Lyon", "HandyShop24", "東京カメラ",
        "Prime Gadgets", "ReNew Mobile; Ltd.", "GadgetBarn", "señal.es",
    ]
}
