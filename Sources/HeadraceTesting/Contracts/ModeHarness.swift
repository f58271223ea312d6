package import HeadraceColumnar
package import HeadraceCore

/// Loads of random rows by a mode whose outcome a simple model knows, through writers that die now and then.
///
/// The target is a table `people` that is not there at first.
package protocol ModeHarness: Sendable {
    /// The sink under test.
    associatedtype Subject: HistorySink & MirroringSink
    /// A sink into `people`, as each run makes it.
    func makePeople() throws -> Subject
    /// Runs SQL in the database's own client.
    func run(_ sql: String) throws
    /// The rows of `people` as the client prints them: texts, nil for null, booleans as `true` and `false`.
    func people(_ columns: [String]) throws -> [[String?]]
    /// Tables of Headrace's own that stand now, its state apart.
    func stages() throws -> [String]
}

extension ModeHarness {
    private func expect<Value: Equatable>(_ what: String, _ found: Value, _ expected: Value) throws {
        guard found != expected else { return }
        throw HeadraceError(
            .unexpected, "\(what) differs from the model",
            fields: [("expected", "\(expected)"), ("found", "\(found)")])
    }

    // MARK: - History

    /// The fields of the rows: a key, a value, and the time since when it holds.
    package static var datedSchema: Schema {
        Schema([Field("id", .int64, nullable: false), Field("value", .int64), Field("at", .int64, nullable: false)])
    }

    /// The mode of the rows.
    package static var byTime: SinkMode { .history(on: ["id"], HistoryColumns(effective: "at")) }

    /// A batch of changes.
    package static func batch(_ changes: [HistoryModel.Change]) throws -> RecordBatch {
        try .of(
            datedSchema,
            changes.map { [.integer(Int128($0.key)), .integer(Int128($0.value)), .integer(Int128($0.time))] })
    }

    /// Makes `people` and fills it.
    package func makeHistory(_ versions: [HistoryModel.Version]) throws {
        try run(
            "CREATE TABLE people (id bigint, value bigint, valid_from bigint, valid_to bigint, is_current boolean NOT NULL)"
        )
        for version in versions {
            let until = version.until.map(String.init) ?? "NULL"
            try run(
                "INSERT INTO people VALUES (\(version.key), \(version.value), \(version.from), \(until), \(version.isCurrent))"
            )
        }
    }

    /// Fails unless `people` holds the model's versions.
    package func expectVersions(_ model: HistoryModel, _ when: String) throws {
        let found = try people(["id", "value", "valid_from", "valid_to", "is_current"])
        let expected = model.versions.map { version -> [String?] in
            [
                "\(version.key)", "\(version.value)", "\(version.from)", version.until.map(String.init),
                "\(version.isCurrent)",
            ]
        }
        try expect("the history \(when)", Self.sorted(found), Self.sorted(expected))
    }

    private static func sorted(_ rows: [[String?]]) -> [[String?]] {
        rows.sorted { one, other in
            one.map { $0 ?? "" }.lexicographicallyPrecedes(other.map { $0 ?? "" })
        }
    }

    /// Changes of few keys in batches, an epoch each, every one compared: rows and counts.
    package func checkHistory(seed: Int) async throws {
        let random = RunRandom(seed: UInt64(seed) + 77)
        var model = HistoryModel()
        if seed % 2 == 0 {
            let before = HistoryModel.table(seed: UInt64(seed))
            try makeHistory(before)
            model = HistoryModel(before)
        }
        var writer: Subject.Writer?
        do {
            var epoch = 0
            for changes in HistoryModel.batches(seed: UInt64(seed), count: 8) {
                // A writer dies now and then after it has written and before it has committed.
                if random.below(4) == 0 {
                    await writer?.abort()
                    writer = try await makePeople().openWriter(
                        for: Self.datedSchema, mode: Self.byTime, in: .testing())
                    if let dying = writer {
                        _ = try await dying.write(try dying.encode(.testing(try Self.batch(changes))))
                    }
                    await writer?.abort()
                    writer = nil
                }
                if writer == nil {
                    writer = try await makePeople().openWriter(for: Self.datedSchema, mode: Self.byTime, in: .testing())
                }
                guard let open = writer else { return }
                let rejects = try await open.write(try open.encode(.testing(try Self.batch(changes))))
                try expect("the number of rejects", rejects.count, 0)
                let counts = model.apply(changes)
                try expect("the account of \(changes)", try await open.settle(), counts)
                epoch += 1
                try await open.commit(.testing(epoch: epoch, final: false))
                try expectVersions(model, "after \(changes)")
            }
            let nothing = try await writer?.settle() ?? WriteCounts()
            try expect("the account of an epoch without rows", nothing, WriteCounts())
            try await writer?.commit(.testing(epoch: epoch + 1))
        } catch {
            await writer?.abort()
            throw error
        }
    }

    // MARK: - Mirror

    private static var named: Schema { Schema([Field("id", .int64), Field("name", .utf8)]) }

    /// Writes a mirror's batches, an epoch each, through writers that die before the commits named and are followed by
    /// others.
    private func mirror(_ batches: [RecordBatch], dying: Set<Int>) async throws -> WriteCounts {
        let (mode, sink) = (SinkMode.mirror(on: ["id"]), try makePeople())
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
                let deleted = isLast ? try await writer.deleteAbsent() : 0
                let counts = try await writer.settle()
                try expect("the rows deleted", counts.deleted, deleted)
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
    /// - Parameter table: makes `people` with `id` and `name`; nil leaves that to the load.
    package func checkMirror(
        seed: Int,
        table: String? =
            "CREATE TABLE people (name varchar(20), id bigint PRIMARY KEY, note varchar(20) DEFAULT 'kept')"
    ) async throws {
        let random = RunRandom(seed: UInt64(seed))
        var model: [Int: String] = [:]
        if let table { try run(table) }
        // A column that the rows do not have keeps what the table puts there.
        let keepsNotes = table?.contains("DEFAULT 'kept'") == true
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
            try expect("the rows deleted in load \(load)", counts.deleted, model.keys.filter { new[$0] == nil }.count)
            try expect("the rows inserted in load \(load)", counts.inserted, new.keys.filter { model[$0] == nil }.count)
            try expect("the account of load \(load)", counts.written, pairs.count + counts.deleted)
            model = new
            let rows = model.map { ["\($0.key)", $0.value] + (keepsNotes ? ["kept"] : []) as [String?] }
            let found = try people(["id", "name"] + (keepsNotes ? ["note"] : []))
            try expect("the table after load \(load)", Self.sorted(found), Self.sorted(rows))
            try expect("what is left after load \(load)", try stages(), [])
        }
    }
}
