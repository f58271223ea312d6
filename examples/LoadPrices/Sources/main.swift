import Headrace
import HeadraceCSV
import HeadraceCurrency
import HeadraceDeduplication
import HeadraceSQLite
import HeadraceValidation

// What README.md shows begins here.
let usd = Column<DecimalValue>("usd")
let rates = try RateTable.fixed(base: "USD", ["EUR": 1.10, "GBP": 1.28, "JPY": 0.0067])
let schema = Schema([
    Field("product_name", .utf8), Field("price", .decimal(precision: 12, scale: 2)), Field("currency", .utf8),
    Field("source", .utf8), Field("scraped_date", .date32),
])

let load = try Pipeline("prices", from: .csv(at: "prices.csv", schema: schema))
    .through(.validate(.required("product_name"), .notNull("price"), .greater("price", than: 0)))
    .through(.deduplicate(on: "product_name", "source", keeping: .latest("scraped_date")))
    .through(
        .convertCurrency("price", from: "currency", to: .usd, rates: rates, on: .column("scraped_date"), into: "usd")
    )
    .filter(usd < 50_000)
    .loading(into: .sqlite(path: "warehouse.db", table: "prices"), mode: .upsert(on: "product_name", "source"))

let ledger = try await SQLiteLedger.open(at: "ledger.db")
let report = try await JobRunner(ledger: ledger).run(Job("load-prices", load))
// What README.md shows ends here.

for account in report.accounts {
    print(
        "\(account.step): \(account.input) in, \(account.output) out, \(account.rejected) rejected, "
            + "\(account.filtered) filtered, \(account.merged) merged")
}
for record in try await ledger.openRejects(of: report.run) {
    print("refused: line \(record.reject.place.line ?? 0): \(record.reject.messageWithValue)")
}
print("\(report.state.rawValue)")
await ledger.close()
