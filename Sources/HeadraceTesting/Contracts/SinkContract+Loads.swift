import HeadraceColumnar
import HeadraceCore

extension SinkContract {
    static func showsAtCommit(_ harness: Harness, _ expect: Expectations, _ mode: SinkMode) async throws {
        let writer = try await harness.makeSink().openWriter(for: schema, mode: mode, in: .testing())
        do {
            for piece in 0..<3 {
                let rejects = try await writer.write(
                    try writer.encode(.testing(try batch(piece * 100..<piece * 100 + 100))))
                try expect.equal("the rejects of good rows", rejects.count, 0)
            }
            try await expectRows([], "before the load has settled", in: harness, expect)
            let counts = try await writer.settle()
            try expect.equal("the counts", counts, WriteCounts(inserted: 300))
            try await expectRows([], "before the commit", in: harness, expect)
            try await writer.commit(.testing())
        } catch {
            await writer.abort()
            throw error
        }
        try await expectRows(texts(0..<300), "after the commit", in: harness, expect)
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    static func aborts(_ harness: Harness, _ expect: Expectations, _ mode: SinkMode) async throws {
        try await harness.makeSink().load([try batch(0..<50)], schema: schema, mode: mode)
        for stage in ["before a row", "after rows", "after settling"] {
            let writer = try await harness.makeSink().openWriter(for: schema, mode: mode, in: .testing(fence: 2))
            do {
                if stage != "before a row" {
                    _ = try await writer.write(try writer.encode(.testing(try batch(50..<90))))
                }
                if stage == "after settling" { _ = try await writer.settle() }
            } catch {
                await writer.abort()
                throw error
            }
            await writer.abort()
            await writer.abort()
            try await expectRows(texts(0..<50), "after an abort \(stage)", in: harness, expect)
            try expect.equal("what is left after an abort \(stage)", try await harness.leftovers(), [])
        }
    }

    static func loadsNothing(_ harness: Harness, _ expect: Expectations, _ mode: SinkMode) async throws {
        let empty = try await harness.makeSink().load([], schema: schema, mode: mode)
        try expect.equal("the counts", empty.counts, WriteCounts())
        try await expectRows([], "after an empty load", in: harness, expect)
        try await harness.makeSink().load([try batch(0..<5)], schema: schema, mode: mode, in: .testing(fence: 2))
        try await harness.makeSink().load([], schema: schema, mode: mode, in: .testing(fence: 3))
        let isReplaced = if case .replace = mode { true } else { false }
        try await expectRows(
            isReplaced ? [] : texts(0..<5), "after an empty load over others", in: harness, expect)
    }

    static func plans(_ harness: Harness, _ expect: Expectations, _ mode: SinkMode) async throws {
        let lines = try await harness.makeSink().plan(for: schema, mode: mode, in: .testing())
        try expect.equal("whether the plan says something", lines.isEmpty, false)
        try await expectRows([], "after a plan", in: harness, expect)
        try expect.equal("what is left", try await harness.leftovers(), [])
        try await harness.makeSink().load([try batch(0..<5)], schema: schema, mode: mode)
        _ = try await harness.makeSink().plan(for: schema, mode: mode, in: .testing(fence: 2))
        try await expectRows(texts(0..<5), "after a second plan", in: harness, expect)
    }

    static func appendsTwice(_ harness: Harness, _ expect: Expectations) async throws {
        try await harness.makeSink().load([try batch(0..<20)], schema: schema, mode: .append)
        try await harness.makeSink().load(
            [try batch(20..<30)], schema: schema, mode: .append, in: .testing(fence: 2),
            checkpoint: .testing(run: "run-2"))
        try await expectRows(texts(0..<30), "after two loads", in: harness, expect)
    }

    static func commitsEpochs(_ harness: Harness, _ expect: Expectations) async throws {
        let sink = try harness.makeSink()
        let writer = try await sink.openWriter(for: schema, mode: .append, in: .testing())
        do {
            for epoch in 1...3 {
                _ = try await writer.write(
                    try writer.encode(.testing(try batch((epoch - 1) * 10..<epoch * 10))))
                try expect.equal(
                    "the counts of epoch \(epoch)", try await writer.settle(), WriteCounts(inserted: 10))
                let checkpoint = Checkpoint.testing(epoch: epoch, final: epoch == 3, positions: ["s": .integer(epoch)])
                try await writer.commit(checkpoint)
                try await expectRows(texts(0..<epoch * 10), "after epoch \(epoch)", in: harness, expect)
                let committed = try await harness.makeSink().committed(in: .testing())
                try expect.equal("the checkpoint after epoch \(epoch)", committed, checkpoint)
            }
        } catch {
            await writer.abort()
            throw error
        }
        try expect.equal(
            "the checkpoint of another job", try await sink.committed(in: .testing(job: "other")), nil)
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    static func fences(_ harness: Harness, _ expect: Expectations) async throws {
        let stale = try await harness.makeSink().openWriter(for: schema, mode: .append, in: .testing(fence: 4))
        do {
            try await harness.makeSink().load([try batch(0..<5)], schema: schema, mode: .append, in: .testing(fence: 5))
        } catch {
            await stale.abort()
            throw error
        }
        do {
            try await expect.failure("a commit with the lower fence") {
                _ = try await stale.write(try stale.encode(.testing(try batch(5..<9))))
                _ = try await stale.settle()
                try await stale.commit(.testing())
            }
        } catch {
            await stale.abort()
            throw error
        }
        await stale.abort()
        let late = try await expect.failure("a load that begins with the lower fence") {
            try await harness.makeSink().load([try batch(5..<9)], schema: schema, mode: .append, in: .testing(fence: 4))
        }
        try expect.equal("the error's code", (late as? HeadraceError)?.code, .leaseLost)
        try await expectRows(texts(0..<5), "after both", in: harness, expect)
    }

    static func replacesTwice(_ harness: Harness, _ expect: Expectations) async throws {
        try await harness.makeSink().load([try batch(0..<40)], schema: schema, mode: .replace)
        let second = try await harness.makeSink().load(
            [try batch(30..<35, named: "new"), try batch(35..<37, named: "new")], schema: schema, mode: .replace,
            in: .testing(fence: 2), checkpoint: .testing(run: "run-2"))
        try expect.equal("the counts", second.counts, WriteCounts(inserted: 7))
        try await expectRows(texts(30..<37, named: "new"), "after the second load", in: harness, expect)
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    static func upserts(_ harness: Harness, _ expect: Expectations) async throws {
        let mode = SinkMode.upsert(on: ["id"])
        try await harness.makeSink().load([try batch(0..<20)], schema: schema, mode: mode)
        // 5...14 as they are (10 has no name either way), 15...19 with other names but 17, which has none; 20...24 new.
        let second = try await harness.makeSink().load(
            [try batch(5..<15), try batch(15..<25, named: "new")], schema: schema, mode: mode, in: .testing(fence: 2),
            checkpoint: .testing(run: "run-2"))
        try expect.equal("the counts", second.counts, WriteCounts(inserted: 5, updated: 4, unchanged: 11))
        try await expectRows(
            texts(0..<15).union(texts(15..<25, named: "new")), "after the second load", in: harness, expect)
    }

    static func inserts(_ harness: Harness, _ expect: Expectations) async throws {
        let mode = SinkMode.insert(on: ["id"])
        try await harness.makeSink().load([try batch(0..<20)], schema: schema, mode: mode)
        let second = try await harness.makeSink().load(
            [try batch(10..<25, named: "new"), try batch(24..<27, named: "late")], schema: schema, mode: mode,
            in: .testing(fence: 2), checkpoint: .testing(run: "run-2"))
        try expect.equal("the counts", second.counts, WriteCounts(inserted: 7, unchanged: 11))
        try await expectRows(
            texts(0..<20).union(texts(20..<25, named: "new")).union(texts(25..<27, named: "late")),
            "after the second load", in: harness, expect)
    }

    static func upsertsLast(_ harness: Harness, _ expect: Expectations) async throws {
        let rows = ["first", "second", "last"].map { [Scalar.integer(1), .utf8($0)] }
        let counts = try await harness.makeSink().load(
            [try .of(schema, Array(rows[..<2])), try .of(schema, Array(rows[2...]))], schema: schema,
            mode: .upsert(on: ["id"])
        ).counts
        try expect.equal("the rows accounted for", counts.written, 3)
        try await expectRows([["1", "last"]], "after the load", in: harness, expect)
    }
}
