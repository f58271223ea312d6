import HeadraceColumnar
import HeadraceCore
import HeadraceDeduplication
import HeadraceRuntime
import HeadraceTesting
import Testing

@Suite struct DeduplicationTests {
    private func run(_ deduplication: Deduplication, workers: Int) async throws -> Set<[Scalar]> {
        let schema = Schema([Field("key", .utf8), Field("at", .int64), Field("id", .int64)])
        var rows: [[Scalar]] = []
        for index in 0..<300 {
            let key: Scalar = index % 7 == 0 ? .null : .utf8("k\(index % 11)")
            let at: Scalar = index % 13 == 0 ? .null : .integer(Int128(index * 37 % 50))
            rows.append([key, at, .integer(Int128(index))])
        }
        let sink = MemorySink("out")
        let source = MemorySource("in", try #require(RecordBatch(schema: schema, rows: rows)))
        let report = try await JobRunner(
            ledger: MemoryLedger(), options: RunOptions(scheduling: .threaded(workers: workers))
        )
        .run(Job("dedup", try Pipeline("p", from: source).through(deduplication).loading(into: sink, mode: .append)))
        let account = try #require(report.accounts.first { $0.step == "deduplicate" })
        #expect(account.input == 300 && account.merged == 300 - sink.rows.count && account.isBalanced)
        return Set(sink.rows)
    }

    @Test("The same rows stay whatever the number of workers", arguments: [1, 2, 5])
    func deterministic(workers: Int) async throws {
        for keeping in [Deduplication.Keeping.first, .last, .latest("at"), .earliest("at")] {
            let rows = try await run(Deduplication(on: ["key"], keeping: keeping), workers: workers)
            #expect(rows == (try await run(Deduplication(on: ["key"], keeping: keeping), workers: 1)))
            #expect(rows.count == 12, "eleven keys and null")
        }
    }

    @Test("First and last go by source order, latest by the column with ties to the first")
    func keeps() async throws {
        let first = try await run(Deduplication(on: ["key"], keeping: .first), workers: 2)
        #expect(
            first.contains([.null, .null, .integer(0)]) && first.contains([.utf8("k1"), .integer(37), .integer(1)]))
        let last = try await run(Deduplication(on: ["key"], keeping: .last), workers: 2)
        #expect(last.contains { $0[2] == .integer(299) })
    }

    @Test("A deduplication without keys is refused")
    func noKeys() throws {
        #expect(throws: HeadraceError.self) { try Deduplication(on: []).apply(to: .union(step: "u", [])) }
    }
}
