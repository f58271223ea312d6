import HeadraceColumnar
import HeadraceCore

extension WarehouseContract {
    static func foundAgain(_ harness: Harness, _ expect: Expectations) async throws {
        func plan() async throws -> [String] {
            try await harness.makeWarehouse().plan(for: Script.schema, mode: .facts(Script()), in: .testing())
        }
        let before = try await plan()
        let made = before.filter { $0.hasPrefix("CREATE TABLE") }
        try expect.equal("the number of tables that the first plan would make", made.count, 2)
        try expect.equal("the load's own line of the plan", before.contains("insert products"), true)
        for _ in 0..<2 { try await makeTables(in: harness) }
        try expect.equal("the products", try harness.rows(of: products.name, ["product_id"]), [])
        try expect.equal("what a plan would make now", try await plan().filter { $0.hasPrefix("CREATE") }, [])
    }

    static func lookups(_ harness: Harness, _ expect: Expectations, by column: String) async throws {
        try await load(harness) { warehouse in
            let rows = (0..<500).map { index in
                [Scalar.utf8("k\(index)"), .utf8("n\(index)"), index % 7 == 0 ? .null : .utf8("k\(index % 50)")]
            }
            _ = try await warehouse.insert(
                try batch(products, ["product_id", "name", "brand"], rows), into: products.name)
            let keys = try batch(
                products, [column],
                [[.utf8("k3")], [.utf8("k3")], [.null], [.utf8("none")], [.utf8("k49")], [.utf8("k7")]])
            let found = try await warehouse.lookup(products.name, keys: keys, returning: ["name"])
            let place = column == "product_id" ? 0 : 2
            let wanted: Set<Scalar> = [.utf8("k3"), .utf8("k49"), .utf8("k7")]
            let expected = rows.filter { wanted.contains($0[place]) }.map { [$0[place], $0[1]] }
            try expect.equal("the columns", found.schema.names, [column, "name"])
            try expect.equal("the number of rows", found.count, expected.count)
            try expect.equal("the rows", Set(found.rows), Set(expected))
        }
    }

    static func typedLookups(_ harness: Harness, _ expect: Expectations) async throws {
        try await load(harness) { warehouse in
            _ = try await addProducts(3, to: warehouse)
            let rows: [[Scalar]] = [
                [.integer(1), .utf8("p1"), .utf8("a"), decimal("1.10"), .date(1), .timestamp(5), .bool(true)],
                [.integer(2), .utf8("p2"), .utf8("a"), decimal("2.20"), .date(2), .timestamp(6), .null],
            ]
            _ = try await warehouse.insert(try batch(prices, prices.schema.names, rows), into: prices.name)
            let keys = try batch(prices, ["day", "price"], [[.date(2), decimal("2.2")], [.date(1), decimal("9")]])
            let found = try await warehouse.lookup(
                prices.name, keys: keys, returning: ["price_id", "seen", "is_current", "product_id", "source"])
            try expect.equal(
                "the rows", found.rows,
                [[.date(2), decimal("2.20"), .integer(2), .timestamp(6), .null, .utf8("p2"), .utf8("a")]])
            // 2.2001 fits no price, 1.10 does.
            let wide = Schema([Field("price", .decimal(precision: 20, scale: 4))])
            let misfit = try RecordBatch.of(wide, [[decimal("2.2001")], [decimal("1.1")]])
            let fitting = try await warehouse.lookup(prices.name, keys: misfit, returning: ["price_id"])
            try expect.equal("the number of rows by a wider key", fitting.count, 1)
        }
    }

    static func unknownNames(_ harness: Harness, _ expect: Expectations) async throws {
        let keys = try batch(prices, ["day"], [[.date(2)]])
        for (table, column) in [("nope", "price_id"), (prices.name, "nope")] {
            let error = try await expect.failure("a lookup of \(column) in \(table)") {
                try await load(harness) { _ = try await $0.lookup(table, keys: keys, returning: [column]) }
            }
            try expect.equal("the error's name of what is missing", "\(error)".contains("nope"), true)
        }
    }

    static func outsideLookups(_ harness: Harness, _ expect: Expectations) async throws {
        try await load(harness) { _ = try await addProducts(2, to: $0) }
        let lookup = try harness.makeLookup()
        let keys = try batch(products, ["product_id"], [[.utf8("p1")], [.utf8("p2")]])
        try await load(harness) { warehouse in
            _ = try await warehouse.insert(
                try batch(products, ["product_id", "name"], [[.utf8("p2"), .utf8("x")]]), into: products.name)
            let found = try await lookup.lookup(products.name, keys: keys, returning: ["name"], in: .testing())
            try expect.equal("what is seen of an open load", found.rows, [[.utf8("p1"), .utf8("name 1")]])
        }
        let found = try await lookup.lookup(products.name, keys: keys, returning: [], in: .testing())
        try expect.equal("what is seen after the commit", Set(found.rows), [[.utf8("p1")], [.utf8("p2")]])
    }
}
