import HeadraceColumnar
import HeadraceCore

/// What the modes that look at rows which are there promise beyond those that only add.
extension SinkContract {
    static var ofModes: [Check<Harness>] {
        var checks: [Check<Harness>] = []
        if Harness.Subject.self is any InsertingSink.Type {
            checks.append(Check("insert: of rows with one key the first stands", insertsFirst))
        }
        if Harness.Subject.self is any MirroringSink.Type {
            checks += [
                Check("mirror: rows that the load does not have go at its end, counted, and not before", mirrors),
                Check("mirror: an aborted load deletes nothing", abortsMirror),
                Check("mirror: a load that goes on knows the keys from before it was interrupted", resumesMirror),
                Check("mirror: random loads, some interrupted, come to what a model says") { harness, expect in
                    try await trial(harness, expect).mirror(seed: 3)
                },
            ]
        }
        if Harness.Subject.self is any HistorySink.Type {
            checks.append(
                Check(
                    "history: a row that differs ends a version and begins one, one that does not changes nothing",
                    dates))
            // Rows in the order of their times, and in any; each with writers that die.
            for seed in [1, 4, 8] {
                checks.append(
                    Check("history: random changes, late ones too, come to the versions of a model (\(seed))") {
                        try await trial($0, $1).history(seed: seed)
                    })
            }
        }
        return checks
    }

    private static func trial(_ harness: Harness, _ expect: Expectations) -> ModeTrial<Harness.Subject> {
        ModeTrial(
            expect: expect, makeSink: harness.makeSink, rows: { try await harness.rows($0) },
            leftovers: { try await harness.leftovers() })
    }

    private static func insertsFirst(_ harness: Harness, _ expect: Expectations) async throws {
        let rows = ["first", "second", "last"].map { [Scalar.integer(1), .utf8($0)] }
        let counts = try await harness.makeSink().load(
            [try .of(schema, Array(rows[..<2])), try .of(schema, Array(rows[2...]))], schema: schema,
            mode: .insert(on: ["id"])
        ).counts
        try expect.equal("the counts", counts, WriteCounts(inserted: 1, unchanged: 2))
        try await expectRows([["1", "first"]], "after the load", in: harness, expect)
    }

    // MARK: - Mirrors

    private static var mirror: SinkMode { .mirror(on: ["id"]) }

    /// Writes through `writer`, which is aborted where something throws.
    private static func using(
        _ writer: Harness.Subject.Writer, _ body: (Harness.Subject.Writer) async throws -> Void
    ) async throws {
        do { try await body(writer) } catch {
            await writer.abort()
            throw error
        }
    }

