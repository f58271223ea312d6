import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

@Suite struct SQLiteWarehouseTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("What fact loads demand of every warehouse", arguments: WarehouseContract<Workbench>.checks)
    func contract(_ check: Check<Workbench>) async throws { try await check.run(on: bench) }

    @Test("Tables are made with keys, references, widths and indexes, and found again as they are")
    func ensures() async throws {
        try await WarehouseContract.makeTables(in: bench)
        #expect(
            try bench.sqlite("SELECT sql FROM sqlite_schema WHERE name = 'fact_prices'", mode: "-list") == [
                "CREATE TABLE \"fact_prices\" (\"price_id\" BIGINT NOT NULL, \"product_id\" TEXT NOT NULL, \"source\" TEXT, "
                    + "\"price\" DECIMAL(10,2), \"day\" DATE, \"seen\" TIMESTAMPTZ, \"is_current\" BOOLEAN, "
                    + "PRIMARY KEY (\"price_id\"), UNIQUE (\"product_id\", \"source\", \"day\"), "
                    + "FOREIGN KEY (\"product_id\") REFERENCES \"dim products\" (\"product_id\"))"
            ])
        #expect(
            try bench.sqlite("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1")
                == ["'dim products_name_index'", "'fact_prices_day_index'"])
        #expect(
            try bench.sqlite("SELECT type FROM pragma_table_info('dim products') WHERE name = 'name'") == [
                "'VARCHAR(10)'"
            ])
        try await WarehouseContract.makeTables(in: bench)
    }

    @Test(
        "A table that is there with another column, type or key is an error that names both",
        arguments: [
            ("CREATE TABLE fact_prices (price_id BIGINT PRIMARY KEY)", "product_id"),
            ("CREATE TABLE fact_prices (price_id TEXT PRIMARY KEY)", "price_id"),
            (
                "CREATE TABLE fact_prices (price_id BIGINT, product_id TEXT, source TEXT, price DECIMAL(10,2), day DATE, seen TIMESTAMPTZ, is_current BOOLEAN)",
                "primary key"
            ),
            ("CREATE VIEW fact_prices AS SELECT 1", "view"),
        ])
    func mismatches(sql: String, word: String) async throws {
        try bench.sqlite(sql)
        let error = await #expect(throws: HeadraceError.self) { try await WarehouseContract.makeTables(in: bench) }
        #expect(error?.message.contains(word) == true)
        #expect(try bench.sqlite("SELECT count(*) FROM sqlite_schema WHERE name = 'dim products'") == ["0"])
    }
}
