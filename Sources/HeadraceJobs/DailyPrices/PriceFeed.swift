import HeadraceCSV
import HeadraceColumnar
import HeadraceCore
public import HeadraceHTTP
import HeadraceHTTPClient
import HeadraceJSON
import HeadraceXML

/// One feed of prices: where it is, how its pages follow each other, how its records become staging rows.
public struct PriceFeed: Sendable {
    /// How the bytes of a page are read.
    public enum Kind: String, Sendable, Hashable {
        /// Separated text with a header line.
        case csv
        /// A document whose records lie at a path inside it.
        case json
        /// Elements at a path, fields by paths below them.
        case xml
        /// A page for people: records and fields by XPath, broken markup forgiven.
        case html
    }

    /// The feed's name: of its files, its staging table (`stg_NAME`) and its steps.
    public var name: String
    /// The value of the column `source` for rows that do not tell their own.
    public var source: String
    /// The format of the feed's pages and the extension of its landed files.
    public var kind: Kind
    /// The first page's path with query; `{date}` becomes the day.
    public var path: String
    /// How a page tells where the next one is.
    public var pagination: Pagination
    /// The environment variable that holds the feed's API key, and the header it is sent in.
    public var key: (variable: String, header: String)?
    /// Whether `robots.txt` is asked and obeyed: for pages made for people.
    public var obeysRobots: Bool
    /// Options of the format's connector, as in a location.
    var options: [Location.Option]
    /// The fields read of each record.
    var schema: Schema
    /// The formulas of the staging columns over those fields, raw_data left aside.
    var columns: [Projection]
    /// The members of raw_data: the record's fields under the names that the source gives them.
    var members: [(name: String, formula: Formula)]
}

extension PriceFeed {
    private static let price = DataType.decimal(precision: 10, scale: 2)

    /// The four feeds of the daily prices.
    public static var all: [PriceFeed] { [ebay, amazon, retailer, shop] }

    private static func projections(
        id: String, name: String, price: String, currency: String, source: Formula, time: String
    ) -> [Projection] {
        [
            Projection("raw_id", filled(id)), Projection("product_name", .column(name)),
            Projection("price", .column(price)),
            Projection("currency", .column(currency)), Projection("source", source),
            Projection("scraped_date", .column(time)),
        ]
    }

    /// The column's text, null where it is blank: a page's empty cell is no id.
    private static func filled(_ column: String) -> Formula {
        .choice(
            [.init(when: .call(.notEqual, [.call(.trim, [.column(column)]), literal("")]), then: .column(column))],
            otherwise: .literal(.null, .utf8))
    }

    private static func literal(_ text: String) -> Formula { .literal(.utf8(text), .utf8) }

    private static func named(_ names: [String], _ columns: [String]) -> [(name: String, formula: Formula)] {
        zip(names, columns).map { ($0, .column($1)) }
    }

    /// A CSV export over several pages, linked by RFC 8288.
    static var ebay: PriceFeed {
        let names = ["raw_id", "product_name", "price", "currency", "source", "scraped_date", "seller", "condition"]
        return PriceFeed(
            name: "ebay_prices", source: "ebay", kind: .csv, path: "/ebay/export.csv?date={date}&page=1",
            pagination: .linkHeader, key: nil, obeysRobots: false,
            options: [.init("delimiter", ","), .init("header", "true")],
            schema: Schema([
                Field("raw_id", .utf8), Field("product_name", .utf8), Field("price", price), Field("currency", .utf8),
                Field("source", .utf8), Field("scraped_date", .timestamp(zone: nil)), Field("seller", .utf8),
                Field("condition", .utf8),
            ]),
            columns: projections(
                id: "raw_id", name: "product_name", price: "price", currency: "currency",
                source: .call(.coalesce, [.column("source"), literal("ebay")]), time: "scraped_date"),
            members: named(names, names))
    }

