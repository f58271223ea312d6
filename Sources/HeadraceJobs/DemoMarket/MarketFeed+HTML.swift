/// `price_page`: a page as shops have them, in windows-1252, with end tags left out and entities for what the charset
/// lacks.
enum HTMLPage {
    static let contentType = "text/html; charset=windows-1252"

    static func body(of page: MarketPage) -> [UInt8] {
        var html: [UInt8] = []
        func write(_ text: String) { html.append(contentsOf: text.utf8) }
        write(
            """
            <!DOCTYPE html>
            <html lang=en>
            <head>
            <meta http-equiv="Content-Type" content="text/html; charset=windows-1252">
            <title>Shop &middot; price list of \(page.day)</title>
            <link rel=stylesheet href="/shop/style.css">
            <script>if (1 < 2 && document) { window.dataLayer = []; }</script>
            </head>
            <body>
            <div id=nav><table><tr><td><a href="/shop/">Home</a>
            <td><a href="/shop/prices.html?date=\(page.day)">Prices</a></table></div>
            <h1>Prices &amp; offers, \(page.day)</h1>
            <p>Page \(page.number) of \(page.count)<br>
            <table id="prices" border=0 cellspacing=0>
            <thead><tr><th>No.<th>Product<th>Price<th>Currency<th>Updated<th>Seller<th>Condition</thead>
            <tbody>

            """)
        for (index, row) in page.rows.enumerated() { html.append(contentsOf: line(row, index)) }
        write("</tbody>\n</table>\n<p class=pager>\n")
        if page.number > 1 {
            write("<a rel=\"prev\" href=\"\(XMLFeed.escaped(page.feed.target(on: page.day, page: page.number - 1)))\">")
            write("&laquo; Back</a>\n")
        }
        if let next = page.next { write("<a rel=\"next\" href=\"\(XMLFeed.escaped(next))\">Next &raquo;</a>\n") }
        write("<hr>\n<address>&copy; Shop &ndash; no warranty</address>\n</body>\n</html>\n")
        return html
    }

    private static func line(_ row: MarketObservation, _ index: Int) -> [UInt8] {
        if row.defect == .broken {
            return encoded("<tr class=ad><td colspan=7>Advertisement: free shipping this week!\n")
        }
        let link = row.id.isEmpty ? "#" : "/shop/item/\(row.id)"
        let shade = index % 2 == 0 ? "even" : "odd"
        return encoded("<tr class=\(shade)><td>\(row.id)<td><a href=\"\(link)\">") + encoded(row.name, escapes: true)
            + encoded("</a><td class=price>\(row.price)<td>\(row.currency)<td>\(row.seenAt)<td>")
            + encoded(row.seller, escapes: true) + encoded("<td>\(row.condition)</td></tr>\n")
    }

    /// Text in windows-1252; what the charset lacks becomes a numeric reference, and markup is escaped if asked.
    static func encoded(_ value: String, escapes: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in value.unicodeScalars {
            switch scalar.value {
            case 0x26 where escapes: bytes.append(contentsOf: "&amp;".utf8)
            case 0x3C where escapes: bytes.append(contentsOf: "&lt;".utf8)
            case 0x22 where escapes: bytes.append(contentsOf: "&quot;".utf8)
            case 0xAE where escapes: bytes.append(contentsOf: "&reg;".utf8)
            case 0x00..<0x80, 0xA0...0xFF: bytes.append(UInt8(scalar.value))
            case 0x20AC: bytes.append(0x80)
            case 0x2122: bytes.append(0x99)
            default: bytes.append(contentsOf: "&#\(scalar.value);".utf8)
            }
        }
        return bytes
    }
}
