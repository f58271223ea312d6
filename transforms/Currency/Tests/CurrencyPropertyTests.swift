import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Testing

@testable import HeadraceCurrency

/// Whole columns of random and extreme amounts against the arithmetic of single values.
@Suite struct CurrencyPropertyTests {
    private struct Row {
        let amount: DecimalValue?
        let code: String?
        let day: Int32?
    }

    /// Rates that need a factor, a divisor, many digits or none.
    private func rates() throws -> RateTable {
        try RateTable(
            base: "USD", quotation: .valueInBase,
            [
                .init("EUR", day: .min, rate: 1.0837), .init("EUR", day: 100, rate: 1.1),
                .init("JPY", day: 0, rate: 0.0067),
                .init("KWD", day: .min, rate: DecimalValue(coefficient: 325_000_000_000_001, scale: 14)),
                .init("VND", day: .min, rate: DecimalValue(coefficient: 39, scale: 30)),
                .init("BIG", day: .min, rate: DecimalValue(coefficient: 9_999_999_999_999_999_999_999, scale: 3)),
                .init("LONGCODE", day: .min, rate: 2), .init("", day: .min, rate: 3),
            ], longestAge: 50)
    }

    private func amount(_ random: RunRandom, _ precision: Int, _ scale: Int) -> DecimalValue? {
        if random.below(8) == 0 { return nil }
        let digits = Int(random.below(UInt64(precision))) + 1
        var coefficient: Int128 = 0
        for _ in 0..<digits { coefficient = coefficient * 10 + Int128(random.below(10)) }
        return DecimalValue(coefficient: random.below(3) == 0 ? -coefficient : coefficient, scale: scale)
    }

    @Test(
        "A column is converted as its values are one by one, and refuses the same rows",
        arguments: [
            DataType.decimal(precision: 12, scale: 2), .decimal(precision: 18, scale: 9),
            .decimal(precision: 30, scale: 4), .int64,
        ],
        RoundingMode.allCases)
    func likeSingleValues(type: DataType, rounding: RoundingMode) async throws {
        let random = RunRandom(seed: UInt64(rounding.rawValue))
        let codes = ["EUR", "USD", "JPY", "KWD", "VND", "BIG", "LONGCODE", "", "XTS", "EURO"]
        let (precision, scale) =
            if case .decimal(let precision, let scale) = type { (precision, scale) } else { (18, 0) }
        let rows = (0..<600).map { _ in
            Row(
                amount: amount(random, precision, scale),
                code: random.below(12) == 0 ? nil : codes[Int(random.below(UInt64(codes.count)))],
                day: random.below(12) == 0 ? nil : Int32(random.below(200)))
        }
        let schema = Schema([Field("amount", type), Field("code", .utf8), Field("day", .date32)])
        let values = rows.map { row -> [Scalar] in
            let amount = row.amount.map { type == .int64 ? Scalar.integer($0.coefficient) : .decimal($0) }
            return [amount ?? .null, row.code.map { .utf8($0) } ?? .null, row.day.map { .date($0) } ?? .null]
        }
        for target in [Currency.usd, .eur, .jpy] {
            let conversion = CurrencyConversion(
                "amount", from: "code", to: target, rates: try rates(), on: .column("day"), rounding: rounding,
                into: "out")
            let sink = MemorySink("out")
            let source = MemorySource("in", try #require(RecordBatch(schema: schema, rows: values)), chunkSize: 97)
            let ledger = MemoryLedger()
            let report = try await JobRunner(ledger: ledger, options: RunOptions(allowedRejects: .unlimited)).run(
                Job("convert", try Pipeline("p", from: source).through(conversion).loading(into: sink, mode: .append)))
            let refused = await ledger.rejects(of: report.run, after: 0, limit: 1000).map(\.reject)
            var expected: [Scalar] = []
            var codesOfRefused: [String] = []
            let limit = try conversion.resultType(schema)
            for row in rows {
                switch single(row, conversion, limit) {
                case .success(let scalar): expected.append(scalar)
                case .failure(let refusal): codesOfRefused.append(refusal.code)
                }
            }
            #expect(sink.rows.map { $0[3] } == expected)
            #expect(refused.map(\.code) == codesOfRefused)
        }
    }

    private struct Refusal: Error { let code: String }

    private func single(_ row: Row, _ conversion: CurrencyConversion, _ type: DataType) -> Result<Scalar, Refusal> {
        guard let code = row.code, let day = row.day else { return .failure(Refusal(code: "missing")) }
        guard let found = conversion.rates.conversion(from: code, to: conversion.target.code, on: day),
            found.rate != nil
        else { return .failure(Refusal(code: conversion.rates.knows(code) ? "noRate" : "unknownCurrency")) }
        guard let amount = row.amount else { return .success(.null) }
        guard
            let value = CurrencyStage.value(amount, found, conversion.target.minorUnitDigits, conversion.rounding),
            case let scalar = Scalar.decimal(value), scalar.fits(type)
        else { return .failure(Refusal(code: "outOfRange")) }
        return .success(scalar)
    }
}
