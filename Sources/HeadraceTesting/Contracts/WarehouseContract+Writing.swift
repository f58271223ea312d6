import HeadraceColumnar
import HeadraceCore

extension WarehouseContract {
    static func refusedRows(_ harness: Harness, _ expect: Expectations) async throws {
        let loose = Schema([Field("product_id", .utf8), Field("name", .utf8)])
        for (what, id, name) in [
            ("a key that is there", "p1", "again"), ("a text that is too long", "p9", "much too long a name"),
            ("a null where none may be", "p9", nil),
        ] as [(String, String, String?)] {
            let row: [Scalar] = [.utf8(id), name.map(Scalar.utf8) ?? .null]
            let error = try await expect.failure(what) {
                try await load(harness) { warehouse in
                    _ = try await addProducts(2, to: warehouse)
                    _ = try await warehouse.insert(try .of(loose, [row]), into: products.name)
                }
            }
            try expect.equal("the code for \(what)", (error as? HeadraceError)?.code, .constraintViolated)
        }
        let orphan = try await expect.failure("a reference to nothing") {
            try await load(harness) { warehouse in
                _ = try await warehouse.insert(
                    try batch(prices, ["price_id", "product_id"], [[.integer(1), .utf8("nobody")]]), into: prices.name)
            }
        }
        try expect.equal("the code for a reference to nothing", (orphan as? HeadraceError)?.code, .constraintViolated)
        let words = (orphan as? HeadraceError)?.fields.map { "\($0.value)".lowercased() } ?? []
        try expect.equal(
            "the database's own words in the error's fields", words.contains { $0.contains("foreign key constraint") },
            true)
        try expect.equal("what stays", try harness.rows(of: products.name, ["product_id"]), [])
    }

    static func merges(_ harness: Harness, _ expect: Expectations) async throws {
        let columns = ["product_id", "name", "brand"]
        try await load(harness) { warehouse in
            try expect.equal("the insert", try await addProducts(3, to: warehouse), WriteCounts(inserted: 3))
            let rows: [[Scalar]] = [
                [.utf8("p0"), .utf8("name 0"), .utf8("b")], [.utf8("p1"), .utf8("other"), .null],
                [.utf8("new"), .utf8("n"), .null], [.utf8("p2"), .utf8("name 2"), .null],
            ]
            let one = try await warehouse.merge(
                try batch(products, columns, rows), into: products.name, on: ["product_id"], updating: ["brand"])
            try expect.equal("a merge of one column", one, WriteCounts(inserted: 1, updated: 1, unchanged: 2))
            let both = try await warehouse.merge(
                try batch(products, columns, rows), into: products.name, on: ["product_id"],
                updating: ["name", "brand"])
            try expect.equal("a merge of two columns", both, WriteCounts(updated: 1, unchanged: 3))
            // Rows that are there may lack columns that a new row needs.
            let partial = try batch(
                products, ["name", "brand"], [[.utf8("name 0"), .utf8("c")], [.utf8("name 2"), .null]])
            let byName = try await warehouse.merge(
                partial, into: products.name, on: ["name"], updating: ["brand"])
            try expect.equal("a merge by another column", byName, WriteCounts(updated: 1, unchanged: 1))
            let none = try await warehouse.merge(
                try batch(products, ["product_id"], [[.utf8("p1")]]), into: products.name, on: ["product_id"],
                updating: [])
            try expect.equal("a merge of no column", none, WriteCounts(unchanged: 1))
        }
        try expect.equal(
            "the table", try harness.rows(of: products.name, columns),
            [["new", "n", nil], ["p0", "name 0", "c"], ["p1", "other", nil], ["p2", "name 2", nil]])
    }

