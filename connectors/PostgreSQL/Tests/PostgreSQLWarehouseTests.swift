import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

@Suite struct PostgreSQLWarehouseTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    @Test("What fact loads demand of every warehouse", arguments: WarehouseContract<Bench>.checks)
    func contract(_ check: Check<Bench>) async throws { try await check.run(on: bench) }

    @Test("Tables are made with keys, references, widths and indexes, and found again as they are")
    func ensures() async throws {
        try await WarehouseContract.makeTables(in: bench)
        #expect(
            try bench.psql(
                """
                SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
                WHERE attrelid = 'fact_prices'::regclass AND attnum > 0
                """) == [
                    "price_id|bigint|t", "product_id|text|t", "source|text|f", "price|numeric(10,2)|f", "day|date|f",
                    "seen|timestamp with time zone|f", "is_current|boolean|f",
                ])
        #expect(
            try bench.psql(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'fact_prices'::regclass ORDER BY contype"
            ) == [
                "FOREIGN KEY (product_id) REFERENCES \"dim products\"(product_id)", "PRIMARY KEY (price_id)",
                "UNIQUE (product_id, source, day)",
            ])
        #expect(
            try bench.psql(
                "SELECT tablename FROM pg_indexes WHERE indexdef !~ 'UNIQUE' AND schemaname = 'public' ORDER BY 1")
                == ["dim products", "fact_prices"])
        #expect(
            try bench.psql(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '\"dim products\"'::regclass AND attname = 'name'"
            ) == ["character varying(10)"])
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
        try bench.psql(sql)
        let error = await #expect(throws: HeadraceError.self) { try await WarehouseContract.makeTables(in: bench) }
        #expect(error?.message.contains(word) == true)
        #expect(try bench.psql("SELECT count(*) FROM pg_class WHERE relname = 'dim products'") == ["0"])
    }
}
