import HeadraceColumnar
import HeadraceCore
import HeadraceCurrency
import HeadraceRuntime
import HeadraceTesting
import Testing

@Suite struct CurrencyTests {
    private let schema = Schema([
        Field("price", .decimal(precision: 10, scale: 2)), Field("currency", .utf8), Field("day", .date32),
    ])
    private func day(_ text: String) throws -> Int32 {
        let column = try #require(ColumnVector.of(.utf8, [.utf8(text)]))
        guard case .date(let days) = try Kernels.cast(column, to: .date32).column.scalar(at: 0) else { return 0 }
        return days
    }

    private func run(
        _ conversion: CurrencyConversion, _ rows: [(String?, String?, Int32)]
    ) async throws -> (kept: [[Scalar]], rejects: [Reject]) {
        let (sink, ledger) = (MemorySink("out"), MemoryLedger())
        let values = rows.map { row -> [Scalar] in
            [
                row.0.flatMap { DecimalValue($0) }.map { .decimal($0) } ?? .null, row.1.map { .utf8($0) } ?? .null,
                .date(row.2),
            ]
        }
        let source = MemorySource("in", try #require(RecordBatch(schema: schema, rows: values)), chunkSize: 2)
        let report = try await JobRunner(ledger: ledger, options: RunOptions(allowedRejects: .unlimited))
            .run(Job("convert", try Pipeline("p", from: source).through(conversion).loading(into: sink, mode: .append)))
        return (sink.rows, await ledger.rejects(of: report.run, after: 0, limit: 100).map(\.reject))
    }

    @Test("Amounts are converted exactly and rounded half-even once; unknown and missing currencies are refused")
    func fixed() async throws {
        let rates = try RateTable.fixed(base: "USD", ["EUR": 1.10, "JPY": 0.0067])
        let conversion = CurrencyConversion(
            "price", from: "currency", to: .usd, rates: rates, on: .fixed(0), into: "usd")
        let (kept, rejects) = try await run(
            conversion,
            [
                ("10.05", "EUR", 0), ("100.00", "USD", 0), ("60000.00", "JPY", 0), (nil, "EUR", 0), ("1.00", "XTS", 0),
                ("1.00", nil, 0), ("0.75", "JPY", 0),
            ])
        // 11.055 rounds to the even cent; 402.00; 0.005025 is above half a cent.
        #expect(kept.map { $0[3].description } == ["11.06", "100.00", "402.00", "null", "0.01"])
        #expect(rejects.map(\.code) == ["unknownCurrency", "missing"])
        #expect(kept[0][4].description == "1.1000000000")
    }

    @Test("A day without a rate takes the last earlier one, never a later one, and not one that is too old")
    func dated() async throws {
        let csv = "date,currency,rate\n2026-01-02,EUR,1.10\n2026-01-05,EUR,1.20\n"
        let rates = try RateTable(csv: csv, base: "USD", longestAge: 5)
        let conversion = CurrencyConversion("price", from: "currency", to: .usd, rates: rates, on: .column("day"))
        let days = try ["2026-01-02", "2026-01-04", "2026-01-05", "2026-01-01", "2026-01-20"].map { try day($0) }
        let (kept, rejects) = try await run(conversion, days.map { ("100.00", "EUR", $0) })
        #expect(kept.map { $0[0].description } == ["110.00", "110.00", "120.00"])
        #expect(rejects.map(\.code) == ["noRate", "noRate"])
    }

    @Test("The European Central Bank's file gives cross rates over the euro, weekends take Friday's")
    func centralBank() async throws {
        let file = "Date,USD,JPY,GBP,\n2026-01-05,1.2000,180.00,0.8500,\n2026-01-02,1.1000,N/A,0.8000,\n"
        let rates = try RateTable(europeanCentralBank: file)
        let conversion = CurrencyConversion("price", from: "currency", to: .usd, rates: rates, on: .column("day"))
        let (sunday, monday) = (try day("2026-01-04"), try day("2026-01-05"))
        let (kept, rejects) = try await run(
            conversion,
            [("80.00", "GBP", sunday), ("100.00", "EUR", monday), ("1800.00", "JPY", monday), ("1.00", "JPY", sunday)])
        #expect(kept.map { $0[0].description } == ["110.00", "120.00", "12.00"])
        #expect(rejects.map(\.code) == ["noRate"])
    }

    @Test("Minor units are those of ISO 4217", arguments: [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
    func minorUnits(code: String, digits: Int) { #expect(Currency(code)?.minorUnitDigits == digits) }

    @Test("Codes that ISO 4217 does not know are no currencies", arguments: ["usd", "XXX1", "BTC", ""])
    func unknown(code: String) { #expect(Currency(code) == nil) }

    @Test("A rate table that does not read says where")
    func malformed() {
        let error = #expect(throws: HeadraceError.self) {
            try RateTable(csv: "date,currency,rate\n2026-01-02,EUR,abc\n", base: "USD")
        }
        #expect(error?.message == "line 2 of the rate table does not read")
    }
}
