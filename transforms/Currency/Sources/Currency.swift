/// A currency by its ISO 4217 code, with the number of digits of its minor unit.
public struct Currency: Sendable, Hashable {
    /// Three upper-case letters.
    public let code: String
    /// Digits after the point of an amount: 2 for cents, 0 where there is no minor unit.
    public let minorUnitDigits: Int

    /// The currency of a code of ISO 4217, nil for other texts; lower case is another text.
    public init?(_ code: String) {
        guard let digits = Self.digits[code] else { return nil }
        self.code = code
        minorUnitDigits = digits
    }

    private init(code: String, digits: Int) {
        self.code = code
        minorUnitDigits = digits
    }

    /// US dollars, to two digits.
    public static let usd = Currency(code: "USD", digits: 2)
    /// Euros, to two digits.
    public static let eur = Currency(code: "EUR", digits: 2)
    /// Pounds sterling, to two digits.
    public static let gbp = Currency(code: "GBP", digits: 2)
    /// Japanese yen, which have no minor unit: amounts are whole.
    public static let jpy = Currency(code: "JPY", digits: 0)

    /// The minor unit of every active code of ISO 4217 that has one; funds and metals without a unit are left out.
    private static let digits: [String: Int] = {
        var table: [String: Int] = [:]
        for (codes, digits) in [(twoDigits, 2), (noDigits, 0), (threeDigits, 3), (fourDigits, 4)] {
            for code in codes.split(separator: " ") { table[String(code)] = digits }
        }
        return table
    }()

    private static let twoDigits =
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD "
        + "CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
        + "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA "
        + "MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR "
        + "RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD "
        + "TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
    private static let noDigits = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
    private static let threeDigits = "BHD IQD JOD KWD LYD OMR TND"
    private static let fourDigits = "CLF UYW"
}
