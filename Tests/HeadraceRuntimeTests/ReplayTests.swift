import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Testing

@Suite struct ReplayTests {
    private let schema = Schema([Field("id", .int64), Field("amount", .decimal(precision: 10, scale: 2))])

    private func records() throws -> RecordBatch {
        func amount(_ text: String) -> Scalar { DecimalValue(text).map(Scalar.decimal) ?? .null }
        return try #require(
            RecordBatch(
                schema: schema,
                rows: [
                    [.integer(1), amount("1.50")], [.integer(2), amount("0.00")], [.integer(3), amount("3.25")],
                    [.integer(4), .null],
                ]))
    }

    private func pipeline(dividing: Bool) throws -> Pipeline {
        let amount = Column<DecimalValue>("amount")
        let kept =
            dividing ? (Expr<DecimalValue>.literal(1) / amount > 0 || amount.isNull) : (amount >= 0 || amount.isNull)
        return Pipeline("p", from: MemorySource("in", try records())).filter(kept, step: "check")
    }

    @Test("Rejects enter at the step that refused them, pass by today's rules and are marked")
    func replays() async throws {
        let (sink, ledger) = (MemorySink("out", fault: .refuses(.integer(3))), MemoryLedger())
        let options = RunOptions(allowedRejects: .unlimited)
        let first = try await JobRunner(ledger: ledger, options: options)
            .run(Job("load", try pipeline(dividing: true).loading(into: sink, mode: .append)))
        #expect(first.rejected == 2, "one row divides by zero, one is refused by the sink")
        #expect(sink.rows.map { $0[0] } == [.integer(1), .integer(4)])
        sink.set(nil)
        let run = try #require(await ledger.run(first.run))
        let replay = Replay(
            of: run, through: try pipeline(dividing: false).loading(into: sink, mode: .append), ledger: ledger)
        let report = try await replay.perform(with: options)
        #expect(report.state == .complete && report.rejected == 0)
        #expect(Set(sink.rows.map { $0[0] }) == [.integer(1), .integer(2), .integer(3), .integer(4)])
        #expect(sink.rows.contains([.integer(3), .decimal(DecimalValue(coefficient: 325, scale: 2))]))
        let states = await ledger.rejects(of: first.run, after: 0, limit: 10).map(\.state)
        #expect(states == [.replayed(run: report.run), .replayed(run: report.run)])
        _ = try await replay.perform(with: options)
        #expect(sink.rows.count == 4, "what was replayed is not replayed again")
    }

    @Test("What is refused again stays open, and a later replay takes it, and nothing else")
    func refusedAgain() async throws {
        let (sink, ledger) = (MemorySink("out", fault: .refuses(.integer(3))), MemoryLedger())
        let options = RunOptions(allowedRejects: .rows(0))
        let first = try await JobRunner(ledger: ledger, options: options)
            .run(Job("load", try pipeline(dividing: true).loading(into: sink, mode: .append)))
        let run = try #require(await ledger.run(first.run))
        let replay = Replay(
            of: run, through: try pipeline(dividing: false).loading(into: sink, mode: .append), ledger: ledger)
        for _ in 0..<2 {
            let report = try await replay.perform(with: options)
            #expect(report.state == .completeWithErrors && report.rejected == 1, "the sink refuses row 3 as before")
            #expect(try await ledger.openRejects(of: first.run).map(\.reject.place.row) == [3])
        }
        #expect(sink.rows.map { $0[0] } == [.integer(1), .integer(4), .integer(2)])
        sink.set(nil)
        let last = try await replay.perform(with: options)
        #expect(last.state == .complete)
        #expect(sink.rows.map { $0[0] } == [.integer(1), .integer(4), .integer(2), .integer(3)])
        #expect(try await ledger.openRejects(of: first.run).isEmpty)
    }

    @Test("A load that replaces cannot take single rows and says what to do")
    func refusesReplace() async throws {
        let (sink, ledger) = (MemorySink("out"), MemoryLedger())
        let load = try pipeline(dividing: true).loading(into: sink, mode: .replace)
        let report = try await JobRunner(ledger: ledger, options: RunOptions(allowedRejects: .unlimited)).run(
            Job("load", load))
        let run = try #require(await ledger.run(report.run))
        let error = try await #require(throws: HeadraceError.self) {
            try await Replay(of: run, through: load, ledger: ledger).perform(with: RunOptions())
        }
        #expect(error.code == .unsupported && error.hint?.contains("headrace replay") == true)
    }
}
