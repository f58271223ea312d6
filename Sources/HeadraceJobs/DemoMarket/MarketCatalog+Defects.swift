extension MarketCatalog {
    /// The kinds of defect that a feed has, in the order in which they are planted.
    ///
    /// A name of more than 500 characters is left to the two feeds whose rows have no line to keep short.
    package static func defects(of feed: MarketFeed) -> [MarketDefect] {
        switch feed {
        case .amazonPrices, .retailerFeed: MarketDefect.allCases
        case .ebayPrices, .pricePage: MarketDefect.allCases.filter { $0 != .longName }
        }
    }

    /// Spoils some rows and repeats others. Each row is spoiled at most once, and no repetition is of a spoiled one.
    func plantDefects(in rows: inout [MarketObservation], of feed: MarketFeed, on day: MarketDay) {
        var repetitions: [(place: Int, row: MarketObservation)] = []
        var taken: Set<Int> = []
        for (kind, defect) in Self.defects(of: feed).enumerated() {
            // Repetitions are the daily bread of scrapers; the other kinds are rare.
            let least = defect == .repeated || defect == .later ? 4 : 1
            let count =
                least + noise.number(below: 2, .defectCount, feed.coordinate, day.ordinal, kind) + rows.count / 1000
            for occurrence in 0..<count {
                // Two rows in three stay as they are, however small the market.
                guard taken.count < rows.count / 3 else { return insert(repetitions, into: &rows) }
                var index = noise.number(
                    below: rows.count, .defectPlace, feed.coordinate, day.ordinal, kind, occurrence)
                while !taken.insert(index).inserted { index = (index + 1) % rows.count }
                let value = noise.number(below: 1 << 20, .defectValue, feed.coordinate, day.ordinal, kind, occurrence)
                switch defect {
                case .repeated:
                    var copy = rows[index]
                    copy.defect = .repeated
                    repetitions.append((value % (rows.count + 1), copy))
                case .later:
                    var copy = rows[index]
                    copy.defect = .later
                    copy.id += "-B"
                    copy.seenAt = Self.time(86_399, of: day)
                    repetitions.append((value % (rows.count + 1), copy))
                case .sharedID:
                    var other = (index + 1) % rows.count
                    while taken.contains(other) { other = (other + 1) % rows.count }
                    taken.insert(other)
                    rows[index].id = rows[other].id
                    rows[index].defect = .sharedID
                default:
                    Self.spoil(&rows[index], with: defect, value)
                }
            }
        }
        insert(repetitions, into: &rows)
    }

    private func insert(_ repetitions: [(place: Int, row: MarketObservation)], into rows: inout [MarketObservation]) {
        var result: [MarketObservation] = []
        result.reserveCapacity(rows.count + repetitions.count)
        var next = repetitions.sorted { ($0.place, $0.row.id) < ($1.place, $1.row.id) }[...]
        for index in 0...rows.count {
            while let repetition = next.first, repetition.place == index {
                result.append(repetition.row)
                next.removeFirst()
            }
            if index < rows.count { result.append(rows[index]) }
        }
        rows = result
    }

    private static func spoil(_ row: inout MarketObservation, with defect: MarketDefect, _ value: Int) {
        row.defect = defect
        switch defect {
        case .broken, .repeated, .later, .sharedID: break
        case .unreadablePrice: row.price = ["N/A", "call for price", "12.3.4", "1O9.99"][value % 4]
        case .unreadableDate: row.seenAt = ["yesterday", "2026-13-45 99:00:00", "n/a"][value % 3]
        case .hugePrice: row.price = "123456789012.00"
        case .longName: row.name = String(repeating: row.name + " ", count: 1 + 600 / (row.name.count + 1))
        case .missingName: row.name = value % 2 == 0 ? "" : "   "
        case .missingPrice: row.price = ""
        case .missingCurrency: row.currency = ""
        case .zeroPrice: row.price = value % 2 == 0 ? "0.00" : "0"
        case .negativePrice: row.price = "-" + row.price
        case .unknownCurrency: row.currency = ["BTC", "XTS", "DOGE"][value % 3]
        case .anomaly:
            row.price = "\(60_000 + value % 9_000).00"
            row.currency = ["USD", "EUR", "GBP"][value % 3]
        case .missingID: row.id = ""
        case .missingDate: row.seenAt = ""
        }
    }
}
