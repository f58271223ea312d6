import Testing

@testable import HeadraceJobs

struct DemoMarketCatalogTests {
    private let catalog = MarketCatalog(seed: 1)
    private let clean = MarketCatalog(seed: 1, hasDefects: false)

    /// P1's normalization: trimmed, upper case, one space for any white space.
    private func normalized(_ name: String) -> String {
        name.split(whereSeparator: \.isWhitespace).joined(separator: " ").uppercased()
    }

    @Test(arguments: MarketFeed.allCases, MarketCatalog.days)
    func `a day has three to six hundred rows and is the same whenever it is asked for`(
        feed: MarketFeed, day: MarketDay
    ) {
        let rows = catalog.observations(of: feed, on: day)
        #expect((300...600).contains(rows.count), "\(rows.count)")
        #expect(MarketCatalog(seed: 1).observations(of: feed, on: day) == rows)
        #expect(MarketCatalog(seed: 2).observations(of: feed, on: day) != rows)
    }

    @Test func `a day's rows are these, on every machine and in every version`() {
        let rows = catalog.observations(of: .ebayPrices, on: MarketCatalog.days[0])
        var digest = ""
        for row in rows {
            digest += [row.id, row.name, row.price, row.currency, row.seenAt].joined(separator: "|") + "\n"
        }
        #expect(MarketSite.fingerprint(of: Array(digest.utf8)) == "3cdfec759a216070")
    }

    @Test(arguments: MarketFeed.allCases)
    func `every kind of defect occurs at least once in a day and good rows outnumber the others`(feed: MarketFeed) {
        let rows = catalog.observations(of: feed, on: MarketCatalog.days[1])
        #expect(Set(rows.compactMap(\.defect)) == Set(MarketCatalog.defects(of: feed)))
        #expect(rows.filter { $0.defect == nil }.count > rows.count * 9 / 10)
    }

