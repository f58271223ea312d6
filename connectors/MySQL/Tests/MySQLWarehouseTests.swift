import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

@Suite struct MySQLWarehouseTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    @Test("What fact loads demand of every warehouse", arguments: WarehouseContract<Bench>.checks)
    func contract(_ check: Check<Bench>) async throws { try await check.run(on: bench) }

    @Test("Tables are made with keys, references, widths and indexes, and found again as they are")
    func ensures() async throws {
        try await WarehouseContract.makeTables(in: bench)
        let made = try bench.mariadb("SHOW CREATE TABLE fact_prices").joined(separator: " ")
        for part in [
            "`product_id` varchar(255)", "`price` decimal(10,2) DEFAULT NULL", "`is_current` tinyint(1)",
            "`seen` datetime(6) DEFAULT NULL COMMENT 'headrace: zone UTC'", "PRIMARY KEY (`price_id`)",
            "FOREIGN KEY (`product_id`) REFERENCES `dim products` (`product_id`)", "(`product_id`,`source`,`day`)",
            "KEY `day` (`day`)", "COLLATE=utf8mb4_nopad_bin",
        ] { #expect(made.contains(part), "\(part) in \(made)") }
        let products = try bench.mariadb("SHOW CREATE TABLE `dim products`").joined()
        #expect(products.contains("`name` varchar(10)"))
        try await WarehouseContract.makeTables(in: bench)
    }

    @Test(
        "A table that is there with another column, type or key is an error that names both",
        arguments: [
            ("CREATE TABLE fact_prices (price_id BIGINT PRIMARY KEY)", "product_id"),
            ("CREATE TABLE fact_prices (price_id TEXT)", "price_id"),
            (
                "CREATE TABLE fact_prices (price_id BIGINT, product_id TEXT, source TEXT, price DECIMAL(10,2), day DATE, seen TIMESTAMP NULL, is_current BOOLEAN)",
                "primary key"
            ),
            ("CREATE VIEW fact_prices AS SELECT 1", "view"),
        ])
    func mismatches(sql: String, word: String) async throws {
        try bench.mariadb(sql)
        let error = await #expect(throws: HeadraceError.self) { try await WarehouseContract.makeTables(in: bench) }
        #expect(error?.message.contains(word) == true)
    }
}
