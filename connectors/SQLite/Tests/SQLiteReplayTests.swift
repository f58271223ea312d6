import HeadraceColumnar
import HeadraceCore
import HeadraceRuntime
import HeadraceTesting
import Testing

@testable import HeadraceSQLite

private struct StandingClock: RunClock {
    let days: Int64
    func now() -> Int64 { days * 86_400_000_000 }
    func monotonic() -> Int64 { 0 }
    func sleep(for duration: Duration) async throws {}
}

@Suite struct SQLiteReplayTests {
    @Test(
        "A replay of what an undated history refused dates it by the run that refused it: newer versions stay the newer ones",
        arguments: ["TIMESTAMPTZ", "TIMESTAMP", "DATE"])
    func undatedHistory(type: String) async throws {
        let bench = try Workbench()
        try bench.sqlite(
            """
            CREATE TABLE people (id BIGINT, name TEXT CHECK (name <> 'Bob'), valid_from \(type), valid_to \(type), is_current BOOLEAN);
            CREATE UNIQUE INDEX k ON people (id, valid_from)
            """)
        let schema = Schema([Field("id", .int64, nullable: false), Field("name", .utf8)])
        let ledger = try await SQLiteLedger.open(at: bench.folder + "/ledger.db")
        func load(_ name: String) throws -> Load {
            let rows = try RecordBatch.of(schema, [[.integer(1), .utf8(name)]])
            return Load(
                "load",
                [
                    Load.Output(
                        relation: .scan(step: "read", MemorySource("rows of \(name)", rows)),
                        sink: try bench.makePeople(),
                        mode: .history(on: ["id"], HistoryColumns()))
                ])
        }
        func run(_ name: String, day: Int64) async throws -> RunReport {
            let options = RunOptions(clock: StandingClock(days: day), allowedRejects: .unlimited)
            return try await JobRunner(ledger: ledger, options: options).run(Job("load \(name)", try load(name)))
        }
        _ = try await run("Ann", day: 1)
        let refused = try await run("Bob", day: 2)
        #expect(refused.rejected == 1)
        _ = try await run("Rob", day: 3)
        let word = try bench.sqlite("SELECT sql FROM sqlite_schema WHERE name = 'people'", mode: "-list")
        #expect(word.count == 1)
        try bench.sqlite(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'Bob', 'Bert') WHERE name = 'people'"
        )
        let record = try #require(try await ledger.run(refused.run))
        let options = RunOptions(clock: StandingClock(days: 4), allowedRejects: .rows(0))
        let report = try await Replay(of: record, through: try load("Bob"), ledger: ledger).perform(with: options)
        #expect(report.state == .complete && report.rejected == 0)
        let days = try bench.sqlite(
            "SELECT name, substr(valid_from, 1, 10), substr(valid_to, 1, 10), is_current FROM people ORDER BY 2",
            mode: "-list")
        #expect(
            days == [
                "Ann|1970-01-02|1970-01-03|0", "Bob|1970-01-03|1970-01-04|0", "Rob|1970-01-04||1",
            ])
        #expect(try await ledger.openRejects(of: refused.run).isEmpty)
        await ledger.close()
    }
}
