import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

private let schema = Schema([
    Field("region", .utf8), Field("id", .int64), Field("price", .decimal(precision: 10, scale: 2)),
    Field("note", .utf8),
])

@Suite struct SQLiteUpsertTests {
    let bench: Workbench
    var sink: SQLiteSink { SQLiteSink(path: bench.path, table: "t") }

    init() throws { bench = try Workbench() }

    private func row(_ region: String?, _ id: Int?, _ cents: Int, _ note: String?) -> [Scalar] {
        [
            region.map(Scalar.utf8) ?? .null, id.map { .integer(Int128($0)) } ?? .null,
            .decimal(DecimalValue(coefficient: Int128(cents), scale: 2)), note.map(Scalar.utf8) ?? .null,
        ]
    }

    @Test(
        "Any sequence of upserts leaves what a dictionary would, counted as it happened",
        arguments: 0..<25 as Range<UInt64>)
    func model(seed: UInt64) async throws {
        let random = RunRandom(seed: seed)
        var model: [String: [Scalar]] = [:]
        for run in 0..<4 {
            var expected = WriteCounts()
            var batches: [RecordBatch] = []
            for _ in 0..<Int(random.below(4)) {
                let rows = (0..<Int(random.below(120))).map { _ in
                    row(
                        ["eu", "us", ""][Int(random.below(3))], Int(random.below(30)), Int(random.below(3)),
                        random.below(4) == 0 ? nil : "n\(random.below(2))")
                }
                for row in rows {
                    let key = "\(row[0])/\(row[1])"
                    if let known = model[key] {
                        if known == row { expected.unchanged += 1 } else { expected.updated += 1 }
                    } else {
                        expected.inserted += 1
                    }
                    model[key] = row
                }
                batches.append(try .of(schema, rows))
            }
            let result = try await sink.load(
                batches, schema: schema, mode: .upsert(on: ["id", "region"]), in: .testing(run: "r\(run)"))
            #expect(result.counts == expected)
            #expect(result.rejects.isEmpty)
        }
        let read = try await SQLiteTableSource(path: bench.path, table: "t").readAll().batches.rows
        #expect(Set(read) == Set(model.values))
        #expect(read.count == model.count)
    }

    @Test("A new table gets the keys as its primary key")
    func primaryKey() async throws {
        try await sink.load([], schema: schema, mode: .upsert(on: ["id"]))
        #expect(try bench.sqlite("SELECT name FROM pragma_table_info('t') WHERE pk") == ["'id'"])
    }

    @Test("A table without a key gets a unique index, in the rows' transaction; repeated rows in it are an error")
    func uniqueIndex() async throws {
        try bench.sqlite(
            "CREATE TABLE t (region TEXT, id BIGINT, price DECIMAL(10,2), note TEXT); INSERT INTO t VALUES ('eu', 1, 1, 'a')"
        )
        let writer = try await sink.openWriter(for: schema, mode: .upsert(on: ["region", "id"]), in: .testing())
        _ = try await writer.write(try writer.encode(.testing(try .of(schema, [row("eu", 1, 5, "b")]))))
        await writer.abort()
        #expect(try bench.sqlite("SELECT count(*) FROM sqlite_schema WHERE type = 'index'") == ["0"])
        let result = try await sink.load(
            [try .of(schema, [row("eu", 1, 5, "b")])], schema: schema, mode: .upsert(on: ["region", "id"]))
        #expect(result.counts == WriteCounts(updated: 1))
        #expect(try bench.sqlite("SELECT name FROM sqlite_schema WHERE type = 'index'") == ["'t_region_id_key'"])
        try bench.sqlite("DROP INDEX t_region_id_key; INSERT INTO t SELECT * FROM t")
        let error = await #expect(throws: HeadraceError.self) {
            try await sink.load([], schema: schema, mode: .upsert(on: ["region", "id"]))
        }
        #expect(error?.code == .constraintViolated)
        #expect(error?.hint == "remove the repeated rows, or choose other keys")
    }

    @Test("A row whose key is null is a reject; keys that are not columns, repeated or none are refused")
    func keys() async throws {
        let rows = [row("eu", 1, 1, nil), row(nil, 2, 1, nil), row("eu", nil, 1, nil)]
        let result = try await sink.load(
            [try .of(schema, rows)], schema: schema, mode: .upsert(on: ["region", "id"]))
        #expect(result.counts == WriteCounts(inserted: 1))
        #expect(result.rejects.map(\.field) == ["region", "id"])
        #expect(result.rejects.map(\.code) == ["missing", "missing"])
        for keys in [["nope"], [], ["id", "id"]] {
            await #expect(throws: HeadraceError.self) {
                try await sink.load([], schema: schema, mode: .upsert(on: keys))
            }
        }
    }

    @Test("Rows that another constraint refuses are rejects, on their way in and on an update")
    func constraints() async throws {
        try bench.sqlite(
            "CREATE TABLE t (region TEXT, id BIGINT PRIMARY KEY, price DECIMAL(10,2) CHECK (price < 10), note TEXT UNIQUE)"
        )
        let rows = [
            row("eu", 1, 100, "a"), row("eu", 2, 100, "a"), row("eu", 1, 1000, "a"), row("eu", 3, 5000, "c"),
            row("us", 1, 200, "b"),
        ]
        let result = try await sink.load([try .of(schema, rows)], schema: schema, mode: .upsert(on: ["id"]))
        #expect(result.counts == WriteCounts(inserted: 1, updated: 1))
        #expect(result.rejects.map(\.code) == ["notUnique", "check", "check"])
        #expect(result.rejects.map(\.place.row) == [2, 3, 4])
        #expect(try bench.sqlite("SELECT * FROM t") == ["'us',1,2,'b'"])
    }

    @Test("Only keys, columns the rows lack, and a change of case")
    func details() async throws {
        try bench.sqlite(
            "CREATE TABLE t (id BIGINT PRIMARY KEY, region TEXT COLLATE NOCASE, kept TEXT); INSERT INTO t VALUES (1, 'eu', 'kept')"
        )
        let narrow = Schema([Field("id", .int64), Field("region", .utf8)])
        let first = try await sink.load(
            [try .of(narrow, [[.integer(1), .utf8("EU")], [.integer(1), .utf8("EU")]])], schema: narrow,
            mode: .upsert(on: ["id"]))
        #expect(first.counts == WriteCounts(updated: 1, unchanged: 1))
        #expect(try bench.sqlite("SELECT * FROM t") == ["1,'EU','kept'"])
        let only = Schema([Field("id", .int64)])
        let second = try await sink.load(
            [try .of(only, [[.integer(1)], [.integer(2)], [.integer(2)]])], schema: only, mode: .upsert(on: ["id"]))
        #expect(second.counts == WriteCounts(inserted: 1, unchanged: 2))
    }
}
