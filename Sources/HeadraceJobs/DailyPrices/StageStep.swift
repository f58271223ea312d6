import HeadraceColumnar
import HeadraceCore
import HeadraceCurrency
import HeadraceLanding
import HeadraceRuntime
import HeadraceValidation

/// Reads the landed files, checksums verified, into one staging table a feed.
struct StageStep: Sendable {
    let configuration: DailyPricesConfiguration

    /// Replaces every staging table by the day's rows; a feed that landed nothing leaves an empty one.
    /// - Returns: the feeds that have rows of the day.
    func perform(_ run: JobRun) async throws {
        let zone = LandingZone(store: configuration.landing, prefix: configuration.landingPrefix)
        let day = try await zone.read(configuration.date, in: run.context)
        for feed in configuration.feeds {
            let relation: Relation
            if day.sources.contains(feed.name) {
                relation = try staged(feed, try feed.source(over: day.byteSource(for: feed.name)))
            } else {
                relation = .scan(step: "read", EmptySource(name: feed.name, fields: PriceTables.staging))
            }
            let sink = configuration.warehouse.sink(PriceTables.stagingTable(feed))
            try await run.execute(
                Load(feed.name, [Load.Output(relation: relation, sink: sink, mode: .replace)]),
                settings: LoadSettings(commit: .run, resumes: false))
        }
    }

    private func staged(_ feed: PriceFeed, _ source: any Source) throws -> Relation {
        let typed = feed.columns.map { projection in
            guard let wanted = PriceTables.staging[projection.name]?.type else { return projection }
            return Projection(projection.name, .cast(projection.formula, wanted))
        }
        let data = Projection("raw_data", rawData(feed))
        let rows = Relation.project(step: "map", typed + [data], .scan(step: "read", source))
        return try Validation(
            [
                .length("raw_id", through: 255), .length("product_name", through: 500),
                .length("currency", through: 10),
                .length("source", through: 100),
            ], name: "check widths"
        ).apply(to: rows)
    }

    /// The record as one JSON object, with a flag where the price is an anomaly in USD.
    private func rawData(_ feed: PriceFeed) -> Formula {
        let names = feed.members.map(\.name)
        let values = feed.members.map(\.formula)
        guard let price = feed.columns.first(where: { $0.name == "price" })?.formula,
            let currency = feed.columns.first(where: { $0.name == "currency" })?.formula
        else { return .call(.jsonObject(names), values) }
        let (threshold, type) = configuration.anomalyThreshold.literal
        let isAnomaly = ["USD", "EUR", "GBP", "JPY"].compactMap { code -> Formula? in
            let day = configuration.date.daysSinceEpoch
            guard let rate = configuration.rates.conversion(from: code, to: "USD", on: day)?.rate else { return nil }
            let (factor, factorType) = rate.literal
            let usd = Formula.call(
                .round(scale: 2, .halfEven),
                [.call(.multiply, [.cast(price, .decimal(precision: 18, scale: 2)), .literal(factor, factorType)])])
            return .call(
                .and,
                [
                    .call(.equal, [currency, .literal(.utf8(code), .utf8)]),
                    .call(.greater, [usd, .literal(threshold, type)]),
                ])
        }.reduce(Formula.literal(.bool(false), .bool)) { .call(.or, [$0, $1]) }
        let flag = Formula.literal(.utf8("price_anomaly"), .utf8)
        return .choice(
            [.init(when: isAnomaly, then: .call(.jsonObject(names + ["validation_flag"]), values + [flag]))],
            otherwise: .call(.jsonObject(names), values))
    }
}

/// A source without rows.
struct EmptySource: Source {
    let name: String
    let fields: Schema

    func schema(in context: RunContext) async throws -> Schema { fields }
    func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader {
        Reader()
    }

    final class Reader: SourceReader {
        func next() async throws -> Read<Never> { .end }
        func decode(_ chunk: Never, sequence: UInt64) throws -> Batch {}
        func close() async {}
    }
}