    static func deletes(_ harness: Harness, _ expect: Expectations, repeats: Int) async throws {
        try await load(harness) { warehouse in
            _ = try await addProducts(10, to: warehouse)
            let rows: [[Scalar]] = (0..<10).map { index in
                [
                    .integer(Int128(index)), .utf8("p\(index)"), index % 3 == 0 ? .null : .utf8("s\(index % 3)"),
                    .date(Int32(index / 5)),
                ]
            }
            _ = try await warehouse.insert(
                try batch(prices, ["price_id", "product_id", "source", "day"], rows), into: prices.name)
            let partitions: [[Scalar]] = [[.null, .date(0)], [.utf8("s1"), .date(1)], [.utf8("s9"), .date(1)]]
            let removed = try await warehouse.delete(
                from: prices.name,
                matching: try batch(
                    prices, ["source", "day"], Array(repeating: partitions, count: repeats).flatMap { $0 }))
            try expect.equal("the number of rows deleted", removed, 3)
        }
        try expect.equal(
            "the rows left", try harness.rows(of: prices.name, ["price_id"]),
            ["1", "2", "4", "5", "6", "8", "9"].map { [$0] })
    }

    static func marks(_ harness: Harness, _ expect: Expectations, by order: String) async throws {
        let random = RunRandom(seed: 5)
        let rows: [[Scalar]] = (0..<120).map { index in
            [
                .integer(Int128(index)), .utf8("p\(index % 6)"), .utf8("s\(index / 6)"), .date(Int32(random.below(9))),
                // Seconds and parts of them, so that texts of several lengths compare.
                .timestamp(Int64(random.below(8)) * 250_000), .bool(random.below(2) == 0),
            ]
        }
        func rank(_ row: [Scalar]) -> Int64 {
            switch row[order == "day" ? 3 : 4] {
            case .date(let days): Int64(days)
            case .timestamp(let micros): micros
            default: .min
            }
        }
        var expected = rows.map { [$0[0], $0[5]] }
        var changes = 0
        for (index, row) in rows.enumerated() where row[1] == .utf8("p1") || row[1] == .utf8("p4") {
            let top = rows.filter { $0[1] == row[1] }.map(rank).max()
            expected[index][1] = .bool(rank(row) == top)
            if row[5] != expected[index][1] { changes += 1 }
        }
        let (flags, changed) = (Set(expected), changes)
        try await load(harness) { warehouse in
            _ = try await addProducts(6, to: warehouse)
            let columns = ["price_id", "product_id", "source", "day", "seen", "is_current"]
            _ = try await warehouse.insert(try batch(prices, columns, rows), into: prices.name)
            let keys = try batch(
                prices, ["product_id"], [[.utf8("p1")], [.utf8("p4")], [.utf8("p1")], [.utf8("gone")]])
            for (time, count) in [("first", changed), ("second", 0)] {
                let marked = try await warehouse.markLatest(in: prices.name, flag: "is_current", by: order, for: keys)
                try expect.equal("the number of rows changed the \(time) time", marked, count)
            }
            let all = try batch(prices, ["price_id"], (0..<120).map { [.integer(Int128($0))] })
            let found = try await warehouse.lookup(prices.name, keys: all, returning: ["is_current"])
            try expect.equal("the flags", Set(found.rows), flags)
        }
    }

    static func intervals(_ harness: Harness, _ expect: Expectations) async throws {
        try await load(harness) { warehouse in
            let rows: [[Scalar]] = [
                [.utf8("1"), .utf8("a"), .null, .bool(true)], [.utf8("2"), .utf8("a"), .timestamp(5), .bool(false)],
                [.utf8("3"), .utf8("b"), .null, .bool(true)],
            ]
            _ = try await warehouse.insert(
                try batch(products, ["product_id", "name", "valid_until", "is_current"], rows), into: products.name)
            let closed = try await warehouse.closeIntervals(
                in: products.name, keys: ["name"], until: "valid_until", flag: "is_current",
                rows: try batch(
                    products, ["name", "valid_until"],
                    [[.utf8("a"), .timestamp(9_000_000)], [.utf8("c"), .timestamp(1)]]))
            try expect.equal("the number of intervals ended", closed, 1)
            let found = try await warehouse.lookup(
                products.name, keys: try batch(products, ["product_id"], rows.map { [$0[0]] }),
                returning: ["valid_until", "is_current"])
            try expect.equal(
                "the intervals", Set(found.rows),
                [
                    [.utf8("1"), .timestamp(9_000_000), .bool(false)], [.utf8("2"), .timestamp(5), .bool(false)],
                    [.utf8("3"), .null, .bool(true)],
                ])
        }
    }
}
