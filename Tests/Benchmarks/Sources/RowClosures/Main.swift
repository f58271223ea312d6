import Headrace
import HeadraceTesting

/// Nanoseconds a row of steps with a Swift closure, by the engine's own clock around each step, beside expressions that do
/// the same. One worker; the best of several runs, because a loaded machine only ever adds.
///
///     swift run -c release --package-path Tests/Benchmarks --scratch-path .build/benchmarks RowClosures [ROWS] [RUNS]
@main struct RowClosures {
    enum Shop {
        static let price = Column<DecimalValue>("price")
        static let quantity = Column<Int64>("quantity")
        static let name = Column<String>("name")
        static let double = Column<Int64>("double")
        static let total = Column<DecimalValue>("total")
        static let copy = Column<String>("copy")
    }

    static func records(_ count: Int) throws -> RecordBatch {
        let price = PrimitiveBuilder<Int64>(.decimal(precision: 12, scale: 2), capacity: count)
        let quantity = PrimitiveBuilder<Int64>(.int64, capacity: count)
        let name = BytesBuilder(.utf8, capacity: count)
        for row in 0..<count {
            if row % 50 == 7 { price.appendNull() } else { price.append(Int64(row &* 7919 % 100_000)) }
            quantity.append(Int64(row % 64))
            name.append("Compact Steel Keyboard \(row % 997)")
        }
        let fields = [
            Field("price", .decimal(precision: 12, scale: 2)), Field("quantity", .int64, nullable: false),
            Field("name", .utf8),
        ]
        return RecordBatch(
            schema: Schema(fields), columns: [price.finish(), quantity.finish(), name.finish()], count: count)
    }

    /// What is measured: each takes the rows and has one step of interest.
    static let cases: [(name: String, make: @Sendable (Pipeline) -> Pipeline)] = [
        ("filter: expression, one column", { $0.filter(Shop.quantity < 32, step: "it") }),
        (
            "filter: closure, one filled integer",
            {
                $0.filter(step: "it") { columns in
                    let quantity = try columns.readFilled(Shop.quantity)
                    return { row in row[quantity] < 32 }
                }
            }
        ),
        (
            "filter: closure, integer and nullable decimal",
            {
                $0.filter(step: "it") { columns in
                    let quantity = try columns.read(Shop.quantity)
                    let price = try columns.read(Shop.price)
                    return { row in
                        guard let price = row[price], let quantity = row[quantity] else { return false }
                        return price.coefficient > 5_000 && quantity < 32
                    }
                }
            }
        ),
        (
            "filter: closure, text prefix",
            {
                $0.filter(step: "it") { columns in
                    let name = try columns.read(Shop.name)
                    return { row in row[name]?.hasPrefix("Compact") == true }
                }
            }
        ),
        (
            "map: closure, integer to integer, all kept",
            {
                $0.map(step: "it") { columns in
                    let quantity = try columns.read(Shop.quantity)
                    columns.keepAll()
                    let double = columns.write(Shop.double)
                    return { row, out in
                        if let quantity = row[quantity] { out.set(double, quantity &* 2) }
                    }
                }
            }
        ),
        (
            "map: closure, decimal product, all kept",
            {
                $0.map(step: "it") { columns in
                    let price = try columns.read(Shop.price)
                    let quantity = try columns.read(Shop.quantity)
                    columns.keepAll()
                    let total = try columns.write(Shop.total, precision: 14, scale: 2)
                    return { row, out in
                        guard let price = row[price], let quantity = row[quantity] else { return }
                        out.set(total, price.multiplied(by: DecimalValue(Int(quantity))))
                    }
                }
            }
        ),
        (
            "map: closure, text copied",
            {
                $0.map(step: "it") { columns in
                    let name = try columns.read(Shop.name)
                    let copy = columns.write(Shop.copy)
                    return { row, out in out.set(copy, row[name]) }
                }
            }
        ),
        (
            "flatMap: closure, two rows of each, one column kept",
            {
                $0.flatMap(step: "it") { columns in
                    let quantity = try columns.read(Shop.quantity)
                    try columns.keep("name")
                    let double = columns.write(Shop.double)
                    return { row, out in
                        for factor: Int64 in 1...2 {
                            if let quantity = row[quantity] { out.set(double, quantity &* factor) }
                            out.emit()
                        }
                    }
                }
            }
        ),
    ]

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst().map { Int($0) }
        let rows = (arguments.first ?? nil) ?? 1_000_000
        let runs = (arguments.dropFirst().first ?? nil) ?? 5
        let source = MemorySource("rows", try records(rows), chunkSize: 4096)
        for (name, make) in cases {
            var best = Double.infinity
            for _ in 0..<runs {
                // Nothing reaches the sink, which is not measured.
                let pipeline = make(Pipeline("bench", from: source)).filter(Expr<Bool>.literal(false), step: "drop")
                let options = RunOptions(scheduling: .threaded(workers: 1))
                let report = try await JobRunner(ledger: MemoryLedger(), options: options)
                    .run(Job("bench", pipeline.loading(into: MemorySink("none"), mode: .append)))
                guard let account = report.accounts.first(where: { $0.step == "it" }), account.input == rows else {
                    fatalError("the step has no account of \(rows) rows: \(report.accounts)")
                }
                best = min(best, Double(account.nanoseconds) / Double(rows))
            }
            let tenths = Int((best * 10).rounded())
            print("\(name): \(tenths / 10).\(tenths % 10) ns a row")
        }
    }
}
