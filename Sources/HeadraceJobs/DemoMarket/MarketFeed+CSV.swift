/// `ebay_prices`: an RFC 4180 file, CRLF and all, with its header on every page.
enum CSVExport {
    static let contentType = "text/csv; charset=utf-8; header=present"

    static func body(of page: MarketPage) -> [UInt8] {
        var text = "raw_id,product_name,price,currency,source,scraped_date,seller,condition\r\n"
        for row in page.rows {
            var fields = [
                row.id, row.name, row.price, row.currency, page.feed.source, row.seenAt, row.seller, row.condition,
            ]
            if row.defect == .broken {
                if page.variety(row, below: 2) == 0 { fields.removeLast(3) } else { fields += ["", "promoted"] }
            }
            let quotesAll = page.variety(row, below: 6) == 0
            text += fields.map { quotesAll && !$0.isEmpty ? quoted($0) : field($0) }.joined(separator: ",") + "\r\n"
        }
        return Array(text.utf8)
    }

    /// A field, in quotes where it needs them. A blank at either end is kept, and needs none.
    private static func field(_ value: String) -> String {
        value.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D } ? quoted(value) : value
    }

    private static func quoted(_ value: String) -> String {
        "\"" + value.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
