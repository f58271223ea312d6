import HeadraceColumnar
import HeadraceCore
import HeadraceCurrency
import HeadraceDeduplication
import HeadraceRuntime
import HeadraceText
import HeadraceValidation

/// Validates, deduplicates, normalizes and enriches the staged rows and loads the star schema in one transaction.
struct LoadStep: Sendable {
    let configuration: DailyPricesConfiguration
    let counts = ValidationCounts()

    func perform(_ run: JobRun, processed: Int64) async throws {
        let aggregated = try aggregate(try normalized())
        // In this order a product that several sources name takes its spelling from the first of them, on every machine.
        let facts = Relation.sort(
            step: "order", [.ascending("normalized_name"), .ascending("source")], limit: nil,
            try await enriched(aggregated, run.context))
        let sink = configuration.warehouse.facts
        guard sink is any TransactionalSink else {
            throw HeadraceError(.unsupported, "\(sink.name) cannot load facts in one transaction")
        }
        try await run.execute(
            Load(
                "facts",
                [Load.Output(relation: facts, sink: sink, mode: .facts(PriceTables.load(processed: processed)))]),
            settings: LoadSettings(commit: .run, resumes: false))
        try await run.ledger.set(
            "processed \(configuration.day)", to: .integer(processed), job: DailyPrices.jobName, run: run.context.run)
    }

    /// All staged rows, checked, in one spelling and one currency, one row an observation.
    private func normalized() throws -> Relation {
        let inputs = configuration.feeds.map { feed in
            Relation.scan(
                step: "read \(PriceTables.stagingTable(feed))",
                configuration.warehouse.table(PriceTables.stagingTable(feed)))
        }
        var rows = inputs.count == 1 ? inputs[0] : .union(step: "merge", inputs)
        rows = try Validation(
            [
                .required("product_name"), .notNull("price"), .required("currency"), .greater("price", than: 0),
            ], counts: counts
        ).apply(to: rows)
        rows = try TextNormalization("product_name", into: "normalized_name", [.collapseWhitespace, .uppercase]).apply(
            to: rows)
        rows = try Deduplication(
            on: ["normalized_name", "price", "currency", "source"], keeping: .latest("scraped_date")
        ).apply(to: rows)
        rows = try CurrencyConversion(
            "price", from: "currency", to: .usd, rates: configuration.rates,
            on: .fixed(configuration.date.daysSinceEpoch),
            into: "price_usd"
        ).apply(to: rows)
        rows = try Validation(
            [
                .range("price_usd", through: configuration.anomalyThreshold).named("price anomaly").flagging(
                    "price_anomaly")
            ],
            name: "flag anomalies", counts: counts
        ).apply(to: rows)
        return try Categorization(
            "normalized_name",
            [.keyword("IPHONE", "Smartphones"), .keyword("MACBOOK", "Laptops"), .keyword("AIRPODS", "Audio")],
            otherwise: "Other"
        ).apply(to: rows)
    }

    /// One row a product and source, with what the confidence score needs.
    private func aggregate(_ rows: Relation) throws -> Relation {
        func presence(_ formula: Formula) -> Formula {
            .choice(
                [.init(when: formula, then: .literal(.integer(1), .int64))], otherwise: .literal(.integer(0), .int64))
        }
        let isCategorized = Formula.call(.notEqual, [.column("category"), .literal(.utf8("Other"), .utf8)])
        let present = [
            presence(.call(.isNotNull, [.column("raw_id")])), presence(.call(.isNotNull, [.column("scraped_date")])),
            presence(isCategorized),
        ]
        let scored = Relation.derive(
            step: "score",
            [
                Projection("present", .call(.add, [.call(.add, [present[0], present[1]]), present[2]])),
                Projection("flagged", presence(.call(.isNotNull, [.column("validation_flag")]))),
            ], rows)
        return .aggregate(
            AggregateSpecification(
                step: "aggregate", keys: ["normalized_name", "source"],
                aggregates: [
                    .init("product_name", .first, "product_name"), .init("category", .first, "category"),
                    .init("market_price", .mean(scale: 2), "price_usd"), .init("retail_price", .maximum, "price_usd"),
                    .init("observations", .count), .init("present", .sum, "present"), .init("flagged", .sum, "flagged"),
                ]), scored)
    }

    /// Joins the previous price of each product and source and computes trend, change and confidence.
    private func enriched(_ rows: Relation, _ context: RunContext) async throws -> Relation {
        let previous = try await previousPrices(context)
        let joined = Relation.join(
            JoinSpecification(
                step: "join previous prices", kind: .left, leftKeys: ["normalized_name", "source"],
                rightKeys: ["previous_name", "previous_source"], rightIsUnique: true), rows, previous)
        return .stage(Enrichment(date: configuration.date), joined)
    }

    /// The latest price before the day of each product and source.
    private func previousPrices(_ context: RunContext) async throws -> Relation {
        let fields = Schema([
            Field("previous_name", .utf8), Field("previous_source", .utf8), Field("previous_price", PriceTables.money),
        ])
        guard try await configuration.warehouse.sink(PriceTables.facts.name).targetSchema(in: context) != nil else {
            return .scan(step: "read previous prices", EmptySource(name: "previous prices", fields: fields))
        }
        // The day is written by us, from a date: no text of anyone else's reaches the statement.
        let query = """
            SELECT p.normalized_name AS previous_name, f.source AS previous_source, f.market_price AS previous_price \
            FROM fact_prices f JOIN dim_products p ON p.product_id = f.product_id \
            WHERE f.price_date = (SELECT MAX(g.price_date) FROM fact_prices g WHERE g.product_id = f.product_id \
            AND g.source = f.source AND g.price_date < '\(configuration.day)')
            """
        return .project(
            step: "type previous prices",
            fields.fields.map { Projection($0.name, .cast(.column($0.name), $0.type)) },
            .scan(step: "read previous prices", configuration.warehouse.query(query)))
    }
}
