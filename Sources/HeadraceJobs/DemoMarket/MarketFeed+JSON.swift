/// `amazon_prices`: items below `data.items`, numbers as numbers or as strings, a page count beside them.
enum JSONPrices {
    static let contentType = "application/json"

    static func body(of page: MarketPage, catalog: MarketCatalog) -> [UInt8] {
        let items = page.rows.map { item($0, page, catalog) }
        let next = page.next.map { string($0, escapesAll: false) } ?? "null"
        let text = """
            {"meta":{"marketplace":"demo","date":"\(page.day)","schema":3},"data":{"items":[
            \(items.joined(separator: ",\n"))
            ]},"pagination":{"page":\(page.number),"pages":\(page.count),"per_page":\(page.size),\
            "total":\(page.total),"next":\(next)}}
            """
        return Array((text + "\n").utf8)
    }

    private static func item(_ row: MarketObservation, _ page: MarketPage, _ catalog: MarketCatalog) -> String {
        // Upstream shards that time out leave a note where an item should be.
        if row.defect == .broken { return #""offer temporarily unavailable""# }
        let escapesAll = page.variety(row, below: 3) == 0
        func text(_ value: String) -> String { string(value, escapesAll: escapesAll) }
        let product = catalog.products[row.product]
        let reviews = row.product * 37 % 4001
        let currency = row.currency.isEmpty ? "null" : text(row.currency)
        var members = ["\"id\":\(row.id.isEmpty ? "null" : text(row.id))", "\"title\":\(text(row.name))"]
        members.append(
            """
            "offer":{"amount":\(amount(row.price, asNumber: page.variety(row, below: 4) > 0)),"currency":\(currency),\
            "condition":\(text(row.condition)),"seller":{"name":\(text(row.seller)),\
            "rating":\(4 - row.product % 2).\(row.product % 10)}}
            """)
        members.append("\"brand\":\(text(product.brand)),\"categories\":[\"electronics\",\(text(product.brand))]")
        members.append("\"reviews\":\(reviews),\"prime\":\(row.product % 3 == 0)")
        // A missing time is a missing member, not a null: APIs have both.
        if !row.seenAt.isEmpty { members.append("\"observed_at\":\(text(row.seenAt.asRFC3339))") }
        return "{" + members.joined(separator: ",") + "}"
    }

    /// A price as a JSON number, without trailing zeros as serializers write it, or as a string with its cents.
    private static func amount(_ price: String, asNumber: Bool) -> String {
        guard !price.isEmpty else { return "null" }
        let digits = price.utf8.first == UInt8(ascii: "-") ? price.dropFirst() : price[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        let isDecimal =
            parts.count <= 2
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }
        guard asNumber, isDecimal else { return string(price, escapesAll: false) }
        var text = price
        if parts.count == 2 {
            while text.hasSuffix("0") { text.removeLast() }
            if text.hasSuffix(".") { text.removeLast() }
        }
        return text
    }

    /// A JSON string (RFC 8259); with everything outside ASCII as escapes if asked, in surrogate pairs above U+FFFF.
    static func string(_ value: String, escapesAll: Bool) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\u{0}"..<" ": text += escape(UInt16(scalar.value))
            default:
                if escapesAll, !scalar.isASCII {
                    for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { text += escape(unit) }
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        return text + "\""
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
