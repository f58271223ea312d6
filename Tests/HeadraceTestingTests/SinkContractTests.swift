import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

/// A table in memory, honest or with one mistake.
private struct MemoryTable: SinkHarness {
    let sink: MemorySink

    init(_ fault: MemorySink.Fault? = nil) { sink = MemorySink("table", fault: fault) }

    func makeSink() throws -> MemorySink { sink }
    func rows(_ columns: [String]) async throws -> [[String?]] {
        sink.rows.map { row in row.map { $0.isNull ? nil : $0.description } }
    }
    func leftovers() async throws -> [String] { sink.openWriters == 0 ? [] : ["\(sink.openWriters) open writers"] }
}

/// A gap that is declared although the sink keeps the promise.
private struct ModestTable: SinkHarness {
    let table = MemoryTable()

    func makeSink() throws -> MemorySink { table.sink }
    func rows(_ columns: [String]) async throws -> [[String?]] { try await table.rows(columns) }
    static var gaps: [String: String] { ["append: a second load adds to the first": "never tried"] }
}

struct SinkContractTests {
    @Test(arguments: SinkContract<MemoryTable>.checks)
    private func `an honest sink keeps every promise`(_ check: Check<MemoryTable>) async throws {
        try await check.run(on: MemoryTable())
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
        let checks = SinkContract<MemoryTable>.checks.filter { $0.promise.contains(promise) }
        #expect(!checks.isEmpty)
        for check in checks {
            await #expect(throws: (any Error).self, "\(check)") { try await check.run(on: MemoryTable(fault)) }
        }
    }

    @Test func `a declared gap that has closed is an error`() async throws {
        let gap = try #require(SinkContract<ModestTable>.checks.first { ModestTable.gaps[$0.promise] != nil })
        let error = await #expect(throws: BrokenPromise.self) { try await gap.run(on: ModestTable()) }
        #expect(error?.description.contains("never tried") == true)
    }
}
