import HeadraceColumnar
import HeadraceCore

extension WarehouseContract {
    static func factLoads(_ harness: Harness, _ expect: Expectations) async throws {
        let result = try await inserting(in: harness, context: .testing())
        try expect.equal("the rejects' rows", result.rejects.map(\.place.row), [2])
        try expect.equal("the products", try harness.rows(of: products.name, ["product_id"]), [["last"], ["p1"]])
        try expect.equal(
            "the checkpoint", try await harness.makeWarehouse().committed(in: .testing()), Checkpoint.testing())
    }

    static func failedLoads(_ harness: Harness, _ expect: Expectations) async throws {
        let faults = Faults(failingAt: harness.beforeCommit)
        try await expect.failure("a load with a fault at \(harness.beforeCommit)") {
            _ = try await inserting(in: harness, context: .testing(faults: faults))
        }
        try expect.equal("the fault was reached", faults.reached.contains(harness.beforeCommit), true)
        try expect.equal("what stays", try harness.rows(of: products.name, ["product_id"]), [])
        try expect.equal("the checkpoint", try await harness.makeWarehouse().committed(in: .testing()), nil)
    }

    static func uncheckedRows(_ harness: Harness, _ expect: Expectations) async throws {
        let sink = try harness.makeWarehouse()
        let schema = Schema([Field("x", .utf8)])
        let error = try await expect.failure("a load of rows without a name") {
            let writer = try await sink.openWriter(for: schema, mode: .facts(Script()), in: .testing())
            await writer.abort()
        }
        try expect.equal("the error's code", (error as? HeadraceError)?.code, .schemaMismatch)
        try expect.equal("what was made", try harness.rows(of: products.name, ["product_id"]), [])
    }

    /// Loads two rows: inserts every row as a product but those called `bad`, which it refuses, and one more at the end.
    private static func inserting(
        in harness: Harness, context: RunContext
    ) async throws -> (counts: WriteCounts, rejects: [Reject]) {
        let script = Script(
            load: { rows, warehouse in
                let kept = (0..<rows.count).filter { rows.records.row(at: $0)[1] != .utf8("bad") }
                _ = try await warehouse.insert(
                    try .of(rows.records.schema, kept.map { rows.records.row(at: $0) }), into: products.name)
                return (0..<rows.count).filter { !kept.contains($0) }.map {
                    rows.reject(row: $0, rule: "no bad", code: "bad", message: "bad")
                }
            },
            finish: { warehouse in
                _ = try await warehouse.insert(
                    try batch(products, ["product_id", "name"], [[.utf8("last"), .utf8("finish")]]),
                    into: products.name)
            })
        let rows = try RecordBatch.of(Script.schema, [[.utf8("p1"), .utf8("a")], [.utf8("p2"), .utf8("bad")]])
        return try await harness.makeWarehouse().load(
            [rows], schema: Script.schema, mode: .facts(script), in: context)
    }
}
