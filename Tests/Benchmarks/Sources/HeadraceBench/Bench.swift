import Glibc
import Headrace
import HeadraceCSV
import HeadraceCurrency
import HeadraceDeduplication
import HeadraceJSON
import HeadraceSQLite
import HeadraceText
import Synchronization

/// The workloads. Every one is a whole job: lease, ledger on disk, accounts of rows, rejects kept.
struct Bench: Sendable {
    let threads: Int
    let memoryLimit: Int

    // MARK: - Workloads

    func parse(_ path: String) async throws -> [(String, String)] {
        try await read(.csv(at: path, schema: Prices.schema), keepsRows: false)
    }

    func table(_ path: String) async throws -> [(String, String)] {
        try await read(.csv(at: path, schema: Prices.schema), keepsRows: true)
    }

    func ndjson(_ path: String) async throws -> [(String, String)] {
        try await read(.ndjson(at: path, schema: Prices.schema), keepsRows: false)
    }

    private func read(_ source: some Source, keepsRows: Bool) async throws -> [(String, String)] {
        let sink = DigestSink(keepsRows: keepsRows)
        let report = try await run(Pipeline("prices", from: source).loading(into: sink, mode: .append))
        return sink.digest.lines + (keepsRows ? [("kept rows", "\(sink.keptRows)")] : []) + rejected(report)
    }

    func write(_ path: String, into target: String) async throws -> [(String, String)] {
        let pipeline = Pipeline("prices", from: .csv(at: path, schema: Prices.schema))
        let report = try await run(pipeline.loading(into: .csv(at: target), mode: .replace))
        return [("rows", "\(report.accounts.last?.output ?? 0)")] + rejected(report)
    }

    func sqlite(_ path: String, into target: String) async throws -> [(String, String)] {
        let pipeline = Pipeline("prices", from: .csv(at: path, schema: Prices.schema))
        let report = try await run(pipeline.loading(into: .sqlite(path: target, table: "prices"), mode: .append))
        return [("rows", "\(report.accounts.last?.output ?? 0)")] + rejected(report)
    }

    /// The transform of the daily job: what the peers do in SQL or data frames.
    func transform(_ path: String, into target: String) async throws -> [(String, String)] {
        let rates = try RateTable.fixed(base: "USD", ["EUR": 1.0837, "GBP": 1.2712, "JPY": 0.0067])
        let flagged = TrueCount()
        let pipeline = try Pipeline("prices", from: .csv(at: path, schema: Prices.needed))
            .filter(Prices.price > 0 && Prices.name.isNotNull && Prices.currency.isNotNull, step: "keep")
            .derive((Prices.price > 50_000).named("flag"), step: "flag")
            .through(CountTrue("flag", into: flagged))
            .through(.deduplicate(on: "product_name", "price", "source", keeping: .latest("scraped_date")))
            .through(
                CurrencyConversion(
                    "price", from: "currency", to: .usd, rates: rates, on: .fixed(0), into: "usd", audit: nil)
            )
            .through(.normalizeText("product_name", .collapseWhitespace, .uppercase))
            .aggregate(
                by: "product_name", "source",
                computing: [.init("avg", .mean(scale: 4), "usd"), .init("max", .maximum, "usd"), .init("n", .count)])
        let report = try await run(pipeline.loading(into: .csv(at: target), mode: .replace))
        func output(_ step: String) -> String {
            "\(report.accounts.first { $0.step == step }?.output ?? 0)"
        }
        return [
            ("kept", output("keep")), ("flagged", "\(flagged.value)"), ("unique", output("deduplicate")),
            ("groups", output("aggregate")),
        ] + rejected(report)
    }

    private func rejected(_ report: RunReport) -> [(String, String)] { [("rejected", "\(report.rejected)")] }

    // MARK: - Runs

    /// Runs a load as a job of its own with a ledger on disk.
    func run(_ load: Load, progress: any ProgressReporter = LatestProgress()) async throws -> RunReport {
        var template = Array("\(Self.temporaryFolder)/headrace-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw HeadraceError(.inputOutput, "no folder for the ledger can be made in \(Self.temporaryFolder)")
        }
        let folder = String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer {
            for end in ["", "-wal", "-shm"] { unlink("\(folder)/ledger.db\(end)") }
            rmdir(folder)
        }
        let ledger = try await SQLiteLedger.open(at: "\(folder)/ledger.db")
        let options = RunOptions(
            scheduling: .threaded(workers: threads), memoryLimit: memoryLimit, temporaryFolder: Self.temporaryFolder,
            progress: progress)
        do {
            let report = try await JobRunner(ledger: ledger, options: options).run(Job("bench", load))
            await ledger.close()
            return report
        } catch {
            await ledger.close()
            throw error
        }
    }

    private static var temporaryFolder: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }
}

/// Remembers the last event, as a progress display does.
final class LatestProgress: ProgressReporter {
    private let last = Mutex<ProgressEvent?>(nil)
    func report(_ event: ProgressEvent) { last.withLock { $0 = event } }
}
