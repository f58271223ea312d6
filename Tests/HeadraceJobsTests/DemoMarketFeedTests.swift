import Foundation
import FoundationXML
import HeadraceCodecs
import Testing

@testable import HeadraceJobs

/// Reads every page of a feed back with parsers that know nothing of the renderers, and compares with the catalog.
struct DemoMarketFeedTests {
    private static let day = MarketCatalog.days[1]
    private let catalog = MarketCatalog(seed: 1)

    private func pages(_ feed: MarketFeed, _ headers: [String: String] = [:]) -> [MarketResponse] {
        var site = MarketSite(catalog: catalog, hasManners: false)
        var headers = headers
        headers["x-api-key"] = DemoMarket.apiKey
        var pages: [MarketResponse] = []
        while true {
            let target = feed.target(on: Self.day, page: pages.count + 1)
            let response = site.respond(to: MarketRequest("GET", target, headers: headers), second: 0)
            guard response.status == 200 else { return pages }
            pages.append(response)
        }
    }

    /// What a feed should say of its rows; nil for a row that is not of its shape.
    private func expected(_ feed: MarketFeed) -> [[String]?] {
        catalog.observations(of: feed, on: Self.day).map { row in
            row.defect == .broken
                ? nil : [row.id, row.name, row.price, row.currency, row.seenAt, row.seller, row.condition]
        }
    }

