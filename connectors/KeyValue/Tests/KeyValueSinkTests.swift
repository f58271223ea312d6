import HeadraceColumnar
import HeadraceCore
import HeadraceKeyValue
import HeadraceRuntime
import HeadraceTesting
import Testing

private let schema = Schema([
    Field("Id", .utf8, nullable: false), Field("Price", .decimal(precision: 12, scale: 2)), Field("Count", .int64),
])

private func row(_ id: String, _ cents: Int128?, _ count: Int128? = nil) -> [Scalar] {
    [
        .utf8(id), cents.map { .decimal(DecimalValue(coefficient: $0, scale: 2)) } ?? .null,
        count.map { .integer($0) } ?? .null,
    ]
}

private func sink(
    _ path: String, mapping: ItemMapping = ItemMapping(), keeping: [String] = [], key: [String] = ["Id"]
) throws -> KeyValueSink {
    try KeyValueSink("kv:\(path)", table: "Prices", key: key, mapping: mapping, keeping: keeping) {
        EmbeddedKeyValueStore(at: path, clock: $0.clock)
    }
}

/// Writes one batch through a sink and commits it.
private func load(
    _ sink: KeyValueSink, _ rows: [[Scalar]], _ context: RunContext = RunContext.testing(), schema: Schema = schema
) async throws -> (counts: WriteCounts, rejects: [Reject]) {
    let writer = try await sink.openWriter(for: schema, mode: .upsert(on: []), in: context)
    do {
        let rejects = try await writer.write(try writer.encode(batch(schema, rows)))
        let counts = try await writer.settle()
        try await writer.commit(checkpoint(fence: context.fence))
        return (counts, rejects)
    } catch {
        await writer.abort()
        throw error
    }
}

private func items(_ path: String, _ table: String = "Prices") async throws -> [String] {
    let store = EmbeddedKeyValueStore(at: path, clock: VirtualClock(), creates: false)
    let items = try await everything(store, table).map { ItemJSON.typed($0).compactText }
    await store.close()
    return items
}

