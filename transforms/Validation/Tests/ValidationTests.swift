import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import HeadraceValidation
import Testing

@Suite struct ValidationTests {
    private let schema = Schema([
        Field("id", .int64), Field("name", .utf8), Field("price", .decimal(precision: 10, scale: 2)),
    ])

    private func price(_ text: String?) -> Scalar { text.flatMap { DecimalValue($0) }.map { .decimal($0) } ?? .null }

    private func run(_ validation: Validation, _ rows: [[Scalar]]) async throws -> (kept: [[Scalar]], rejects: [Reject])
    {
        let (sink, ledger) = (MemorySink("out"), MemoryLedger())
        let source = MemorySource("in", try #require(RecordBatch(schema: schema, rows: rows)), chunkSize: 2)
        let report = try await JobRunner(ledger: ledger, options: RunOptions(allowedRejects: .unlimited))
            .run(Job("check", try Pipeline("p", from: source).through(validation).loading(into: sink, mode: .append)))
        #expect(report.accounts.allSatisfy { $0.isBalanced })
        return (sink.rows, await ledger.rejects(of: report.run, after: 0, limit: 100).map(\.reject))
    }

    private var rows: [[Scalar]] {
        [
            [.integer(1), .utf8("lamp"), price("10.00")], [.integer(2), .utf8("  "), price("5.00")],
            [.integer(3), .null, price("-1.00")], [.integer(4), .utf8("desk"), price(nil)],
            [.integer(5), .utf8("chair"), price("60000.00")], [.integer(1), .utf8("sofa"), price("1.00")],
        ]
    }

    @Test("Each rule refuses what breaks it under its name and code, the first rule of a row counts")
    func rules() async throws {
        let (kept, rejects) = try await run(
            Validation([.required("name"), .notNull("price"), .greater("price", than: 0)]), rows)
        #expect(kept.map { $0[0] } == [.integer(1), .integer(5), .integer(1)])
        #expect(rejects.map(\.rule) == ["name required", "name required", "price not null"])
        #expect(rejects.map(\.code) == ["missing", "missing", "missing"])
        #expect(rejects.map(\.place.row) == [2, 3, 4])
    }

    @Test("A flagged rule keeps the row and names the flag")
    func flags() async throws {
        let counts = ValidationCounts()
        let (kept, rejects) = try await run(
            Validation([.range("price", through: 50_000).named("too dear").flagging("price_anomaly")], counts: counts),
            rows)
        #expect(rejects.isEmpty && kept.count == 6)
        #expect(kept.map { $0[3] } == [.null, .null, .null, .null, .utf8("price_anomaly"), .null])
        #expect(counts.byRule == ["too dear": 1])
    }

    @Test("Length, pattern, one-of and custom rules let null pass")
    func texts() async throws {
        #expect(try await run(Validation([.length("name", from: 1, through: 4)]), rows).rejects.map(\.place.row) == [5])
        #expect(try await run(Validation([.pattern("name", "^[a-z]+$")]), rows).rejects.map(\.place.row) == [2])
        #expect(
            try await run(Validation([.oneOf("name", "lamp", "desk")]), rows).rejects.map(\.place.row) == [2, 5, 6])
        let cheap = Column<DecimalValue>("price") < 100
        #expect(try await run(Validation([.custom("cheap", cheap)]), rows).rejects.map(\.place.row) == [5])
    }

    @Test("A second row with the same values is refused, the first in source order stays")
    func unique() async throws {
        let (kept, rejects) = try await run(Validation([.unique("id")]), rows)
        #expect(Set(kept.map { $0[1] }).contains(.utf8("lamp")) && kept.count == 5)
        #expect(rejects.map(\.place.row) == [6])
    }

    @Test("A rule over a column that is not there is refused before any row moves")
    func unknownColumn() async throws {
        await #expect(throws: HeadraceError.self) { try await run(Validation([.notNull("qty")]), rows) }
    }
}
