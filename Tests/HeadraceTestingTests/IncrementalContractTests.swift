import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

/// Rows with times, five of each; honestly kept or with one mistake.
private struct Feed: IncrementalSourceHarness {
    let feed: MemoryFeed

    init(_ fault: MemoryFeed.Fault? = nil) {
        feed = MemoryFeed("feed", schema: NamedRows.schema, fault: fault)
        feed.add(NamedRows.rows(0..<40).enumerated().map { ($1, 1 + $0 / 5) })
    }

    func makeSource() throws -> MemoryFeed { feed }
    var expectedSchema: Schema { NamedRows.schema }
    var expectedRows: [[Scalar]] { NamedRows.rows(0..<40) }

    func add(_ ids: Range<Int>) async throws {
        let last = feed.lastTime
        feed.add(NamedRows.rows(ids).enumerated().map { ($1, last + $0) })
    }

    func add(_ others: Range<Int>, whileAdding late: Range<Int>) async throws -> LateRows {
        let (feed, last) = (feed, feed.lastTime)
        feed.add(NamedRows.rows(others).map { ($0, last + 2) })
        return LateRows { feed.add(NamedRows.rows(late).map { ($0, last + 1) }) }
    }
}

struct IncrementalContractTests {
    @Test(arguments: SourceContract<Feed>.checks + SourceContract<Feed>.incrementalChecks)
    private func `an honest feed keeps every promise`(_ check: Check<Feed>) async throws {
        try await check.run(on: Feed())
    }

    @Test(arguments: MemoryFeed.Fault.allCases)
    func `a mistake breaks the promise that speaks of it`(fault: MemoryFeed.Fault) async throws {
        let promise =
            switch fault {
            case .losesBoundary, .repeatsBoundary: "those of one moment too"
            case .losesLateRows: "seen last come once"
            case .forgetsInterruptions: "interrupted is finished"
            case .beginsAnew: "finds nothing new"
            case .remembersRows: "below a kilobyte"
            }
        let check = try #require(SourceContract<Feed>.incrementalChecks.first { $0.promise.contains(promise) })
        await #expect(throws: BrokenPromise.self) { try await check.run(on: Feed(fault)) }
    }
}
