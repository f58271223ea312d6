import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

/// Rows in memory, honestly kept or with one mistake.
private struct MemoryTarget: SinkHarness {
    let sink: MemorySink

    init(_ fault: MemorySink.Fault? = nil) { sink = MemorySink("table", fault: fault) }

    func makeSink() throws -> MemorySink { sink }
    func rows(_ columns: [String]) async throws -> [[String?]] {
        sink.rows.map { row in row.map { $0.isNull ? nil : $0.description } }
    }
    func leftovers() async throws -> [String] { sink.openWriters == 0 ? [] : ["\(sink.openWriters) open writers"] }
}

/// A table in memory that is written by key, honest or with one mistake.
private struct KeyedTarget: SinkHarness {
    let table: MemoryTable

    init(_ fault: MemoryTable.Fault? = nil) { table = MemoryTable("table", fault: fault) }

    func makeSink() throws -> MemoryTable { table }
    func rows(_ columns: [String]) async throws -> [[String?]] {
        table.rows(columns).map { row in row.map { $0.isNull ? nil : $0.description } }
    }
    func leftovers() async throws -> [String] { table.leftovers }
}

/// A gap that is declared although the sink keeps the promise.
private struct ModestTable: SinkHarness {
    let table = MemoryTarget()

    func makeSink() throws -> MemorySink { table.sink }
    func rows(_ columns: [String]) async throws -> [[String?]] { try await table.rows(columns) }
    static var gaps: [String: String] { ["append: a second load adds to the first": "never tried"] }
}

struct SinkContractTests {
    @Test(arguments: SinkContract<MemoryTarget>.checks)
    private func `an honest sink keeps every promise`(_ check: Check<MemoryTarget>) async throws {
        try await check.run(on: MemoryTarget())
    }

    @Test(
        arguments: [
            (.dropsRows, "rows show at the commit"), (.showsEarly, "rows show at the commit"),
            (.showsEarly, "an aborted load"), (.failsWriting(batch: 1), "rows show at the commit"),
            (.refuses(.integer(5)), "rows show at the commit"), (.failsAfterCommit, "rows show at the commit"),
            (.commitsCheckpointFirst, "fails at any point"),
            (.commitsRowsFirst, "append: a load that fails at any point"),
            (.forgetsFences, "lost its lease"), (.keepsOldRows, "takes the place of the first"),
            (.leaksWriters, "an aborted load"), (.emptiesEarly, "replace: what an aborted load wrote"),
            (.doublesRows, "rows show at the commit"),
        ] as [(MemorySink.Fault, String)])
    func `a mistake breaks the promise that speaks of it`(fault: MemorySink.Fault, promise: String) async throws {
        let checks = SinkContract<MemoryTarget>.checks.filter { $0.promise.contains(promise) }
        #expect(!checks.isEmpty)
        for check in checks {
            await #expect(throws: (any Error).self, "\(check)") { try await check.run(on: MemoryTarget(fault)) }
        }
    }

    @Test(arguments: SinkContract<KeyedTarget>.checks)
    private func `an honest table keeps every promise of the modes by key`(_ check: Check<KeyedTarget>) async throws {
        try await check.run(on: KeyedTarget())
    }

    @Test(arguments: MemoryTable.Fault.allCases)
    func `a mistake of a mode breaks a promise that speaks of it`(fault: MemoryTable.Fault) async throws {
        let promises =
            switch fault {
            case .leavesOldValues, .countsUnchangedAsUpdated: ["upsert: rows are inserted, updated and left"]
            case .overwritesInserted: ["insert: rows whose key is there stay", "insert: of rows with one key"]
            case .deletesNothing, .countsNoDeletion:
                ["mirror: rows that the load does not have", "mirror: random loads"]
            case .deletesEarly: ["mirror: rows that the load does not have", "mirror: an aborted load deletes nothing"]
            case .forgetsSeenKeys: ["mirror: a load that goes on knows", "mirror: random loads"]
            case .leavesSeenKeys: ["mirror: rows that the load does not have", "mirror: random loads"]
            case .beginsEqualVersions, .leavesVersionsOpen, .marksAllCurrent:
                ["history: a row that differs", "history: random changes"]
            case .ignoresTimes: ["history: random changes"]
            }
        for promise in promises {
            let checks = SinkContract<KeyedTarget>.checks.filter { $0.promise.contains(promise) }
            #expect(!checks.isEmpty, "\(promise)")
            var broken = 0
            for check in checks {
                do { try await check.run(on: KeyedTarget(fault)) } catch { broken += 1 }
            }
            // One of several seeds is enough.
            #expect(broken > 0, "\(fault) does not break \(promise)")
        }
    }

    @Test func `a declared gap that has closed is an error`() async throws {
        let gap = try #require(SinkContract<ModestTable>.checks.first { ModestTable.gaps[$0.promise] != nil })
        let error = await #expect(throws: BrokenPromise.self) { try await gap.run(on: ModestTable()) }
        #expect(error?.description.contains("never tried") == true)
    }
}
