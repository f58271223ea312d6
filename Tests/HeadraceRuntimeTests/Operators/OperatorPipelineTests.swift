import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Testing

extension OperatorTests {
    @Suite struct OperatorPipelineTests {
        static let sales = Schema([
            Field("sale", .int64, nullable: false), Field("product", .utf8), Field("day", .date32),
            Field("price", .decimal(precision: 12, scale: 2)),
        ])
        static let products = Schema([Field("code", .utf8), Field("category", .utf8)])

        /// Every operator after the other, as a job would chain them.
        static func job(_ sales: RecordBatch, _ products: RecordBatch, into sink: MemorySink) -> Job {
            Job(
                "report",
                Pipeline("sales", from: MemorySource("sales", sales))
                    .distinct(
                        on: "sale", order: [.descending("day")], others: .rejected(rule: "one row a sale"),
                        step: "deduplicate"
                    )
                    .join(
                        Pipeline("products", from: MemorySource("products", products)), .left,
                        on: [("product", "code")], rightIsUnique: true, step: "categorize"
                    )
                    .window(
                        partition: ["product"], order: [.ascending("day")],
                        columns: [("previous", .lag(column: "price", offset: 1))], step: "trend"
                    )
                    .aggregate(
                        by: "category", "day",
                        computing: [
                            .init("sales", .count), .init("total", .sum, "price"),
                            .init("mean", .mean(scale: 2), "previous"), .init("products", .countDistinct, "product"),
                        ], step: "group"
                    )
                    .sorted(by: .ascending("day"), .descending("category"), limit: 20, step: "top")
                    .loading(into: sink, mode: .append))
        }

        static func inputs() throws -> (sales: RecordBatch, products: RecordBatch) {
            var maker = RandomRows(seed: 77)
            let sales = maker.rows(sales, count: 900, kinds: [100, 30, 12, 50])
            let products = maker.rows(products, count: 25, kinds: [30, 4])
            return (
                try #require(RecordBatch(schema: Self.sales, rows: sales.map(\.values))),
                try #require(RecordBatch(schema: Self.products, rows: products.map(\.values)))
            )
        }

        @Test(
            "a chain of all operators gives the same rows, rejects and accounts on any number of workers, stepped or not",
            arguments: [1 << 30, 30_000])
        func chain(memory: Int) async throws {
            let (sales, products) = try Self.inputs()
            var first: (rows: [[Scalar]], rejects: Set<String>, accounts: [String])?
            for scheduling in [
                Scheduling.threaded(workers: 1), .threaded(workers: 2), .threaded(workers: 5),
                .stepped(seed: 3, workers: 3),
            ] {
                let sink = MemorySink("out")
                let ledger = MemoryLedger()
                let report = try await JobRunner(
                    ledger: ledger,
                    options: RunOptions(
                        scheduling: scheduling, memoryLimit: memory, allowedRejects: .rows(1000))
                ).run(Self.job(sales, products, into: sink))
                #expect(report.state == .complete)
                #expect(report.accounts.allSatisfy { $0.isBalanced })
                let rejects = await ledger.rejects(of: report.run, after: 0, limit: 10_000)
                let texts = Set(rejects.map { "\($0.reject.step): \($0.reject.place) \($0.reject.message)" })
                let accounts = report.accounts.map {
                    "\($0.step) \($0.input) \($0.added) \($0.output) \($0.rejected) \($0.filtered) \($0.merged)"
                }
                if let first {
                    #expect(sink.rows == first.rows)
                    #expect(texts == first.rejects)
                    #expect(accounts.sorted() == first.accounts)
                } else {
                    #expect(sink.rows.count == 20)
                    #expect(texts.contains { $0.hasPrefix("deduplicate: ") })
                    #expect(texts.contains { $0.hasPrefix("categorize: ") })
                    first = (sink.rows, texts, accounts.sorted())
                }
            }
        }
    }
}
