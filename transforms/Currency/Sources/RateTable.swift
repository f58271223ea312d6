public import HeadraceColumnar
import HeadraceCore

/// Dated exchange rates against one base currency. A day without a rate takes the last earlier one.
public struct RateTable: Sendable {
    /// How a table quotes a currency.
    public enum Quotation: Sendable, Hashable {
        /// What one unit of the currency is worth in the base: EUR 1.10 for base USD.
        case valueInBase
        /// How many units of the currency one unit of the base is worth, as the European Central Bank quotes.
        case unitsPerBase
    }

    /// One rate of one currency from a day on.
    public struct Rate: Sendable, Hashable {
        /// The quoted currency by its ISO 4217 code, upper case.
        public let currency: String
        /// Days since 1970-01-01.
        public let day: Int32
        /// Above zero; which way round it is read, the table's `quotation` says.
        public let rate: DecimalValue
        /// A rate that holds from `day` until the currency's next one; `Int32.min` is from the beginning of time.
        public init(_ currency: String, day: Int32, rate: DecimalValue) {
            self.currency = currency
            self.day = day
            self.rate = rate
        }
    }

    /// The code of the currency that all rates are quoted against; its own rate is 1 on every day.
    public let base: String
    /// Which way round the rates are read; one table never mixes the two.
    public let quotation: Quotation
    /// The most days that a rate may be older than the day it is asked for; nil for any.
    public let longestAge: Int?
    private let rates: [String: [Rate]]

    /// - Throws: `badOption` for a rate that is not above zero.
    public init(base: String, quotation: Quotation, _ rates: [Rate], longestAge: Int? = nil) throws {
        for rate in rates where rate.rate <= 0 {
            throw HeadraceError(
                .badOption, "the rate of \(rate.currency) on \(Temporal.formatDate(rate.day)) is \(rate.rate)",
                hint: "rates are above zero")
        }
        self.base = base
        self.quotation = quotation
        self.longestAge = longestAge
        self.rates = Dictionary(grouping: rates, by: \.currency).mapValues { $0.sorted { $0.day < $1.day } }
    }

    /// Rates that hold from the beginning of time.
    public static func fixed(base: String, _ rates: [String: DecimalValue], quotation: Quotation = .valueInBase) throws
        -> RateTable
    {
        try RateTable(base: base, quotation: quotation, rates.map { Rate($0.key, day: .min, rate: $0.value) })
    }

    /// Whether any rate of the currency is known.
    public func knows(_ currency: String) -> Bool { currency == base || rates[currency] != nil }

    /// What converts an amount: `amount * numerator / denominator`, rounded once.
    public struct Conversion: Sendable, Hashable {
        /// What the amount is multiplied with, exactly.
        public let numerator: DecimalValue
        /// What the product is divided by, above zero; 1 where one rate alone does it.
        public let denominator: DecimalValue
        /// The oldest day of the rates used; nil where the same currency or a rate without a day was.
        public let day: Int32?

        /// The factor to ten digits after the point, for audit.
        public var rate: DecimalValue? { numerator.divided(by: denominator, scale: 10) }
    }

    /// How to convert `currency` into `target` on a day; nil where a rate is missing or too old.
    public func conversion(from currency: String, to target: String, on day: Int32) -> Conversion? {
        if currency == target { return Conversion(numerator: 1, denominator: 1, day: nil) }
        guard let source = rate(of: currency, on: day), let goal = rate(of: target, on: day) else { return nil }
        let days = [source.day, goal.day].compactMap { $0 }
        switch quotation {
        case .valueInBase: return Conversion(numerator: source.rate, denominator: goal.rate, day: days.min())
        case .unitsPerBase: return Conversion(numerator: goal.rate, denominator: source.rate, day: days.min())
        }
    }

    private func rate(of currency: String, on day: Int32) -> (rate: DecimalValue, day: Int32?)? {
        if currency == base { return (1, nil) }
        guard let list = rates[currency] else { return nil }
        // The last rate whose day is not after the one asked for.
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle].day <= day { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let found = list[low - 1]
        if let longestAge, found.day != .min, Int(day) - Int(found.day) > longestAge { return nil }
        return (found.rate, found.day == .min ? nil : found.day)
    }
}
