import HeadraceColumnar
import HeadraceCore
import Testing

@testable import HeadraceMySQL

private let money = DataType.decimal(precision: 10, scale: 2)
private let products = TableDefinition(
    "dim products",
    Schema([
        Field("product_id", .utf8, nullable: false), Field("name", .utf8, nullable: false), Field("brand", .utf8),
        Field("valid_until", .timestamp(zone: nil)), Field("is_current", .bool),
    ]), primaryKey: ["product_id"], indexes: [["name"]], widths: ["name": 10])
private let prices = TableDefinition(
    "fact_prices",
    Schema([
        Field("price_id", .int64, nullable: false), Field("product_id", .utf8, nullable: false), Field("source", .utf8),
        Field("price", money), Field("day", .date32), Field("seen", .instant), Field("is_current", .bool),
    ]), primaryKey: ["price_id"], unique: [["product_id", "source", "day"]],
    foreignKeys: [.init("product_id", references: "dim products", "product_id")], indexes: [["day"]])

private func batch(_ table: TableDefinition, _ columns: [String], _ rows: [[Scalar]]) throws -> RecordBatch {
    try .of(Schema(try columns.map { try #require(table.schema[$0]) }), rows)
}

@Suite struct MySQLWarehouseTests {
    let bench: Bench
    var sink: MySQLSink { get throws { try bench.sink() } }

    init() throws { bench = try Bench() }

    /// Runs `body` in a transaction over both tables and commits it.
    @discardableResult
    private func inWarehouse<R>(_ body: (MySQLWarehouse) async throws -> R) async throws -> R {
        let warehouse = try await (try sink).openTransaction(in: .testing())
        do {
            try await warehouse.ensure(products)
            try await warehouse.ensure(prices)
            let result = try await body(warehouse)
            try await warehouse.commit()
            return result
        } catch {
            await warehouse.rollBack()
            throw error
        }
    }

    private func addProducts(_ count: Int, to warehouse: MySQLWarehouse) async throws {
        let rows = (0..<count).map { [Scalar.utf8("p\($0)"), .utf8("name \($0)")] }
        let counts = try await warehouse.insert(
            try batch(products, ["product_id", "name"], rows), into: "dim products")
        #expect(counts == WriteCounts(inserted: count))
    }

    // MARK: - Tables

    @Test("Tables are made with keys, references, widths and indexes, and found again as they are")
    func ensures() async throws {
        try await inWarehouse { _ in }
        let made = try bench.mariadb("SHOW CREATE TABLE fact_prices").joined(separator: " ")
        for part in [
            "`product_id` varchar(255)", "`price` decimal(10,2) DEFAULT NULL", "`is_current` tinyint(1)",
            "`seen` datetime(6) DEFAULT NULL COMMENT 'headrace: zone UTC'", "PRIMARY KEY (`price_id`)",
            "FOREIGN KEY (`product_id`) REFERENCES `dim products` (`product_id`)", "(`product_id`,`source`,`day`)",
            "KEY `day` (`day`)", "COLLATE=utf8mb4_nopad_bin",
        ] { #expect(made.contains(part), "\(part) in \(made)") }
        let products = try bench.mariadb("SHOW CREATE TABLE `dim products`").joined()
        #expect(products.contains("`name` varchar(10)"))
        try await inWarehouse { _ in }
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
        let error = await #expect(throws: HeadraceError.self) { try await inWarehouse { _ in } }
        #expect(error?.message.contains(word) == true)
    }

    // MARK: - Lookups

    @Test("A lookup gives the rows of each key once, with and without an index", arguments: ["product_id", "brand"])
    func lookups(column: String) async throws {
        try await inWarehouse { warehouse in
            let rows = (0..<500).map { index in
                [Scalar.utf8("k\(index)"), .utf8("n\(index)"), index % 7 == 0 ? .null : .utf8("k\(index % 50)")]
            }
            _ = try await warehouse.insert(
                try batch(products, ["product_id", "name", "brand"], rows), into: "dim products")
            let keys = try batch(
                products, [column],
                [[.utf8("k3")], [.utf8("k3")], [.null], [.utf8("none")], [.utf8("k49")], [.utf8("k7")]])
            let found = try await warehouse.lookup("dim products", keys: keys, returning: ["name"])
            let place = column == "product_id" ? 0 : 2
            let wanted: Set<Scalar> = [.utf8("k3"), .utf8("k49"), .utf8("k7")]
            let expected = rows.filter { wanted.contains($0[place]) }.map { [$0[place], $0[1]] }
            #expect(found.schema.names == [column, "name"])
            #expect((0..<found.count).map { found.row(at: $0) }.count == expected.count)
            #expect(Set((0..<found.count).map { found.row(at: $0) }) == Set(expected))
        }
    }

    @Test("A lookup by several columns keeps types, and one by nothing that fits finds nothing")
    func typedLookups() async throws {
        try await inWarehouse { warehouse in
            try await addProducts(3, to: warehouse)
            let rows: [[Scalar]] = [
                [.integer(1), .utf8("p1"), .utf8("a"), decimal("1.10"), .date(1), .timestamp(5), .bool(true)],
                [.integer(2), .utf8("p2"), .utf8("a"), decimal("2.20"), .date(2), .timestamp(6), .null],
            ]
            _ = try await warehouse.insert(try batch(prices, prices.schema.names, rows), into: "fact_prices")
            let keys = try batch(prices, ["day", "price"], [[.date(2), decimal("2.2")], [.date(1), decimal("9")]])
            let found = try await warehouse.lookup(
                "fact_prices", keys: keys, returning: ["price_id", "seen", "is_current", "product_id", "source"])
            #expect(found.count == 1)
            #expect(
                found.row(at: 0)
                    == [.date(2), decimal("2.20"), .integer(2), .timestamp(6), .null, .utf8("p2"), .utf8("a")])
            let wide = Schema([Field("price", .decimal(precision: 20, scale: 4))])
            let misfit = try RecordBatch.of(wide, [[decimal("2.2001")], [decimal("1.1")]])
            #expect(try await warehouse.lookup("fact_prices", keys: misfit, returning: ["price_id"]).count == 1)
            await #expect(throws: HeadraceError.self) {
                _ = try await warehouse.lookup("nope", keys: keys, returning: [])
            }
            await #expect(throws: HeadraceError.self) {
                _ = try await warehouse.lookup("fact_prices", keys: keys, returning: ["nope"])
            }
        }
    }

    @Test("A lookup outside a transaction sees what was committed, and nothing else")
    func outsideLookups() async throws {
        try await inWarehouse { try await addProducts(2, to: $0) }
        let lookup = MySQLLookup(configuration: try bench.configuration)
        let keys = try batch(products, ["product_id"], [[.utf8("p1")], [.utf8("p2")]])
        let open = try await (try sink).openTransaction(in: .testing())
        _ = try await open.insert(
            try batch(products, ["product_id", "name"], [[.utf8("p2"), .utf8("x")]]), into: "dim products")
        let found = try await lookup.lookup("dim products", keys: keys, returning: ["name"], in: .testing())
        #expect(found.count == 1)
        try await open.commit()
        #expect(try await lookup.lookup("dim products", keys: keys, returning: [], in: .testing()).count == 2)
        await lookup.close()
    }

    // MARK: - Writing

    @Test("A row that the table refuses fails the insert with the server's words")
    func refusedInserts() async throws {
        for (id, name) in [("p1", "again"), ("p9", "much too long a name"), ("p9", nil)] {
            let error = await #expect(throws: HeadraceError.self) {
                try await inWarehouse { warehouse in
                    try await addProducts(2, to: warehouse)
                    let row: [Scalar] = [.utf8(id), name.map(Scalar.utf8) ?? .null]
                    let schema = Schema([Field("product_id", .utf8), Field("name", .utf8)])
                    _ = try await warehouse.insert(try .of(schema, [row]), into: "dim products")
                }
            }
            #expect(error?.code == .constraintViolated)
        }
        let orphan = await #expect(throws: HeadraceError.self) {
            try await inWarehouse { warehouse in
                _ = try await warehouse.insert(
                    try batch(prices, ["price_id", "product_id"], [[.integer(1), .utf8("nobody")]]), into: "fact_prices"
                )
            }
        }
        #expect(orphan?.fields.first?.value.contains("a foreign key constraint fails") == true)
        #expect(try bench.mariadb("SELECT COUNT(*) FROM `dim products`") == ["0"])
    }

    @Test("A merge inserts, updates and leaves, by any columns, and counts each row once")
    func merges() async throws {
        try await inWarehouse { warehouse in
            try await addProducts(3, to: warehouse)
            let rows: [[Scalar]] = [
                [.utf8("p0"), .utf8("name 0"), .utf8("b")], [.utf8("p1"), .utf8("other"), .null],
                [.utf8("new"), .utf8("n"), .null], [.utf8("p2"), .utf8("name 2"), .null],
            ]
            let counts = try await warehouse.merge(
                try batch(products, ["product_id", "name", "brand"], rows), into: "dim products", on: ["product_id"],
                updating: ["brand"])
            #expect(counts == WriteCounts(inserted: 1, updated: 1, unchanged: 2))
            let again = try await warehouse.merge(
                try batch(products, ["product_id", "name", "brand"], rows), into: "dim products", on: ["product_id"],
                updating: ["name", "brand"])
            #expect(again == WriteCounts(updated: 1, unchanged: 3))
            // Rows that are there may lack columns that a new row needs.
            let partial = try batch(
                products, ["name", "brand"], [[.utf8("name 0"), .utf8("c")], [.utf8("name 2"), .null]])
            let third = try await warehouse.merge(partial, into: "dim products", on: ["name"], updating: ["brand"])
            #expect(third == WriteCounts(updated: 1, unchanged: 1))
            let none = try await warehouse.merge(
                try batch(products, ["product_id"], [[.utf8("p1")]]), into: "dim products", on: ["product_id"],
                updating: [])
            #expect(none == WriteCounts(unchanged: 1))
        }
        #expect(
            try bench.mariadb("SELECT product_id, name, brand FROM `dim products` ORDER BY 1")
                == ["new\tn\tNULL", "p0\tname 0\tc", "p1\tother\tNULL", "p2\tname 2\tNULL"])
    }

    @Test("A delete takes the rows of each partition, nulls included", arguments: [1, 30])
    func deletes(repeats: Int) async throws {
        let removed = try await inWarehouse { warehouse in
            try await addProducts(10, to: warehouse)
            let rows: [[Scalar]] = (0..<10).map { index in
                [
                    .integer(Int128(index)), .utf8("p\(index)"), index % 3 == 0 ? .null : .utf8("s\(index % 3)"),
                    .date(Int32(index / 5)),
                ]
            }
            _ = try await warehouse.insert(
                try batch(prices, ["price_id", "product_id", "source", "day"], rows), into: "fact_prices")
            let partitions: [[Scalar]] = [[.null, .date(0)], [.utf8("s1"), .date(1)], [.utf8("s9"), .date(1)]]
            return try await warehouse.delete(
                from: "fact_prices",
                matching: try batch(
                    prices, ["source", "day"], Array(repeating: partitions, count: repeats).flatMap { $0 }))
        }
        #expect(removed == 3)
        #expect(try bench.mariadb("SELECT GROUP_CONCAT(price_id ORDER BY 1) FROM fact_prices") == ["1,2,4,5,6,8,9"])
    }

    @Test(
        "The flag marks the rows of the highest order of each key asked for, and only changes are counted",
        arguments: ["day", "seen"])
    func marks(order: String) async throws {
        let random = RunRandom(seed: 5)
        try await inWarehouse { warehouse in
            try await addProducts(6, to: warehouse)
            let rows: [[Scalar]] = (0..<120).map { index in
                [
                    .integer(Int128(index)), .utf8("p\(index % 6)"), .utf8("s\(index / 6)"),
                    .date(Int32(random.below(9))),
                    // Seconds and parts of them, so that texts of several lengths compare.
                    .timestamp(Int64(random.below(8)) * 250_000), .bool(random.below(2) == 0),
                ]
            }
            let columns = ["price_id", "product_id", "source", "day", "seen", "is_current"]
            _ = try await warehouse.insert(try batch(prices, columns, rows), into: "fact_prices")
            let place = order == "day" ? 3 : 4
            func rank(_ row: [Scalar]) -> Int64 {
                switch row[place] {
                case .date(let days): Int64(days)
                case .timestamp(let micros): micros
                default: .min
                }
            }
            let asked: Set<Scalar> = [.utf8("p1"), .utf8("p4")]
            var expected: [Int: Bool] = [:]
            var changes = 0
            for (index, row) in rows.enumerated() where asked.contains(row[1]) {
                let top = rows.filter { $0[1] == row[1] }.map(rank).max()
                expected[index] = rank(row) == top
                if row[5] != .bool(rank(row) == top) { changes += 1 }
            }
            let keys = try batch(
                prices, ["product_id"], [[.utf8("p1")], [.utf8("p4")], [.utf8("p1")], [.utf8("gone")]])
            #expect(
                try await warehouse.markLatest(in: "fact_prices", flag: "is_current", by: order, for: keys) == changes)
            #expect(try await warehouse.markLatest(in: "fact_prices", flag: "is_current", by: order, for: keys) == 0)
            let all = try batch(prices, ["price_id"], (0..<120).map { [.integer(Int128($0))] })
            let found = try await warehouse.lookup("fact_prices", keys: all, returning: ["is_current"])
            for row in 0..<found.count {
                guard case .integer(let id) = found.row(at: row)[0] else { continue }
                #expect(found.row(at: row)[1] == (expected[Int(id)].map(Scalar.bool) ?? rows[Int(id)][5]))
            }
        }
    }

    @Test("Open intervals of the keys are ended, ended ones stay")
    func intervals() async throws {
        let changed = try await inWarehouse { warehouse in
            let rows: [[Scalar]] = [
                [.utf8("1"), .utf8("a"), .null, .bool(true)], [.utf8("2"), .utf8("a"), .timestamp(5), .bool(false)],
                [.utf8("3"), .utf8("b"), .null, .bool(true)],
            ]
            _ = try await warehouse.insert(
                try batch(products, ["product_id", "name", "valid_until", "is_current"], rows), into: "dim products")
            return try await warehouse.closeIntervals(
                in: "dim products", keys: ["name"], until: "valid_until", flag: "is_current",
                rows: try batch(
                    products, ["name", "valid_until"],
                    [[.utf8("a"), .timestamp(9_000_000)], [.utf8("c"), .timestamp(1)]]))
        }
        #expect(changed == 1)
        #expect(
            try bench.mariadb("SELECT product_id, valid_until, is_current FROM `dim products` ORDER BY 1")
                == ["1\t1970-01-01 00:00:09.000000\t0", "2\t1970-01-01 00:00:00.000005\t0", "3\tNULL\t1"])
    }

    // MARK: - Fact loads

    /// Inserts every row as a product, and refuses those called "bad".
    private final class Loader: FactLoader {
        func load(_ batch: Batch, into warehouse: any Warehouse) async throws -> [Reject] {
            let kept = (0..<batch.count).filter { batch.records.row(at: $0)[1] != .utf8("bad") }
            let rows = try RecordBatch.of(batch.records.schema, kept.map { batch.records.row(at: $0) })
            _ = try await warehouse.insert(rows, into: "dim products")
            return (0..<batch.count).filter { !kept.contains($0) }.map {
                batch.reject(row: $0, rule: "no bad", code: "bad", message: "bad")
            }
        }

        func finish(in warehouse: any Warehouse) async throws -> WriteCounts {
            try await warehouse.merge(
                try batch(products, ["product_id", "name"], [[.utf8("last"), .utf8("finish")]]), into: "dim products",
                on: ["product_id"], updating: ["name"])
        }
    }

    private struct Load: FactLoad {
        var tables: [TableDefinition] { [products, prices] }
        func check(_ schema: Schema) throws {
            guard schema["name"] != nil else { throw HeadraceError(.schemaMismatch, "no name") }
        }
        func makeLoader(for schema: Schema, in context: RunContext) throws -> any FactLoader { Loader() }
        var summary: [String] { ["insert products"] }
    }

    private let rowSchema = Schema([Field("product_id", .utf8, nullable: false), Field("name", .utf8, nullable: false)])

    @Test(
        "A fact load makes its tables, loads, finishes and commits with the checkpoint, all at once or not at all",
        arguments: [
            nil, "mysql.beforeCommit",
        ])
    func factLoads(fault: String?) async throws {
        let rows = try RecordBatch.of(rowSchema, [[.utf8("p1"), .utf8("a")], [.utf8("p2"), .utf8("bad")]])
        let context = RunContext.testing(faults: fault.map { Faults(failingAt: $0) } ?? NoFaults())
        func load() async throws -> (counts: WriteCounts, rejects: [Reject]) {
            try await (try sink).load([rows], schema: rowSchema, mode: .facts(Load()), in: context)
        }
        guard fault == nil else {
            await #expect(throws: HeadraceError.self) { _ = try await load() }
            // Tables are made outside of the transaction; no row is in them.
            #expect(try bench.mariadb("SELECT COUNT(*) FROM `dim products`") == ["0"])
            #expect(try await (try sink).committed(in: .testing()) == nil)
            return
        }
        let result = try await load()
        #expect(result.counts == WriteCounts(inserted: 1))
        #expect(result.rejects.map(\.place.row) == [2])
        #expect(try bench.mariadb("SELECT product_id FROM `dim products` ORDER BY 1") == ["last", "p1"])
        #expect(try await (try sink).committed(in: .testing()) == .testing())
    }

    @Test("A fact load is checked before anything is opened, and planned with its DDL")
    func factPlans() async throws {
        await #expect(throws: HeadraceError.self) {
            _ = try await (try sink).openWriter(for: Schema([Field("x", .utf8)]), mode: .facts(Load()), in: .testing())
        }
        #expect(try bench.tables() == [])
        let lines = try await (try sink).plan(for: rowSchema, mode: .facts(Load()), in: .testing())
        #expect(lines.count == 4 && lines[0].hasPrefix("CREATE TABLE `dim products`"))
        #expect(lines[2] == "insert products")
        try await (try sink).load([], schema: rowSchema, mode: .facts(Load()))
        #expect(try await (try sink).plan(for: rowSchema, mode: .facts(Load()), in: .testing()).count == 2)
    }
}
