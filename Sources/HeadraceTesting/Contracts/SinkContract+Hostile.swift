import HeadraceColumnar
import HeadraceCore

extension SinkContract {
    /// Texts that break out where names or values are pasted into SQL, formats or shells.
    static var hostile: [String] {
        [
            "select", "a \"quoted\" name", "it's", "semi;colon", "'; DROP TABLE t; --", "\"; DROP TABLE t; --",
            "`tick`", "$1",
            "%s%n", "ünïcode ☃", "MiXeD", "with,comma", "a = b", "?", ":name", "@variable", "[brackets]", "{braces}",
            "/*", "#",
        ]
    }

    static func keepsNamesApart(_ harness: Harness, _ expect: Expectations, _ mode: SinkMode) async throws {
        let schema = Schema([Field("id", .int64, nullable: false)] + hostile.map { Field($0, .utf8) })
        let rows: [[Scalar]] = [
            [.integer(1)] + hostile.map { .utf8("\($0) 😀") }, [.integer(2)] + hostile.reversed().map { .utf8($0) },
        ]
        let records = try RecordBatch.of(schema, rows)
        let counts = try await harness.makeSink().load([records], schema: schema, mode: mode).counts
        try expect.equal("the counts", counts, WriteCounts(inserted: 2))
        let found = try await harness.rows(schema.names)
        let expected: Set<[String?]> = [["1"] + hostile.map { "\($0) 😀" }, ["2"] + hostile.reversed()]
        try expect.equal("the rows that are missing or strange", Set(found).symmetricDifference(expected), [])
        // A second load finds the columns by their names again.
        try await harness.makeSink().load([records], schema: schema, mode: mode, in: .testing(fence: 2))
    }

    /// Fails a load at each point that a load passes, runs it again as the engine would, and looks at the rows each time.
    static func survivesFaults(_ harness: Harness, _ expect: Expectations, _ mode: SinkMode) async throws {
        let watch = Faults(failingAt: nil)
        let first = try harness.makeSink()
        try await first.load([try batch(0..<10)], schema: schema, mode: mode, in: .testing(faults: watch))
        let keepsState = try await first.committed(in: .testing()) != nil
        let replaces = if case .replace = mode { true } else { false }
        var there = texts(0..<10)
        for (index, point) in Set(watch.reached).sorted().enumerated() {
            let fence = Int64(index + 2)
            let ids = (index + 1) * 100..<(index + 1) * 100 + 10
            let goal = replaces ? texts(ids) : there.union(texts(ids))
            func load(_ faults: any FaultPoints) async throws {
                try await harness.makeSink().load(
                    [try batch(ids)], schema: schema, mode: mode,
                    in: .testing(job: "job-\(point)", fence: fence, faults: faults),
                    checkpoint: .testing(run: "run-\(fence)"))
            }
            try await expect.failure("a load with a fault at \(point)") { try await load(Faults(failingAt: point)) }
            let found = Set(try await harness.rows(schema.names))
            guard found == there || found == goal else {
                throw expect.broken(
                    "the target after a fault at \(point)", expected: "as before the load or as after it",
                    found: "\(found.count) rows, \(found.symmetricDifference(goal).count) of them missing or strange")
            }
            let checkpoint = try await harness.makeSink().committed(in: .testing(job: "job-\(point)"))
            if keepsState {
                try expect.equal(
                    "whether there is a checkpoint after a fault at \(point)", checkpoint != nil, found == goal)
            }
            // The engine asks the sink what it has before it begins again.
            if checkpoint == nil { try await load(NoFaults()) }
            try await expectRows(goal, "after a fault at \(point) and another run", in: harness, expect)
            try expect.equal("what is left after a fault at \(point)", try await harness.leftovers(), [])
            there = goal
        }
    }
}