@Suite struct KeyValueSinkTests {
    @Test("Rows become items with exact numbers, and a second load tells what it changed")
    func upserts() async throws {
        let folder = try TemporaryFolder()
        let sink = try sink(folder.store)
        let first = try await load(sink, [row("b", 1250), row("a", 100, 7), row("c", nil)])
        #expect(first.counts == WriteCounts(inserted: 3) && first.rejects.isEmpty)
        #expect(
            try await items(folder.store) == [
                #"{"Count":{"N":"7"},"Id":{"S":"a"},"Price":{"N":"1"}}"#,
                #"{"Id":{"S":"b"},"Price":{"N":"12.5"}}"#, #"{"Id":{"S":"c"}}"#,
            ])
        // "d" twice: the later row stays.
        let second = try await load(
            sink, [row("a", 100, 7), row("b", 1251), row("d", 1), row("d", 2), row("d", 2)],
            RunContext.testing(fence: 2))
        #expect(second.counts == WriteCounts(inserted: 1, updated: 2, unchanged: 2))
        #expect(try await items(folder.store).last == #"{"Id":{"S":"d"},"Price":{"N":"0.02"}}"#)
    }

    @Test("Decimals as text keep their zeros, and nulls can be kept")
    func options() async throws {
        let folder = try TemporaryFolder()
        _ = try await load(
            try sink(folder.store, mapping: ItemMapping(decimals: .string, nulls: .null)), [row("a", 1250)])
        #expect(try await items(folder.store) == [#"{"Count":{"NULL":true},"Id":{"S":"a"},"Price":{"S":"12.50"}}"#])
    }

    @Test("Attributes that are kept survive the item that replaces them")
    func keeping() async throws {
        let folder = try TemporaryFolder()
        let sink = try sink(folder.store, keeping: ["Count"])
        _ = try await load(sink, [row("a", 100, 1)])
        let counts = try await load(sink, [row("a", 200, 2), row("b", 1, 9)], RunContext.testing(fence: 2)).counts
        #expect(counts == WriteCounts(inserted: 1, updated: 1))
        #expect(
            try await items(folder.store) == [
                #"{"Count":{"N":"1"},"Id":{"S":"a"},"Price":{"N":"2"}}"#,
                #"{"Count":{"N":"9"},"Id":{"S":"b"},"Price":{"N":"0.01"}}"#,
            ])
        #expect(
            try await load(sink, [row("a", 200, 3)], RunContext.testing(fence: 3)).counts == WriteCounts(unchanged: 1))
    }

    @Test("Every type has its attribute")
    func types() async throws {
        let folder = try TemporaryFolder()
        let schema = Schema([
            Field("Id", .date32, nullable: false), Field("bool", .bool), Field("float", .float64),
            Field("small", .float32),
            Field("wide", .decimal(precision: 38, scale: 0)), Field("bytes", .binary), Field("time", .time64),
            Field("wall", .timestamp(zone: nil)), Field("instant", .instant), Field("list", .list(Field("e", .int32))),
            Field("struct", .struct([Field("a", .utf8), Field("b", .int8)])), Field("json", .json),
        ])
        let wide = DecimalValue("12345678901234567890123456789012345678")
        let row: [Scalar] = [
            .date(20_458), .bool(true), .double(0.1), .double(0.5), .decimal(try #require(wide)), .binary([1, 2]),
            .time(3_600_000_000), .timestamp(1_767_571_200_000_000), .timestamp(1_767_571_200_000_001),
            .list([.integer(1), .null]), .struct([.utf8("x"), .null]), .utf8(#"{"k":[1.50,"t",null,true]}"#),
        ]
        let loaded = try await load(try sink(folder.store), [row], schema: schema)
        #expect(loaded.rejects.isEmpty)
        #expect(
            try await items(folder.store) == [
                #"{"Id":{"S":"2026-01-05"},"bool":{"BOOL":true},"bytes":{"B":"AQI="},"float":{"N":"0.1"},"#
                    + #""instant":{"S":"2026-01-05T00:00:00.000001Z"},"json":{"M":{"k":{"L":[{"N":"1.5"},{"S":"t"},{"NULL":true},{"BOOL":true}]}}},"#
                    + #""list":{"L":[{"N":"1"},{"NULL":true}]},"small":{"N":"0.5"},"struct":{"M":{"a":{"S":"x"}}},"time":{"S":"01:00:00"},"#
                    + #""wall":{"S":"2026-01-05T00:00:00"},"wide":{"N":"12345678901234567890123456789012345678"}}"#
            ])
    }

    @Test("Rows that no item can be are rejects with their column, and the others are written")
    func rejects() async throws {
        let folder = try TemporaryFolder()
        let schema = Schema([Field("Id", .utf8), Field("x", .float64), Field("text", .utf8)])
        let rows: [[Scalar]] = [
            [.utf8("good"), .double(1), .null], [.null, .double(1), .null], [.utf8(""), .double(1), .null],
            [.utf8("nan"), .double(.nan), .null], [.utf8("big"), .null, .utf8(String(repeating: "x", count: 500_000))],
        ]
        let loaded = try await load(try sink(folder.store), rows, schema: schema)
        #expect(loaded.counts == WriteCounts(inserted: 1))
        #expect(loaded.rejects.map(\.code) == ["invalidItem", "invalidItem", "invalidItem", "itemTooLarge"])
        #expect(loaded.rejects.map(\.field) == ["Id", "Id", "x", nil])
        #expect(loaded.rejects.map(\.place.row) == [2, 3, 4, 5])
    }

    @Test("Nothing is seen before the commit, and nothing is left after an abort, a failed commit or a kill")
    func invisible() async throws {
        let folder = try TemporaryFolder()
        let sink = try sink(folder.store)
        _ = try await load(sink, [row("a", 1)])
        let before = try await items(folder.store)
        for point in 0..<3 {
            let faults: any FaultPoints = point == 2 ? Faults(failingAt: "keyvalue.commit") : NoFaults()
            let writer = try await sink.openWriter(
                for: schema, mode: .upsert(on: ["Id"]), in: RunContext.testing(fence: 2, faults: faults))
            _ = try await writer.write(try writer.encode(batch(schema, [row("a", 2), row("b", 3)])))
            if point > 0 { _ = try await writer.settle() }
            #expect(try await items(folder.store) == before)
            let image = try folder.image()
            #expect(try await items(image.store) == before, "killed here")
            if point == 2 { #expect(await code { try await writer.commit(checkpoint()) } == "fault") }
            await writer.abort()
            await writer.abort()
            #expect(try await items(folder.store) == before)
        }
        #expect(folder.files == ["store.db"])
    }

    @Test("The checkpoint is committed with the items, and a run that was overtaken is refused")
    func checkpoints() async throws {
        let folder = try TemporaryFolder()
        let sink = try sink(folder.store)
        #expect(try await sink.committed(in: RunContext.testing()) == nil)
        #expect(folder.files.isEmpty, "asking makes no file")
        let writer = try await sink.openWriter(for: schema, mode: .upsert(on: []), in: RunContext.testing(fence: 5))
        for epoch in 1...3 {
            _ = try await writer.write(try writer.encode(batch(schema, [row("\(epoch)", 1)])))
            #expect(try await writer.settle() == WriteCounts(inserted: 1))
            try await writer.commit(checkpoint(epoch, final: epoch == 3, fence: 5))
            #expect(try await sink.committed(in: RunContext.testing())?.epoch == epoch)
        }
        #expect(try await sink.committed(in: RunContext.testing(job: "other")) == nil)
        #expect(await code { _ = try await load(sink, [row("late", 1)], RunContext.testing(fence: 4)) } == "leaseLost")
        #expect(try await items(folder.store).count == 3)
    }

    @Test("Over a store that leaves items undone and throttles, every item arrives, in batches of 25")
    func flaky() async throws {
        let folder = try TemporaryFolder()
        let path = folder.store
        let store = FlakyStore(
            EmbeddedKeyValueStore(at: path, clock: VirtualClock()), seed: 3, undone: 0.3, failing: 0.05)
        let sink = try KeyValueSink("flaky", table: "Prices", key: ["Id"]) { _ in store }
        let clock = VirtualClock()
        let rows = (0..<1000).map { row("\($0 % 900)", Int128($0)) }
        let loaded = try await load(sink, rows, RunContext.testing(clock: clock))
        #expect(loaded.counts.written == 1000)
        let found = try await items(path)
        #expect(found.count == 900)
        #expect(found.contains(#"{"Id":{"S":"99"},"Price":{"N":"9.99"}}"#), "the later row of a key stays")
        #expect(store.largest == 25 && store.batches < 200)
        #expect(!clock.sleeps.isEmpty && clock.sleeps.allSatisfy { $0 <= .seconds(10) })
    }

    @Test("A store that takes nothing is an error after a bounded number of tries")
    func hopeless() async throws {
        let folder = try TemporaryFolder()
        let path = folder.store
        for (undone, failing) in [(1.0, 0.0), (0.0, 1.0)] {
            let store = FlakyStore(
                EmbeddedKeyValueStore(at: path, clock: VirtualClock()), seed: 3, undone: undone, failing: failing)
            let sink = try KeyValueSink("flaky", table: "Prices", key: ["Id"]) { _ in store }
            #expect(await code { _ = try await load(sink, [row("a", 1)]) } == "throttled")
            #expect(store.batches <= 11)
        }
    }

    @Test("Other modes, other keys and columns that no key can be are refused before a row moves")
    func refusals() async throws {
        let folder = try TemporaryFolder()
        let sink = try sink(folder.store)
        func open(_ sink: KeyValueSink, _ mode: SinkMode, _ schema: Schema = schema) async -> String? {
            await code { _ = try await sink.openWriter(for: schema, mode: mode, in: RunContext.testing()) }
        }
        #expect(await open(sink, .append) == "unsupported")
        #expect(await open(sink, .replace) == "unsupported")
        #expect(await open(sink, .upsert(on: ["Price"])) == "badOption")
        #expect(await open(sink, .upsert(on: []), Schema([Field("x", .utf8)])) == "schemaMismatch")
        #expect(await open(sink, .upsert(on: []), Schema([Field("Id", .float64)])) == "schemaMismatch")
        #expect(throws: HeadraceError.self) { _ = try KeyValueSink("x", table: "t", key: []) { _ in throw Refused() } }
        #expect(folder.files.isEmpty)
        _ = try await load(sink, [row("a", 1)])
        #expect(await open(sink, .upsert(on: []), Schema([Field("Id", .int64)])) == "schemaMismatch")
        let plan = try await sink.plan(for: schema, mode: .upsert(on: ["Id"]), in: RunContext.testing())
        #expect(plan.first?.contains("key Id (S)") == true)
    }

    struct Refused: Error {}

    @Test("Under the engine the account holds: what came in was written or rejected")
    func engine() async throws {
        let folder = try TemporaryFolder()
        let rows = (0..<500).map { row($0 % 50 == 7 ? "" : "\($0 % 400)", Int128($0)) }
        let source = MemorySource("in", try #require(RecordBatch(schema: schema, rows: rows)), chunkSize: 33)
        let path = folder.store
        let report = try await JobRunner(ledger: MemoryLedger(), options: RunOptions(scheduling: .threaded(workers: 3)))
            .run(Job("sync", Pipeline("p", from: source).loading(into: try sink(path), mode: .upsert(on: "Id"))))
        #expect(report.accounts.allSatisfy { $0.isBalanced })
        #expect(try await items(path).count == 392)
    }
}