    private static func mirrors(_ harness: Harness, _ expect: Expectations) async throws {
        try await harness.makeSink().load([try batch(0..<20)], schema: schema, mode: mirror)
        let writer = try await harness.makeSink().openWriter(for: schema, mode: mirror, in: .testing(fence: 2))
        try await using(writer) { writer in
            _ = try await writer.write(try writer.encode(.testing(try batch(10..<15))))
            try expect.equal("the counts of the first epoch", try await writer.settle(), WriteCounts(unchanged: 5))
            try await writer.commit(.testing(final: false, run: "run-2"))
            try await expectRows(texts(0..<20), "after the first epoch", in: harness, expect)
            _ = try await writer.write(try writer.encode(.testing(try batch(18..<25, named: "new"))))
            try expect.equal("the rows deleted", try await writer.deletingAbsent(), 13)
            try await expectRows(texts(0..<20), "before the commit", in: harness, expect)
            // 18 and 19 have other names, 20 to 24 are new.
            try expect.equal(
                "the counts of the last epoch", try await writer.settle(),
                WriteCounts(inserted: 5, updated: 2, deleted: 13))
            try await writer.commit(.testing(epoch: 2, run: "run-2"))
        }
        let expected = texts(10..<15).union(texts(18..<25, named: "new"))
        try await expectRows(expected, "after the load", in: harness, expect)
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    private static func abortsMirror(_ harness: Harness, _ expect: Expectations) async throws {
        try await harness.makeSink().load([try batch(0..<20)], schema: schema, mode: mirror)
        let writer = try await harness.makeSink().openWriter(for: schema, mode: mirror, in: .testing(fence: 2))
        try await using(writer) { writer in
            _ = try await writer.write(try writer.encode(.testing(try batch(5..<8, named: "new"))))
            _ = try await writer.deletingAbsent()
            _ = try await writer.settle()
        }
        await writer.abort()
        try await expectRows(texts(0..<20), "after the abort", in: harness, expect)
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    private static func resumesMirror(_ harness: Harness, _ expect: Expectations) async throws {
        try await harness.makeSink().load([try batch(100..<105)], schema: schema, mode: mirror)
        let first = try await harness.makeSink().openWriter(for: schema, mode: mirror, in: .testing(fence: 2))
        try await using(first) { writer in
            _ = try await writer.write(try writer.encode(.testing(try batch(0..<10))))
            _ = try await writer.settle()
            try await writer.commit(.testing(final: false, run: "run-2"))
            _ = try await writer.write(try writer.encode(.testing(try batch(10..<12))))
        }
        await first.abort()
        let sink = try harness.makeSink()
        var context = RunContext.testing(run: "run-3", fence: 3)
        let checkpoint = try await sink.committed(in: context)
        try expect.equal(
            "the checkpoint of the interrupted load", checkpoint, .testing(final: false, run: "run-2"))
        context.resumed = checkpoint
        let second = try await sink.openWriter(for: schema, mode: mirror, in: context)
        try await using(second) { writer in
            _ = try await writer.write(try writer.encode(.testing(try batch(10..<15))))
            try expect.equal("the rows deleted", try await writer.deletingAbsent(), 5)
            try expect.equal("the counts", try await writer.settle(), WriteCounts(inserted: 5, deleted: 5))
            try await writer.commit(.testing(epoch: 2, run: "run-2"))
        }
        try await expectRows(texts(0..<15), "after the load", in: harness, expect)
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    // MARK: - Histories

    /// Two runs that date their rows themselves, a day apart.
    private static func dates(_ harness: Harness, _ expect: Expectations) async throws {
        let mode = SinkMode.history(on: ["id"], HistoryColumns())
        let day: Int64 = 86_400_000_000
        func load(_ batches: [RecordBatch], fence: Int64) async throws -> WriteCounts {
            let clock = VirtualClock(at: VirtualClock.start + (fence - 1) * day)
            return try await harness.makeSink().load(
                batches, schema: schema, mode: mode, in: .testing(fence: fence, clock: clock),
                checkpoint: .testing(run: "run-\(fence)")
            ).counts
        }
        try expect.equal(
            "the first run's counts", try await load([try batch(0..<6)], fence: 1), WriteCounts(inserted: 6))
        // 3 has no name either way.
        let second = try await load([try batch(0..<2), try batch(2..<6, named: "new")], fence: 2)
        try expect.equal("the second run's counts", second, WriteCounts(inserted: 3, unchanged: 3))
        let found = try await harness.rows(["id", "name", "valid_from", "valid_to"])
        try expect.equal("the number of versions", found.count, 9)
        let ended = found.filter { $0[3] != nil }
        try expect.equal(
            "the versions that have ended", Set(ended.map { Array($0[..<2]) }), texts(2..<6).subtracting(texts(3..<4)))
        let open = found.filter { $0[3] == nil }
        try expect.equal(
            "the versions that hold", Set(open.map { Array($0[..<2]) }),
            texts(0..<2).union(texts(2..<6, named: "new")))
        for old in ended {
            let next = open.first { $0[0] == old[0] }
            try expect.equal("when the next version of \(old) began", next?[2], old[3])
            try expect.equal("whether \(old) held for a while", old[2] != old[3], true)
        }
        let current = try await harness.rows(["id", "is_current"]).filter { ModeTrial<Harness.Subject>.isTrue($0[1]) }
        try expect.equal(
            "the keys of the current versions", current.compactMap { $0[0] }.sorted(), (0..<6).map(String.init))
    }
}
