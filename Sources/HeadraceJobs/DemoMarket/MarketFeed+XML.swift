/// `retailer_feed`: namespaced elements, attributes, CDATA here and escapes there.
enum XMLFeed {
    static let contentType = "application/xml; charset=utf-8"

    static func body(of page: MarketPage, catalog: MarketCatalog) -> [UInt8] {
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- Partner price feed. Prices include VAT where it applies. -->
            <feed xmlns="urn:demo-market:partner-feed:2" xmlns:p="urn:demo-market:prices:1" date="\(page.day)" \
            part="\(page.number)" parts="\(page.count)" products="\(page.total)">

            """
        if let next = page.next { text += "  <next href=\"\(escaped(next))\"/>\n" }
        text += "  <products>\n"
        for row in page.rows { text += product(row, page, catalog) }
        text += "  </products>\n</feed>\n"
        return Array(text.utf8)
    }

    private static func product(_ row: MarketObservation, _ page: MarketPage, _ catalog: MarketCatalog) -> String {
        // An article that was withdrawn leaves an empty element behind.
        if row.defect == .broken { return "    <product sku=\"\(escaped(row.id))\"/>\n" }
        let name = page.variety(row, below: 2) == 0 ? "<![CDATA[\(row.name)]]>" : escaped(row.name)
        let sku = row.id.isEmpty ? "" : " sku=\"\(escaped(row.id))\""
        let currency = row.currency.isEmpty ? "" : " currency=\"\(escaped(row.currency))\""
        let observed = row.seenAt.isEmpty ? "" : "      <p:observed at=\"\(escaped(row.seenAt.asRFC3339))\"/>\n"
        return """
                <product\(sku) condition="\(row.condition)">
                  <name>\(name)</name>
                  <brand>\(escaped(catalog.products[row.product].brand))</brand>
                  <p:price\(currency) vat="included">\(escaped(row.price))</p:price>
            \(observed)      <merchant>\(escaped(row.seller))</merchant>
                </product>

            """
    }

    /// Text that can stand in an element or in an attribute between double quotes.
    static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