    @Test(arguments: MarketFeed.allCases)
    func `a defect is what its name says`(feed: MarketFeed) throws {
        let rows = catalog.observations(of: feed, on: MarketCatalog.days[2])
        for row in rows {
            let cents = row.price.contains(".") ? 100.0 : 1.0
            switch row.defect {
            case .missingName: #expect(normalized(row.name).isEmpty)
            case .missingPrice: #expect(row.price.isEmpty)
            case .missingCurrency: #expect(row.currency.isEmpty)
            case .missingID: #expect(row.id.isEmpty)
            case .missingDate: #expect(row.seenAt.isEmpty)
            case .zeroPrice: #expect(Double(row.price) == 0)
            case .negativePrice: #expect(try #require(Double(row.price)) < 0)
            case .unreadablePrice: #expect(Double(row.price) == nil)
            case .hugePrice: #expect(try #require(Double(row.price)) * cents > 9_999_999_999)
            case .longName: #expect(row.name.count > 500)
            case .anomaly: #expect(try #require(Double(row.price)) > 50_000 && row.currency != "JPY")
            case .unknownCurrency: #expect(MarketCurrency(rawValue: row.currency) == nil)
            case .unreadableDate: #expect(MarketDay(row.seenAt.prefix(10)) == nil)
            case .sharedID: #expect(rows.filter { $0.id == row.id }.count >= 2)
            case .repeated:
                var original = row
                original.defect = nil
                #expect(rows.contains(original))
            case .later:
                #expect(
                    rows.contains { other in
                        other.defect == nil && other.name == row.name && other.price == row.price
                            && other.currency == row.currency && other.seenAt < row.seenAt
                    })
            case .broken, nil: break
            }
        }
    }

    @Test(arguments: MarketFeed.allCases)
    func `rows without defects are good ones, each with its own identifier, on the day asked for`(feed: MarketFeed)
        throws
    {
        for day in MarketCatalog.days {
            let rows = clean.observations(of: feed, on: day)
            #expect(rows.allSatisfy { $0.defect == nil })
            #expect(Set(rows.map(\.id)).count == rows.count)
            for row in rows {
                #expect(try #require(Double(row.price)) > 0)
                #expect(MarketCurrency(rawValue: row.currency) != nil)
                #expect(row.currency == "JPY" ? !row.price.contains(".") : row.price.dropLast(2).hasSuffix("."))
                #expect(row.seenAt.hasPrefix("\(day) ") && row.seenAt.utf8.count == 19)
            }
        }
    }

    @Test func `all spellings of a product normalize to one name, and no two products share one`() {
        var names: [Int: Set<String>] = [:]
        var spellings: Set<String> = []
        for feed in MarketFeed.allCases {
            for row in clean.observations(of: feed, on: MarketCatalog.days[0]) {
                names[row.product, default: []].insert(normalized(row.name))
                spellings.insert(row.name)
            }
        }
        #expect(names.values.allSatisfy { $0.count == 1 })
        #expect(Set(names.values.flatMap { $0 }).count == names.count)
        #expect(names.count > 140)
        #expect(spellings.count > 3 * names.count)
        #expect(spellings.contains { $0.hasPrefix(" ") } && spellings.contains { $0.hasSuffix(" ") })
        #expect(spellings.contains { $0.contains("  ") } && spellings.contains { $0.contains("\t") })
        #expect(spellings.contains { $0.utf8.contains { $0 >= 0x80 } })
    }

    @Test func `shops overlap, and every family of P1 is there`() {
        let sold = MarketFeed.allCases.map { feed in
            Set(clean.observations(of: feed, on: MarketCatalog.days[0]).map(\.product))
        }
        #expect(sold.reduce(sold[0]) { $0.intersection($1) }.count > 20)
        let names = catalog.products.map { normalized($0.name) }
        for family in ["IPHONE", "MACBOOK", "AIRPODS"] {
            #expect(names.filter { $0.contains(family) }.count >= 6)
        }
        #expect(names.filter { name in !["IPHONE", "MACBOOK", "AIRPODS"].contains { name.contains($0) } }.count > 60)
    }

    @Test func `from day to day prices rise, fall and stay, and products come and go`() {
        for (before, after) in zip(MarketCatalog.days, MarketCatalog.days.dropFirst()) {
            let moves = catalog.products.indices.map { product in
                (catalog.marketUSCents(of: product, on: after) - catalog.marketUSCents(of: product, on: before))
                    .signum()
            }
            for move in -1...1 { #expect(moves.filter { $0 == move }.count > 20) }
            for feed in MarketFeed.allCases {
                let old = Set(clean.observations(of: feed, on: before).map(\.product))
                let new = Set(clean.observations(of: feed, on: after).map(\.product))
                #expect(old != new)
            }
        }
    }

    @Test func `a price that stays in the market stays in the shop's tags`() {
        let (before, after) = (MarketCatalog.days[0], MarketCatalog.days[1])
        let old = clean.observations(of: .ebayPrices, on: before)
        let new = clean.observations(of: .ebayPrices, on: after)
        var compared = 0
        for row in old
        where clean.marketUSCents(of: row.product, on: before) == clean.marketUSCents(of: row.product, on: after) {
            guard let same = new.first(where: { $0.id == row.id }) else { continue }
            #expect(same.price == row.price && same.currency == row.currency && same.name == row.name)
            compared += 1
        }
        #expect(compared > 50)
    }

    @Test func `all four currencies are used, and yen above 50,000 that are worth less`() throws {
        var currencies: Set<String> = []
        var richYen = 0
        for feed in MarketFeed.allCases {
            for row in clean.observations(of: feed, on: MarketCatalog.days[0]) {
                currencies.insert(row.currency)
                if row.currency == "JPY", try #require(Int(row.price)) > 50_000 { richYen += 1 }
            }
        }
        #expect(currencies == ["USD", "EUR", "GBP", "JPY"])
        #expect(richYen > 50)
    }

    @Test(arguments: [
        (74_999, "USD", "748.99"), (1, "USD", "0.99"), (74_900, "EUR", "680.00"), (74_900, "GBP", "585.00"),
        (74_900, "JPY", "111700"), (1, "JPY", "100"), (1, "GBP", "0.50"), (1, "EUR", "1.00"),
    ])
    func `a price tag has the minor unit of its currency and is never zero`(cents: Int, code: String, tag: String)
        throws
    {
        let currency = try #require(MarketCurrency(rawValue: code))
        #expect(currency.tag(forUSCents: cents) == tag)
    }

    @Test(arguments: [0, 1, 2, 10, 1000])
    func `a market may be small or large`(count: Int) {
        let catalog = MarketCatalog(seed: 5, productCount: count)
        #expect(catalog.products.count == count)
        #expect(Set(catalog.products.map(\.name)).count == count)
        let rows = catalog.observations(of: .ebayPrices, on: MarketCatalog.days[0])
        #expect(rows.count <= 6 * count)
        if count == 1000 { #expect(rows.count > 2000) }
    }
}
