import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime

/// Writes current prices to the key-value store and marks those that are current no longer.
struct SyncStep: Sendable {
    let configuration: DailyPricesConfiguration
    /// Attempts for the items that a batch leaves unprocessed, with growing pauses between them.
    private static let attempts = 12

    func perform(_ run: JobRun) async throws {
        let store = configuration.keyValue
        try await store.ensureTable(configuration.table, key: KeySchema(partition: "Id"), ttl: nil)
        // A date that is synced again may have lost facts, which left items behind.
        let mark = "sync begun \(configuration.day)"
        let isAgain = try await run.ledger.value(mark, job: DailyPrices.jobName) != nil
        try await run.ledger.set(mark, to: .bool(true), job: DailyPrices.jobName, run: run.context.run)
        var (input, counts) = (0, WriteCounts())
        var present: Set<String> = []
        let source = configuration.warehouse.query(query(isAgain: isAgain))
        try await Self.forEachBatch(of: source, in: run.context) { records in
            for start in stride(from: 0, to: records.count, by: 25) {
                try run.context.cancellation.check()
                let part = records.slice(from: start, count: min(25, records.count - start))
                input += part.count
                if isAgain { present.formUnion(Self.identifiers(part)) }
                counts = counts + (try await write(part, run.context))
                try run.context.faults.reach("sync.batch")
            }
        }
        if isAgain {
            let retired = try await retire(allBut: present, run.context)
            input += retired
            counts.updated += retired
        }
        try await run.record(
            StepAccount(step: "sync", ordinal: 0, input: input, output: input, written: counts))
    }

    private static func identifiers(_ records: RecordBatch) -> [String] {
        (0..<records.count).compactMap { records["price_id"]?.scalar(at: $0).description }
    }

    /// Marks the day's items whose facts are no more. Returns how many there were.
    private func retire(allBut present: Set<String>, _ context: RunContext) async throws -> Int {
        var retired = 0
        var after: Item?
        repeat {
            try context.cancellation.check()
            let (items, last) = try await configuration.keyValue.scan(configuration.table, after: after, limit: 500)
            var gone: [KeyValueWrite] = []
            for var item in items
            where item["PriceDate"] == .string(configuration.day) && item["Status"] == .string("active") {
                guard case .string(let identifier)? = item["Id"], !present.contains(identifier) else { continue }
                item["Status"] = .string("inactive")
                item["UpdatedAt"] = .string(Temporal.formatTimestamp(context.clock.now(), hasZone: true))
                gone.append(.put(item))
            }
            for start in stride(from: 0, to: gone.count, by: 25) {
                try await put(Array(gone[start..<min(start + 25, gone.count)]), context)
            }
            retired += gone.count
            after = last
        } while after != nil
        return retired
    }

    /// The facts of the day, and those of the same products and sources that are current no longer; also, when the date
    /// was synced before, what is current instead of a fact that the date has lost.
    private func query(isAgain: Bool) -> String {
        """
        SELECT f.price_id, f.product_id, p.product_name, f.market_price, f.retail_price, f.currency, f.price_date, \
        f.source, f.confidence_score, f.is_current FROM fact_prices f JOIN dim_products p ON p.product_id = f.product_id \
        WHERE f.price_date = '\(configuration.day)' OR (f.is_current = FALSE AND EXISTS (SELECT 1 FROM fact_prices g \
        WHERE g.product_id = f.product_id AND g.source = f.source AND g.price_date = '\(configuration.day)')) \
        \(isAgain ? "OR f.is_current = TRUE" : "") \
        ORDER BY f.price_id
        """
    }

    private static func forEachBatch<S: Source>(
        of source: S, in context: RunContext, _ body: (RecordBatch) async throws -> Void
    ) async throws {
        let schema = try await source.schema(in: context)
        let reader = try await source.openReader(for: schema, from: nil, in: context)
        do {
            var sequence: UInt64 = 0
            while case .chunk(let chunk, _) = try await reader.next() {
                let batch = try reader.decode(chunk, sequence: sequence)
                sequence += 1
                guard batch.rejects.isEmpty else {
                    throw HeadraceError(
                        .malformedInput, "the warehouse holds prices that do not read: \(batch.rejects[0].message)")
                }
                try await body(batch.records)
            }
            await reader.close()
        } catch {
            await reader.close()
            throw error
        }
    }

    /// Writes at most 25 items; those that are there already with the same values are left alone.
    private func write(_ records: RecordBatch, _ context: RunContext) async throws -> WriteCounts {
        var counts = WriteCounts()
        var writes: [KeyValueWrite] = []
        let now = Temporal.formatTimestamp(context.clock.now(), hasZone: true)
        for row in 0..<records.count {
            var item = Self.item(records, row)
            guard let key = item["Id"] else { continue }
            let old = try await configuration.keyValue.get(configuration.table, key: ["Id": key])
            let isCurrent = item["Status"] == .string("active")
            if let old {
                var same = old
                for name in ["CreatedAt", "UpdatedAt"] { same[name] = nil }
                if same == item {
                    counts.unchanged += 1
                    continue
                }
                item["CreatedAt"] = old["CreatedAt"] ?? .string(now)
                counts.updated += 1
            } else if isCurrent {
                item["CreatedAt"] = .string(now)
                counts.inserted += 1
            } else {
                // A price that was never synced and is history already needs no item.
                counts.unchanged += 1
                continue
            }
            item["UpdatedAt"] = .string(now)
            writes.append(.put(item))
        }
        try await put(writes, context)
        return counts
    }

    private func put(_ writes: [KeyValueWrite], _ context: RunContext) async throws {
        var left = writes
        var pause = Duration.milliseconds(50)
        for attempt in 0..<Self.attempts where !left.isEmpty {
            if attempt > 0 {
                context.log.info("items left unprocessed are tried again", [("items", "\(left.count)")])
                try await context.clock.sleep(for: pause * (0.5 + context.random.fraction()))
                pause = min(pause * 2, .seconds(5))
            }
            left = try await configuration.keyValue.batchWrite(configuration.table, left)
        }
        guard left.isEmpty else {
            throw HeadraceError(
                .unexpected, "\(left.count) items were left unprocessed after \(Self.attempts) attempts",
                hint: "the store is throttled: run the sync again by --only sync", retry: .mayHelp)
        }
    }

    /// The item of a fact, times left aside.
    private static func item(_ records: RecordBatch, _ row: Int) -> Item {
        func text(_ column: String) -> String? {
            let value = records[column]?.scalar(at: row) ?? .null
            return value.isNull ? nil : value.description
        }
        func number(_ column: String) -> AttributeValue? {
            switch records[column]?.scalar(at: row) {
            case .decimal(let value)?: .number(value.reduced(toScaleAtLeast: 0).description)
            case .integer(let value)?: .number(value.description)
            default: nil
            }
        }
        let flag = records["is_current"]?.scalar(at: row)
        let isCurrent = flag == .bool(true) || flag == .integer(1)
        let attributes: [String: AttributeValue?] = [
            "Id": text("price_id").map { .string($0) }, "ProductId": text("product_id").map { .string($0) },
            "ProductName": text("product_name").map { .string($0) }, "MarketPrice": number("market_price"),
            "RetailPrice": number("retail_price"), "Currency": text("currency").map { .string($0) },
            "PriceDate": text("price_date").map { .string($0) }, "Source": text("source").map { .string($0) },
            "ConfidenceScore": number("confidence_score"), "Status": .string(isCurrent ? "active" : "inactive"),
        ]
        return attributes.compactMapValues { $0 }
    }
}
