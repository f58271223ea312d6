import HeadraceColumnar
import HeadraceCore

/// Loads of random rows by a mode whose outcome a model knows, in epochs, through writers that die now and then.
struct ModeTrial<Subject: Sink> {
    let expect: Expectations
    /// A sink into the table, as each run makes it.
    let makeSink: () throws -> Subject
    /// The table's rows as another program reads them; booleans in any spelling.
    let rows: ([String]) async throws -> [[String?]]
    /// What loads leave behind besides the table.
    let leftovers: () async throws -> [String]

    /// The rows as a set with repetitions.
    static func sorted(_ rows: [[String?]]) -> [[String?]] {
        rows.sorted { one, other in
            one.map { $0 ?? "" }.lexicographicallyPrecedes(other.map { $0 ?? "" })
        }
    }

    /// Whether a client's text for a boolean says true.
    static func isTrue(_ text: String?) -> Bool { ["true", "t", "1"].contains(text) }

    // MARK: - History

    /// The fields of the rows: a key, a value, and the time since when it holds.
    static var datedSchema: Schema {
        Schema([Field("id", .int64, nullable: false), Field("value", .int64), Field("at", .int64, nullable: false)])
    }

    /// The mode of the rows.
    static var byTime: SinkMode { .history(on: ["id"], HistoryColumns(effective: "at")) }

    /// A batch of changes.
    static func batch(_ changes: [HistoryModel.Change]) throws -> RecordBatch {
        try .of(
            datedSchema,
            changes.map { [.integer(Int128($0.key)), .integer(Int128($0.value)), .integer(Int128($0.time))] })
    }

    /// Fails unless the table holds the model's versions.
    func expectVersions(_ model: HistoryModel, _ when: String) async throws {
        var found = try await rows(["id", "value", "valid_from", "valid_to", "is_current"])
        for row in found.indices { found[row][4] = found[row][4].map { Self.isTrue($0) ? "true" : "false" } }
        let expected = model.versions.map { version -> [String?] in
            [
                "\(version.key)", "\(version.value)", "\(version.from)", version.until.map(String.init),
                "\(version.isCurrent)",
            ]
        }
        try expect.equal("the history \(when)", Self.sorted(found), Self.sorted(expected))
    }

    /// Changes of few keys in batches, an epoch each, every one compared: rows and counts.
    func history(seed: Int, from before: HistoryModel = HistoryModel()) async throws {
        let random = RunRandom(seed: UInt64(seed) + 77)
        var model = before
        var open: Subject.Writer?
        do {
            var epoch = 0
            for changes in HistoryModel.batches(seed: UInt64(seed), count: 8) {
                let records = try Self.batch(changes)
                // A writer dies now and then after it has written and before it has committed.
                if random.below(4) == 0 {
                    await open?.abort()
                    let dying = try await makeSink().openWriter(
                        for: Self.datedSchema, mode: Self.byTime, in: .testing())
                    open = dying
                    _ = try await dying.write(try dying.encode(.testing(records)))
                    await dying.abort()
                    open = nil
                }
                let writer: Subject.Writer
                if let open {
                    writer = open
                } else {
                    writer = try await makeSink().openWriter(for: Self.datedSchema, mode: Self.byTime, in: .testing())
                }
                open = writer
                let rejects = try await writer.write(try writer.encode(.testing(records)))
                try expect.equal("the number of rejects", rejects.count, 0)
                let counts = model.apply(changes)
                try expect.equal("the account of \(changes)", try await writer.settle(), counts)
                epoch += 1
                try await writer.commit(.testing(epoch: epoch, final: false))
                try await expectVersions(model, "after \(changes)")
            }
            let nothing = try await open?.settle() ?? WriteCounts()
            try expect.equal("the account of an epoch without rows", nothing, WriteCounts())
            try await open?.commit(.testing(epoch: epoch + 1))
        } catch {
            await open?.abort()
            throw error
        }
        try expect.equal("what is left", try await leftovers(), [])
    }

    // MARK: - Mirror

    private static var named: Schema { Schema([Field("id", .int64), Field("name", .utf8)]) }

    /// Writes a mirror's batches, an epoch each, through writers that die before the commits named and are followed by
    /// others.
    private func mirror(_ batches: [RecordBatch], dying: Set<Int>) async throws -> WriteCounts {
        let (mode, sink) = (SinkMode.mirror(on: ["id"]), try makeSink())
        var total = WriteCounts()
        var context = RunContext.testing()
        var writer = try await sink.openWriter(for: Self.named, mode: mode, in: context)
        do {
            for (index, batch) in batches.enumerated() {
                if dying.contains(index) {
                    _ = try await writer.write(try writer.encode(.testing(batch)))
                    await writer.abort()
                    let checkpoint = try await sink.committed(in: context)
                    context.resumed = checkpoint?.isFinal == false ? checkpoint : nil
                    writer = try await sink.openWriter(for: Self.named, mode: mode, in: context)
                }
                _ = try await writer.write(try writer.encode(.testing(batch)))
                let isLast = index == batches.count - 1
                let deleted = isLast ? try await writer.deletingAbsent() : 0
                let counts = try await writer.settle()
                try expect.equal("the rows deleted", counts.deleted, deleted)
                total = total + counts
                try await writer.commit(.testing(epoch: index + 1, final: isLast))
            }
        } catch {
            await writer.abort()
            throw error
        }
        return total
    }

    /// Three loads of random rows, each in epochs, every one compared: rows, counts and what is left behind.
    ///
    /// - Parameter kept: a column that the rows do not have, and what the table puts there.
    func mirror(seed: Int, kept: (column: String, value: String)? = nil) async throws {
        let random = RunRandom(seed: UInt64(seed))
        var model: [Int: String] = [:]
        for load in 0..<3 {
            let pairs = (0..<random.below(40)).map { _ in (Int(random.below(25)), "v\(random.below(3))") }
            var batches: [RecordBatch] = []
            var left = pairs[...]
            repeat {
                let piece = left.prefix(1 + Int(random.below(15)))
                left = left.dropFirst(piece.count)
                batches.append(try .of(Self.named, piece.map { [.integer(Int128($0.0)), .utf8($0.1)] }))
            } while !left.isEmpty
            let dying = Set(batches.indices.filter { _ in random.below(3) == 0 })
            let counts = try await mirror(batches, dying: dying)
            let new = Dictionary(pairs) { $1 }
            let (gone, come) = (model.keys.filter { new[$0] == nil }, new.keys.filter { model[$0] == nil })
            try expect.equal("the rows deleted in load \(load)", counts.deleted, gone.count)
            try expect.equal("the rows inserted in load \(load)", counts.inserted, come.count)
            try expect.equal("the account of load \(load)", counts.written, pairs.count + counts.deleted)
            model = new
            let expected = model.map { ["\($0.key)", $0.value] + (kept.map { [$0.value] } ?? []) as [String?] }
            let found = try await rows(["id", "name"] + (kept.map { [$0.column] } ?? []))
            try expect.equal("the table after load \(load)", Self.sorted(found), Self.sorted(expected))
            try expect.equal("what is left after load \(load)", try await leftovers(), [])
        }
    }
}

extension SinkWriter {
    /// Deletes what a mirror's load did not have, as the engine asks for at its end.
    func deletingAbsent() async throws -> Int {
        guard let mirroring = self as? any MirroringWriter else {
            throw HeadraceError(.unexpected, "\(Self.self) writes a mirror and is no MirroringWriter")
        }
        return try await mirroring.deleteAbsent()
    }
}
