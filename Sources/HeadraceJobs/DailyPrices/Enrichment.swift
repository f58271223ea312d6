import HeadraceColumnar
import HeadraceCore

/// Computes trend, price change and confidence of aggregated prices and gives them the columns of facts.
struct Enrichment: RowTransform {
    let name = "enrich"
    let date: CivilDate

    private static let change = DataType.decimal(precision: 5, scale: 2)
    private static let confidence = DataType.decimal(precision: 3, scale: 2)

    func schema(from input: Schema) throws -> Schema {
        for name in ["market_price", "previous_price", "observations", "present", "flagged"] where input[name] == nil {
            throw HeadraceError(.schemaMismatch, "the enrichment needs column \"\(name)\"")
        }
        return Self.output
    }

    /// The columns of rows that are ready to be loaded as facts.
    static let output = Schema([
        Field("normalized_name", .utf8), Field("product_name", .utf8), Field("category", .utf8),
        Field("parent_category", .utf8), Field("display_order", .int32), Field("market_price", PriceTables.money),
        Field("retail_price", PriceTables.money), Field("currency", .utf8), Field("price_date", .date32),
        Field("source", .utf8), Field("confidence_score", confidence), Field("trend_indicator", .utf8),
        Field("price_change_pct", change),
    ])

    func makeStage(for input: Schema, in context: RunContext) throws -> EnrichmentStage {
        EnrichmentStage(date: date, output: try schema(from: input), log: context.log)
    }

    /// 0.5 completeness + 0.3 min(n, 3) / 3 + 0.2 (1 - flagged / n), as one fraction rounded once, half-even to 2 places.
    /// Completeness is the mean share of the three fields that are present; `present` sums them over n observations.
    static func confidence(observations n: Int64, present: Int64, flagged: Int64) -> DecimalValue? {
        guard n > 0 else { return nil }
        let numerator = 5 * present + 3 * min(n, 3) * n + 6 * (n - flagged)
        return DecimalValue(coefficient: Int128(numerator), scale: 0)
            .divided(by: DecimalValue(coefficient: Int128(30 * n), scale: 0), scale: 2)
    }

    /// The change against the previous price in percent, half-even to 2 places, clamped to what DECIMAL(5,2) holds.
    static func change(from old: DecimalValue, to new: DecimalValue) -> (change: DecimalValue, isClamped: Bool)? {
        guard old > 0, let difference = new.subtracting(old)?.multiplied(by: 100),
            let change = difference.divided(by: old, scale: 2)
        else { return nil }
        let limit: DecimalValue = 999.99
        if change > limit { return (limit, true) }
        if change < limit.negated { return (limit.negated, true) }
        return (change, false)
    }
}

/// Works on one row a product and source: the aggregates of a day.
final class EnrichmentStage: Stage {
    private let date: CivilDate
    private let output: Schema
    private let log: EventLog
    /// Order of the categories on a page; others come last.
    private static let order: [String: Int32] = ["Smartphones": 1, "Laptops": 2, "Audio": 3]

    init(date: CivilDate, output: Schema, log: EventLog) {
        self.date = date
        self.output = output
        self.log = log
    }

    func process(_ batch: Batch) throws -> StageResult {
        var rejects: [Reject] = []
        var kept: [Int32] = []
        var rows: [[Scalar]] = []
        for row in 0..<batch.count {
            let values = try self.values(batch, row)
            if zip(values, output.fields).allSatisfy({ $0.fits($1.type) }) {
                rows.append(values)
                kept.append(Int32(row))
            } else {
                rejects.append(
                    batch.reject(
                        row: row, rule: "fits the fact table", code: "outOfRange", field: "retail_price",
                        message: "a price does not fit DECIMAL(10,2) in USD"))
            }
        }
        guard let records = RecordBatch(schema: output, rows: rows) else {
            throw HeadraceError(.schemaMismatch, "enriched prices do not fit their columns")
        }
        var result = kept.withUnsafeBufferPointer { batch.taking($0) }.with(records)
        result.rejects += rejects
        return StageResult(result)
    }

    private func values(_ batch: Batch, _ row: Int) throws -> [Scalar] {
        func value(_ name: String) -> Scalar { batch.records[name]?.scalar(at: row) ?? .null }
        func count(_ name: String) -> Int64 {
            switch value(name) {
            case .integer(let number): Int64(clamping: number)
            case .decimal(let number): Int64(clamping: number.exactCoefficient(precision: 38, scale: 0) ?? 0)
            default: 0
            }
        }
        var trend = "stable"
        var change = Scalar.null
        if case .decimal(let new) = value("market_price"), case .decimal(let old) = value("previous_price") {
            trend = new > old ? "rising" : new < old ? "falling" : "stable"
            if let (percent, isClamped) = Enrichment.change(from: old, to: new) {
                change = .decimal(percent)
                if isClamped {
                    log.warning(
                        "a price change was clamped",
                        [("product", value("normalized_name").description), ("to", "\(percent)")])
                }
            }
        }
        let confidence = Enrichment.confidence(
            observations: count("observations"), present: count("present"), flagged: count("flagged"))
        let category = value("category")
        return [
            value("normalized_name"), value("product_name"), category, .null,
            .integer(Int128(Self.order[category.description] ?? 99)), value("market_price"), value("retail_price"),
            .utf8("USD"),
            .date(date.daysSinceEpoch), value("source"), confidence.map(Scalar.decimal) ?? .null, .utf8(trend), change,
        ]
    }
}