    /// A JSON API by page number; needs a key.
    static var amazon: PriceFeed {
        PriceFeed(
            name: "amazon_prices", source: "amazon", kind: .json, path: "/amazon/api/v1/prices?date={date}&page=1",
            pagination: .page(parameter: "page", until: .total(path: "/pagination/pages")),
            key: ("AMAZON_API_KEY", "X-API-Key"), obeysRobots: false,
            options: [.init("rows", "/data/items"), .init("flatten", "true")],
            schema: Schema([
                Field("id", .utf8), Field("title", .utf8), Field("offer_amount", price), Field("offer_currency", .utf8),
                Field("offer_condition", .utf8), Field("offer_seller_name", .utf8), Field("brand", .utf8),
                Field("observed_at", .instant),
            ]),
            columns: projections(
                id: "id", name: "title", price: "offer_amount", currency: "offer_currency", source: literal("amazon"),
                time: "observed_at"),
            members: named(
                ["id", "title", "amount", "currency", "condition", "seller", "brand", "observed_at"],
                [
                    "id", "title", "offer_amount", "offer_currency", "offer_condition", "offer_seller_name", "brand",
                    "observed_at",
                ]))
    }

    /// A partner's XML feed in parts, linked inside the document.
    static var retailer: PriceFeed {
        func field(_ name: String, _ type: DataType, _ path: String) -> Field {
            Field(name, type, metadata: ["path": path])
        }
        return PriceFeed(
            name: "retailer_feed", source: "retailer", kind: .xml, path: "/partner/feed.xml?date={date}&part=1",
            pagination: .link { bytes, _ in try XMLScan(bytes).firstAttribute("/feed/next/@href") }, key: nil,
            obeysRobots: false, options: [.init("rows", "/feed/products/product")],
            schema: Schema([
                field("sku", .utf8, "@sku"), field("name", .utf8, "name"), field("price", price, "price"),
                field("currency", .utf8, "price/@currency"), field("observed", .instant, "observed/@at"),
                field("merchant", .utf8, "merchant"), field("brand", .utf8, "brand"),
                field("condition", .utf8, "@condition"),
            ]),
            columns: projections(
                id: "sku", name: "name", price: "price", currency: "currency", source: literal("retailer"),
                time: "observed"),
            members: named(
                ["sku", "name", "price", "currency", "observed", "merchant", "brand", "condition"],
                ["sku", "name", "price", "currency", "observed", "merchant", "brand", "condition"]))
    }

    /// A shop's price page, scraped politely.
    static var shop: PriceFeed {
        func cell(_ name: String, _ type: DataType, _ number: Int) -> Field {
            Field(name, type, metadata: ["path": "td[\(number)]"])
        }
        let names = ["raw_id", "product_name", "price", "currency", "scraped_date", "seller", "condition"]
        return PriceFeed(
            name: "price_page", source: "shop", kind: .html, path: "/shop/prices.html?date={date}&page=1",
            pagination: .link { bytes, headers in
                try HeadraceXML.HTMLPage(bytes, contentType: headers["Content-Type"]).nextLink
            }, key: nil, obeysRobots: true, options: [.init("rows", "//table[@id='prices']//tr[td]")],
            schema: Schema([
                cell("raw_id", .utf8, 1), cell("product_name", .utf8, 2), cell("price", price, 3),
                cell("currency", .utf8, 4),
                cell("scraped_date", .timestamp(zone: nil), 5), cell("seller", .utf8, 6), cell("condition", .utf8, 7),
            ]),
            columns: projections(
                id: "raw_id", name: "product_name", price: "price", currency: "currency", source: literal("shop"),
                time: "scraped_date"),
            members: named(names, names))
    }

    /// The feed's records over landed bytes.
    func source(over bytes: any ByteSource) throws -> any Source {
        let location = Location(scheme: "", address: name, options: options)
        let connector: any FormatConnector =
            switch kind {
            case .csv: CSVConnector()
            case .json: JSONConnector()
            case .xml: XMLConnector()
            case .html: HTMLConnector()
            }
        let source = try connector.source(over: bytes, at: location)
        guard let text = source as? any DescribableSource else { return source }
        return text.declaring(schema)
    }
}
