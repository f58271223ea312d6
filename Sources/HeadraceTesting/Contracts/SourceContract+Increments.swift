public import HeadraceColumnar
public import HeadraceCore

/// What the checks of an incremental source need besides: rows that come while they run.
///
/// A harness that conforms has `SourceContract.incrementalChecks`.
public protocol IncrementalSourceHarness: SourceHarness where Subject: IncrementalSource {
    /// Adds rows with these keys, as another program does: they can be seen when the call returns.
    ///
    /// Where several rows can have one place in the source's order, as in one second, the first of them has that of the last row
    /// that is there.
    func add(_ ids: Range<Int>) async throws
    /// Adds the rows `others`, while the rows `late`, which began to be added before them and come before them in the source's
    /// order, cannot be seen yet: in a transaction that is still open, in a line that has no end.
    ///
    /// A system in which nothing can come between may add `others` first.
    func add(_ others: Range<Int>, whileAdding late: Range<Int>) async throws -> LateRows
    /// The rows with these keys, as the source must give them.
    func rows(_ ids: Range<Int>) -> [[Scalar]]
}

/// Rows that were added and cannot be seen yet.
public struct LateRows: Sendable {
    private let end: @Sendable () async throws -> Void

    /// - Parameter end: lets the rows be seen: commits them, or ends their line.
    public init(end: @escaping @Sendable () async throws -> Void) { self.end = end }

    /// Lets them be seen.
    func appear() async throws { try await end() }
}

extension IncrementalSourceHarness {
    /// Those of `NamedRows`.
    public func rows(_ ids: Range<Int>) -> [[Scalar]] { NamedRows.rows(ids) }
}

extension SourceContract where Harness: IncrementalSourceHarness {
    /// The checks of a source whose next run reads on from the end of the last; beside `checks`.
    ///
    /// Each reads as runs of a job do: from the last position that the reading before gave, or from its own where that gave none.
    public static var incrementalChecks: [Check<Harness>] {
        Check.declaring(Harness.gaps, in: increasing, among: increasing.map(\.promise) + Array(Harness.gaps.keys))
    }

    static var increasing: [Check<Harness>] {
        [
            Check("A reading gives what came since the one before, each row once, those of one moment too", increments),
            Check("A reading that finds nothing new changes nothing", findsNothing),
            Check("Rows that are added first and seen last come once", takesLateRows),
            Check("A reading that was interrupted is finished after rows came, each once", finishesLater),
            Check("The position stays below a kilobyte, however much was read", staysSmall),
        ]
    }

    /// Runs of a job: each begins where the one before ended.
    private struct Runs {
        let harness: Harness
        let expect: Expectations
        var position: Position?
        /// All rows so far.
        var rows: [[Scalar]] = []

        /// Reads to the end, or some chunks only.
        @discardableResult
        mutating func read(chunks: Int = .max) async throws -> [[Scalar]] {
            let read = try await harness.makeSource().readAll(from: position, chunks: chunks)
            position = read.positions.last ?? position
            rows += read.batches.rows
            return read.batches.rows
        }

        /// Fails unless all rows so far, or those found, are just the expected ones.
        func check(_ expected: [[Scalar]], _ subject: String, found: [[Scalar]]? = nil) throws {
            let (found, expected) = (counted(found ?? rows), counted(expected))
            let strange = found.filter { expected[$0.key] != $0.value }.map { "\($0.key) \($0.value) times" }
            let missing = expected.keys.filter { found[$0] == nil }
            try expect.equal("\(subject): rows that should not be there", strange, [])
            try expect.equal("\(subject): rows that are missing", missing, [])
        }
    }

    private static func increments(_ harness: Harness, _ expect: Expectations) async throws {
        var runs = Runs(harness: harness, expect: expect)
        try await runs.read()
        try runs.check(harness.expectedRows, "the first reading")
        for (number, ids) in [100_000..<100_003, 100_003..<100_004, 100_004..<100_104].enumerated() {
            try await harness.add(ids)
            try runs.check(harness.rows(ids), "reading \(number + 2)", found: try await runs.read())
        }
        // More comes before the next reading than one addition.
        for id in 100_104..<100_108 { try await harness.add(id..<id + 1) }
        try runs.check(harness.rows(100_104..<100_108), "the last reading", found: try await runs.read())
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    private static func findsNothing(_ harness: Harness, _ expect: Expectations) async throws {
        var runs = Runs(harness: harness, expect: expect)
        try await runs.read()
        for number in 2...3 { try expect.equal("the rows of reading \(number)", try await runs.read(), []) }
        try await harness.add(100_000..<100_005)
        try runs.check(harness.rows(100_000..<100_005), "the next reading", found: try await runs.read())
        try expect.equal("the rows of the last reading", try await runs.read(), [])
    }

    private static func takesLateRows(_ harness: Harness, _ expect: Expectations) async throws {
        var runs = Runs(harness: harness, expect: expect)
        try await runs.read()
        let late = try await harness.add(100_010..<100_015, whileAdding: 100_000..<100_003)
        try await runs.read()
        try runs.check(
            runs.rows.filter { !harness.rows(100_000..<100_003).contains($0) }, "rows that nobody can see yet")
        try await late.appear()
        try await runs.read()
        try await harness.add(100_015..<100_016)
        try await runs.read()
        let came = harness.rows(100_000..<100_003) + harness.rows(100_010..<100_016)
        try runs.check(harness.expectedRows + came, "all readings together")
    }

    private static func finishesLater(_ harness: Harness, _ expect: Expectations) async throws {
        for chunks in 1...2 {
            let added = 100_000 + chunks * 100..<100_000 + chunks * 100 + 20
            var runs = Runs(harness: harness, expect: expect)
            try await runs.read(chunks: chunks)
            let there = harness.expectedRows + (chunks == 1 ? [] : harness.rows(100_100..<100_120))
            try await harness.add(added)
            try await runs.read()
            try await runs.read()
            try runs.check(there + harness.rows(added), "readings of which one was cut after \(chunks) chunks")
        }
        try expect.equal("what is left", try await harness.leftovers(), [])
    }

    private static func staysSmall(_ harness: Harness, _ expect: Expectations) async throws {
        var runs = Runs(harness: harness, expect: expect)
        for _ in 0..<3 {
            try await runs.read()
            let bytes = runs.position?.value.compactText.utf8.count ?? 0
            guard (1...1024).contains(bytes) else {
                throw expect.broken("the position in bytes", expected: "1 to 1024", found: "\(bytes)")
            }
            let begin = 100_000 + runs.rows.count
            try await harness.add(begin..<begin + 50)
        }
    }
}
