import HeadraceColumnar
public import HeadraceCore

/// What a sink's checks need: a target of its own for each check, not there at first, and a client that is not the
/// connector's.
public protocol SinkHarness: Sendable {
    /// The sink under test.
    associatedtype Subject: Sink
    /// A sink into the target, made anew for each load, as each run does.
    func makeSink() throws -> Subject
    /// The target's rows as another program reads them: texts, nil for null, in any order; none when there is no target.
    func rows(_ columns: [String]) async throws -> [[String?]]
    /// What writers have left behind besides the target: temporary tables and files, open connections. Nothing, unless told.
    func leftovers() async throws -> [String]
    /// What is under test, as a table of promises calls it; the name of the harness's module, unless told.
    static var connector: String { get }
    /// Promises that this sink does not keep, by the check's sentence, each with the reason. A gap that has closed is an
    /// error. None, unless told.
    static var gaps: [String: String] { get }
}

extension SinkHarness {
    public func leftovers() async throws -> [String] { [] }
    public static var connector: String { PromiseLog.name(of: Self.self) }
    public static var gaps: [String: String] { [:] }
}

/// What the engine demands of every sink.
public enum SinkContract<Harness: SinkHarness> {
    /// The checks of a sink of this type: those that its protocols claim, and those that hold for all.
    public static var checks: [Check<Harness>] {
        let checks = modes.flatMap(checks(of:)) + particular + ofModes
        return Check.declaring(Harness.gaps, in: checks, among: checks.map(\.promise))
    }

    /// The modes that the sink's type claims.
    static var modes: [SinkMode] {
        var modes: [SinkMode] = []
        if Harness.Subject.self is any AppendingSink.Type { modes.append(.append) }
        if Harness.Subject.self is any ReplacingSink.Type { modes.append(.replace) }
        if Harness.Subject.self is any UpsertingSink.Type { modes.append(.upsert(on: ["id"])) }
        if Harness.Subject.self is any InsertingSink.Type { modes.append(.insert(on: ["id"])) }
        if Harness.Subject.self is any MirroringSink.Type { modes.append(.mirror(on: ["id"])) }
        if Harness.Subject.self is any HistorySink.Type { modes.append(.history(on: ["id"], HistoryColumns())) }
        return modes
    }

    private static func checks(of mode: SinkMode) -> [Check<Harness>] {
        [
            Check("\(mode.name): rows show at the commit, each once, and not before") {
                try await showsAtCommit($0, $1, mode)
            },
            Check("\(mode.name): what an aborted load wrote is gone, and what was there stays") {
                try await aborts($0, $1, mode)
            },
            Check("\(mode.name): a load without rows commits") { try await loadsNothing($0, $1, mode) },
            Check("\(mode.name): a plan changes nothing") { try await plans($0, $1, mode) },
            Check("\(mode.name): names and values that look like SQL are names and values") {
                try await keepsNamesApart($0, $1, mode)
            },
            Check("\(mode.name): a load that fails at any point and runs again leaves each row once") {
                try await survivesFaults($0, $1, mode)
            },
        ]
    }

    private static var particular: [Check<Harness>] {
        var checks: [Check<Harness>] = []
        if Harness.Subject.self is any AppendingSink.Type {
            checks.append(Check("append: a second load adds to the first", appendsTwice))
            checks.append(Check("append: every epoch shows at its own commit, with its checkpoint", commitsEpochs))
            checks.append(Check("append: a run that has lost its lease is refused", fences))
        }
        if Harness.Subject.self is any ReplacingSink.Type {
            checks.append(Check("replace: a second load takes the place of the first", replacesTwice))
        }
        if Harness.Subject.self is any UpsertingSink.Type {
            checks.append(Check("upsert: rows are inserted, updated and left, and counted so", upserts))
            checks.append(Check("upsert: of rows with one key the last stands", upsertsLast))
        }
        if Harness.Subject.self is any InsertingSink.Type {
            checks.append(Check("insert: rows whose key is there stay as they are, and are counted so", inserts))
        }
        return checks
    }

    // MARK: - Rows

    static var schema: Schema { NamedRows.schema }

    static func batch(_ ids: Range<Int>, named name: String = "name") throws -> RecordBatch {
        try .of(schema, NamedRows.rows(ids, named: name))
    }

    static func texts(_ ids: Range<Int>, named name: String = "name") -> Set<[String?]> {
        NamedRows.texts(ids, named: name)
    }

    /// Fails unless the target holds just `expected`, each row once.
    static func expectRows(
        _ expected: Set<[String?]>, _ when: String, in harness: Harness, _ expect: Expectations
    ) async throws {
        let found = try await harness.rows(schema.names)
        try expect.equal("the number of rows \(when)", found.count, expected.count)
        let strays = Set(found).symmetricDifference(expected)
        try expect.equal("rows \(when) that are missing or should not be there", strays, [])
    }
}
