import Headrace

/// The columns of the prices file.
enum Prices {
    static let price = Column<DecimalValue>("price")
    static let name = Column<String>("product_name")
    static let currency = Column<String>("currency")
    static let flag = Column<Bool>("flag")

    static let schema = Schema([
        Field("raw_id", .utf8), Field("product_name", .utf8), Field("price", .decimal(precision: 12, scale: 2)),
        Field("currency", .utf8), Field("source", .utf8), Field("scraped_date", .instant), Field("url", .utf8),
        Field("qty", .int32),
    ])

    /// The columns that the transform needs; the others are never decoded, as peers leave them out by themselves.
    static let needed = Schema(
        ["product_name", "price", "currency", "source", "scraped_date"].compactMap { schema[$0] })
}
