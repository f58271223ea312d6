import Headrace
import HeadraceMySQL
import HeadracePostgreSQL
import HeadraceTesting

/// Reads one table of a server to its end into typed columns, with the account and the rejects of any run, and drops the rows: what a
/// hand-written loop over the same table is held against. Whole processes are timed, from outside.
///
///     swift run -c release --package-path Tests/Benchmarks --scratch-path .build/benchmarks DatabaseReads URL TABLE
@main struct DatabaseReads {
    static func main() async throws {
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 2, let url = words.first, let table = words.last else {
            fatalError("usage: DatabaseReads URL TABLE")
        }
        let pipeline =
            url.hasPrefix("mysql")
            ? try Pipeline("read", from: .mySQL(MySQLConfiguration(url), table: table))
            : try Pipeline("read", from: .postgreSQL(PostgreSQLConfiguration(url), table: table))
        // Nothing reaches the sink, which is not measured.
        let nothing = pipeline.filter(Expr<Bool>.literal(false), step: "drop")
        let report = try await JobRunner(ledger: MemoryLedger())
            .run(Job("read", nothing.loading(into: MemorySink("none"), mode: .append)))
        guard let read = report.accounts.first else { fatalError("the run has no account") }
        print("\(read.output) rows, \(read.rejected) rejects")
    }
}