    @Test func `the CSV export holds the day's rows, one page after the other`() throws {
        var found: [[String]?] = []
        for page in pages(.ebayPrices) {
            let records = csv(String(decoding: page.body, as: UTF8.self))
            #expect(
                records[0] == [
                    "raw_id", "product_name", "price", "currency", "source", "scraped_date", "seller", "condition",
                ])
            for fields in records.dropFirst() {
                guard fields.count == 8 else {
                    found.append(nil)
                    continue
                }
                #expect(fields[4] == "ebay")
                found.append(Array(fields[0...3] + fields[5...7]))
            }
        }
        #expect(found == expected(.ebayPrices))
    }

    @Test func `a gzipped page is the page`() throws {
        let plain = pages(.ebayPrices)
        let packed = pages(.ebayPrices, ["accept-encoding": "gzip"])
        #expect(plain.count == packed.count)
        for (plain, packed) in zip(plain, packed) {
            #expect(packed.header("Content-Encoding") == "gzip" && plain.header("Content-Encoding") == nil)
            #expect(packed.header("ETag") != plain.header("ETag"))
            #expect(packed.body.count < plain.body.count / 2)
            #expect(try Decompressor.decompress(packed.body, .gzip) == plain.body)
        }
    }

    private struct Prices: Decodable {
        struct Container: Decodable { let items: [Item] }
        struct Pagination: Decodable { let page: Int, pages: Int, total: Int, next: String? }
        let data: Container
        let pagination: Pagination
    }

    private enum Item: Decodable {
        case offer(Offer)
        case note(String)

        init(from decoder: any Decoder) throws {
            if let note = try? decoder.singleValueContainer().decode(String.self) {
                self = .note(note)
            } else {
                self = .offer(try decoder.singleValueContainer().decode(Offer.self))
            }
        }
    }

    private struct Offer: Decodable {
        struct Terms: Decodable {
            struct Seller: Decodable { let name: String }
            let amount: Amount?
            let currency: String?, condition: String
            let seller: Seller
        }
        let id: String?
        let title: String
        let offer: Terms
        let observedAt: String?

        enum CodingKeys: String, CodingKey {
            case id, title, offer
            case observedAt = "observed_at"
        }
    }

    private struct Amount: Decodable {
        var text: String?
        var number: Decimal?

        init(from decoder: any Decoder) throws {
            text = try? decoder.singleValueContainer().decode(String.self)
            if text == nil { number = try decoder.singleValueContainer().decode(Decimal.self) }
        }
    }

    @Test func `the JSON API holds the day's rows, with prices as numbers and as texts`() throws {
        let pages = pages(.amazonPrices)
        let wanted = expected(.amazonPrices)
        var row = 0
        var numbers = 0
        for (index, page) in pages.enumerated() {
            let prices = try JSONDecoder().decode(Prices.self, from: Data(page.body))
            #expect(prices.pagination.page == index + 1)
            #expect(prices.pagination.pages == pages.count)
            #expect(prices.pagination.total == wanted.count)
            #expect((prices.pagination.next == nil) == (index + 1 == pages.count))
            for item in prices.data.items {
                guard case .offer(let found) = item else {
                    #expect(wanted[row] == nil)
                    row += 1
                    continue
                }
                let fields = try #require(wanted[row])
                #expect(found.id ?? "" == fields[0])
                #expect(found.title == fields[1])
                if let number = found.offer.amount?.number {
                    #expect(number == Decimal(string: fields[2]))
                    numbers += 1
                } else {
                    #expect(found.offer.amount?.text ?? "" == fields[2])
                }
                #expect(found.offer.currency ?? "" == fields[3])
                #expect(found.observedAt ?? "" == fields[4].asRFC3339)
                #expect(found.offer.seller.name == fields[5])
                #expect(found.offer.condition == fields[6])
                row += 1
            }
        }
        #expect(row == wanted.count)
        #expect((wanted.count / 2..<wanted.count * 9 / 10).contains(numbers))
        let all = String(decoding: pages.flatMap(\.body), as: UTF8.self)
        #expect(all.contains("\\u00e9") && all.contains("é"))
    }

    @Test func `a JSON text may be all escapes, in pairs above U+FFFF`() {
        let text = "a\"\\\n\t\u{1}é🚀"
        #expect(JSONPrices.string(text, escapesAll: true) == #""a\"\\\n\t\u0001\u00e9\ud83d\ude80""#)
        #expect(JSONPrices.string(text, escapesAll: false) == #""a\"\\\n\t\u0001é🚀""#)
    }

    @Test func `the XML feed holds the day's rows and points to its next part`() throws {
        let pages = pages(.retailerFeed)
        var found: [[String]?] = []
        for (index, page) in pages.enumerated() {
            let reader = FeedReader()
            let parser = XMLParser(data: Data(page.body))
            parser.shouldProcessNamespaces = true
            parser.delegate = reader
            #expect(parser.parse())
            let next = index + 1 < pages.count ? MarketFeed.retailerFeed.target(on: Self.day, page: index + 2) : nil
            #expect(reader.next == next)
            found += reader.rows
        }
        let wanted = expected(.retailerFeed).map { fields in
            fields.map { Array($0[..<4]) + [$0[4].asRFC3339] + Array($0[5...]) }
        }
        #expect(found == wanted)
        let all = String(decoding: pages.flatMap(\.body), as: UTF8.self)
        #expect(all.contains("<![CDATA[") && all.contains("&amp;"))
    }

    private final class FeedReader: NSObject, XMLParserDelegate {
        var next: String?
        var rows: [[String]?] = []
        private var row: [String] = []
        private var text = ""
        private var isEmpty = true

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            text = ""
            switch name {
            case "next": next = attributes["href"]
            case "product":
                row = [attributes["sku"] ?? "", "", "", "", "", "", attributes["condition"] ?? ""]
                isEmpty = true
            case "price":
                #expect(namespaceURI == "urn:demo-market:prices:1")
                row[3] = attributes["currency"] ?? ""
            case "observed": row[4] = attributes["at"] ?? ""
            default: break
            }
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

        func parser(_ parser: XMLParser, foundCDATA block: Data) { text += String(decoding: block, as: UTF8.self) }

        func parser(
            _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
        ) {
            switch name {
            case "name":
                row[1] = text
                isEmpty = false
            case "price": row[2] = text
            case "merchant": row[5] = text
            case "product": rows.append(isEmpty ? nil : row)
            default: break
            }
        }
    }

    @Test func `the HTML page holds the day's rows in windows-1252 and links to the next page`() throws {
        let pages = pages(.pricePage)
        var found: [[String]?] = []
        for (index, page) in pages.enumerated() {
            #expect(page.header("Content-Type") == "text/html; charset=windows-1252")
            let html = try #require(String(data: Data(page.body), encoding: .windowsCP1252))
            let table = try #require(html.components(separatedBy: "<table id=\"prices\"").last)
            for line in table.components(separatedBy: "<tr class=").dropFirst() {
                let cells = line.components(separatedBy: "<td").dropFirst().map { cell in
                    cell.drop { $0 != ">" }.dropFirst().replacing(/<[^>]*>/, with: "")
                }
                found.append(cells.count == 7 ? cells.map { resolved(String($0)) } : nil)
            }
            let next = "<a rel=\"next\" href=\"/shop/prices.html?date=\(Self.day)&amp;page=\(index + 2)\">"
            #expect(html.contains(next) == (index + 1 < pages.count))
        }
        let trimmed = found.map { fields in
            fields.map { Array($0.dropLast()) + [String($0[6].prefix { $0.isLetter })] }
        }
        #expect(trimmed == expected(.pricePage))
        #expect(pages.flatMap(\.body).contains(0xE9))
    }

    @Test(arguments: MarketFeed.allCases)
    func `a feed has at least three pages, so that its manners show`(feed: MarketFeed) {
        let count = pages(feed).count
        #expect(count >= 3)
        #expect(feed.manners.limitedPage <= count && feed.manners.failingPage <= count)
        #expect(feed.manners.limitedPage != feed.manners.failingPage)
    }

    private func resolved(_ text: String) -> String {
        var result = text
        for match in text.matches(of: /&#(\d+);/).reversed() {
            guard let number = UInt32(match.1), let scalar = Unicode.Scalar(number) else { continue }
            result = result.replacing(String(match.0), with: String(Character(scalar)))
        }
        for (entity, character) in [("&lt;", "<"), ("&quot;", "\""), ("&reg;", "®"), ("&amp;", "&")] {
            result = result.replacing(entity, with: character)
        }
        return result
    }

    private func csv(_ text: String) -> [[String]] {
        var records: [[String]] = []
        var record: [String] = []
        var field = ""
        var isQuoted = false
        var scalars = Array(text.unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            if isQuoted {
                if scalar != "\"" {
                    field.unicodeScalars.append(scalar)
                } else if scalars.first == "\"" {
                    field += "\""
                    scalars.removeFirst()
                } else {
                    isQuoted = false
                }
                continue
            }
            switch scalar {
            case "\"": isQuoted = true
            case ",":
                record.append(field)
                field = ""
            case "\r": break
            case "\n":
                records.append(record + [field])
                record = []
                field = ""
            default: field.unicodeScalars.append(scalar)
            }
        }
        return records
    }
}
