/// One row of a feed, as the shop says it: texts, because what a shop says need not be a number or a date.
package struct MarketObservation: Hashable, Sendable {
    /// The shop's identifier of the row, empty where the shop gives none.
    package var id: String
    /// The product's name in the shop's spelling, empty where it is missing.
    package var name: String
    /// Digits with a point where the shop gives a price; empty where it gives none.
    package var price: String
    /// An ISO 4217 code as a rule; empty where it is missing.
    package var currency: String
    /// Day and time of the observation in UTC, `2026-01-05 03:14:15` as a rule; empty where it is missing.
    package var seenAt: String
    /// Who offers the product in this shop.
    package var seller: String
    /// `new`, `used` or `refurbished`.
    package var condition: String
    /// The product's index in the catalog, which no feed gives away.
    package var product: Int
    /// What was done to the row on purpose; nil for most.
    package var defect: MarketDefect?
}

/// What is wrong, or merely uncommon, about a row. Each kind occurs at least once a day in each feed that lists it.
package enum MarketDefect: String, Sendable, CaseIterable {
    /// The row is not of the feed's shape: fields are missing or in surplus, or it is no row at all but an
    /// advertisement.
    case broken
    /// The price is a text such as `N/A`.
    case unreadablePrice
    /// Day and time are no date.
    case unreadableDate
    /// The price has more digits than DECIMAL(10,2) can hold.
    case hugePrice
    /// The name has more than 500 characters.
    case longName
    /// The name is empty.
    case missingName
    /// The price is empty.
    case missingPrice
    /// The currency is empty.
    case missingCurrency
    /// The price is zero.
    case zeroPrice
    /// The price is below zero.
    case negativePrice
    /// The currency is none that a rate table knows.
    case unknownCurrency
    /// The price is worth more than 50,000 US dollars. A good row, to be flagged.
    case anomaly
    /// The identifier is empty. A good row.
    case missingID
    /// Day and time are empty. A good row.
    case missingDate
    /// The identifier is another row's. A good row, as is the other.
    case sharedID
    /// The whole row stands in the feed once more.
    case repeated
    /// The row repeats another's name, price and currency at a later time of the same day.
    case later

    /// Whether the row must not reach the warehouse: it cannot be read or breaks a rule of P1.
    package var isReject: Bool {
        switch self {
        case .broken, .unreadablePrice, .unreadableDate, .hugePrice, .longName, .missingName, .missingPrice,
            .missingCurrency, .zeroPrice, .negativePrice, .unknownCurrency:
            true
        case .anomaly, .missingID, .missingDate, .sharedID, .repeated, .later: false
        }
    }
}
