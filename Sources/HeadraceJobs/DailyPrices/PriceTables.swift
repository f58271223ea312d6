import HeadraceColumnar
import HeadraceCore
import HeadraceFactTable

/// The tables of the daily prices and how facts find their members.
enum PriceTables {
    static let money = DataType.decimal(precision: 10, scale: 2)

    /// The columns of every staging table.
    static let staging = Schema([
        Field("raw_id", .utf8), Field("product_name", .utf8), Field("price", money), Field("currency", .utf8),
        Field("source", .utf8), Field("scraped_date", .timestamp(zone: nil)), Field("raw_data", .json),
    ])

    static func stagingTable(_ feed: PriceFeed) -> String { "stg_\(feed.name)" }

    static let products = TableDefinition(
        "dim_products",
        Schema([
            Field("product_id", .utf8, nullable: false), Field("product_name", .utf8, nullable: false),
            Field("normalized_name", .utf8, nullable: false), Field("category", .utf8), Field("subcategory", .utf8),
            Field("brand", .utf8), Field("created_at", .timestamp(zone: nil)),
            Field("updated_at", .timestamp(zone: nil)),
        ]), primaryKey: ["product_id"], unique: [["normalized_name"]],
        widths: [
            "product_id": 100, "product_name": 500, "normalized_name": 500, "category": 100, "subcategory": 100,
            "brand": 200,
        ])

    static let categories = TableDefinition(
        "dim_categories",
        Schema([
            Field("category_id", .utf8, nullable: false), Field("category_name", .utf8, nullable: false),
            Field("parent_category", .utf8), Field("display_order", .int32),
        ]), primaryKey: ["category_id"], unique: [["category_name"]],
        widths: ["category_id": 50, "category_name": 200, "parent_category": 200])

    static let facts = TableDefinition(
        "fact_prices",
        Schema([
            Field("price_id", .utf8, nullable: false), Field("product_id", .utf8, nullable: false),
            Field("market_price", money), Field("retail_price", money), Field("currency", .utf8),
            Field("price_date", .date32),
            Field("source", .utf8), Field("confidence_score", .decimal(precision: 3, scale: 2)),
            Field("trend_indicator", .utf8), Field("price_change_pct", .decimal(precision: 5, scale: 2)),
            Field("processed_at", .timestamp(zone: nil)), Field("is_current", .bool),
        ]), primaryKey: ["price_id"],
        foreignKeys: [.init("product_id", references: "dim_products", "product_id")],
        indexes: [["price_date"], ["product_id"], ["is_current"]],
        widths: ["price_id": 100, "product_id": 100, "currency": 10, "source": 100, "trend_indicator": 20])

    static let log = Schema([
        Field("job_date", .date32), Field("stage", .utf8), Field("status", .utf8), Field("records_processed", .int64),
        Field("records_rejected", .int64), Field("start_time", .timestamp(zone: nil)),
        Field("end_time", .timestamp(zone: nil)),
        Field("error_message", .utf8),
    ])

    /// The load of the star schema; `processed` is the start of the run in microseconds.
    static func load(processed: Int64) -> FactTable {
        let time = Scalar.timestamp(processed)
        let product = Dimension(
            products, key: "product_id", newKey: .md5(of: "normalized_name"),
            naturalKey: [("normalized_name", "normalized_name")],
            attributes: [.init("product_name"), .init("category", on: .overwrite)],
            constants: [("created_at", time), ("updated_at", time)], touched: [("updated_at", time)])
        let category = Dimension(
            categories, key: "category_id", newKey: .md5(of: "category"), factColumn: "category_id",
            naturalKey: [("category", "category_name")],
            attributes: [.init("parent_category"), .init("display_order")])
        return FactTable(
            facts, dimensions: [category, product], grain: ["product_id", "price_date", "source"],
            key: ("price_id", .md5(of: "normalized_name", "price_date", "source")),
            replacing: ["price_date", "source"],
            current: .init(flag: "is_current", latest: "price_date", of: ["product_id", "source"]),
            constants: [("processed_at", time)])
    }
}
