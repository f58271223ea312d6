/// One page of a feed's day, as its renderer is handed it.
struct MarketPage {
    let feed: MarketFeed
    let day: MarketDay
    /// This page's number, from 1.
    let number: Int
    /// Pages in all, at least one: a day without rows has an empty page.
    let count: Int
    /// Rows on a full page.
    let size: Int
    /// Rows on all pages.
    let total: Int
    /// This page's rows.
    let rows: ArraySlice<MarketObservation>
    /// Bits that decide on matters of spelling, such as which characters are escaped.
    let noise: MarketNoise

    /// Nil when the feed's day has no page of that number.
    init?(
        _ number: Int, of rows: [MarketObservation], size: Int, feed: MarketFeed, day: MarketDay, noise: MarketNoise
    ) {
        let count = max(1, (rows.count + size - 1) / size)
        guard (1...count).contains(number) else { return nil }
        self.feed = feed
        self.day = day
        self.number = number
        self.count = count
        self.size = size
        self.noise = noise
        total = rows.count
        self.rows = rows[(number - 1) * size..<min(number * size, rows.count)]
    }

    var isLast: Bool { number == count }

    /// Path and query of the next page; nil on the last one.
    var next: String? { isLast ? nil : feed.target(on: day, page: number + 1) }

    /// A small number that belongs to a row, for variety in how it is written.
    func variety(_ row: MarketObservation, below bound: Int) -> Int {
        noise.number(below: bound, .escape, feed.coordinate, row.product, Int(row.id.utf8.last ?? 0), bound)
    }
}

extension String {
    /// The date and time of a row in the form of RFC 3339; a text of another form stays as it is.
    var asRFC3339: String {
        utf8.count == 19 && MarketDay(prefix(10)) != nil ? prefix(10) + "T" + dropFirst(11) + "Z" : self
    }
}
