import HeadraceCore

/// The interrupted runs of a job that a run goes on after, or puts aside.
struct Lineage: Sendable {
    /// The run that began the work, whose checkpoints are taken up; the run itself when it begins afresh.
    let origin: String
    /// Where work began that a later run put aside to begin afresh. What it appended is there all the same.
    let left: [String]
    /// Whether this run itself begins afresh after an interrupted one.
    let isRestart: Bool
    /// The interrupted runs that came before, newest first.
    private let chain: [String]

    /// A run after nothing that would have to be resumed.
    init(beginning run: String) {
        origin = run
        left = []
        isRestart = false
        chain = []
    }

    /// A run after the interrupted run `last`: it goes on with its work, or begins afresh.
    init(_ run: String, after last: RunRecord, restarts: Bool, in ledger: any LedgerStore) async throws {
        let began = Self.origin(of: last)
        var before: [String] = []
        if case .array(let runs)? = last.parameters["restarts"] { before = runs.compactMap(\.stringValue) }
        var runs: [String] = []
        var next: RunRecord? = last
        while let record = next, !runs.contains(record.identifier) {
            runs.append(record.identifier)
            // Runs of before noted only where the work began.
            let origin = Self.origin(of: record)
            let previous = record.parameters["continues"]?.stringValue ?? (origin == record.identifier ? nil : origin)
            next = nil
            if let previous { next = try await ledger.run(previous) }
        }
        origin = restarts ? run : began
        left = restarts ? [began] + before : before
        isRestart = restarts
        chain = runs
    }

    private static func origin(of run: RunRecord) -> String {
        run.parameters["resumes"]?.stringValue ?? run.identifier
    }

    /// The runs that worked on what `origin` began, newest first, this one left out; empty when none did.
    func earlier(since origin: String) -> [String] {
        guard let first = chain.firstIndex(of: origin) else { return [] }
        return Array(chain[...first])
    }

    /// What the record of `run` keeps of it.
    func parameters(of run: String) -> [(String, JSONValue)] {
        var members: [(String, JSONValue)] = []
        if origin != run { members.append(("resumes", .string(origin))) }
        if let last = chain.first { members.append(("continues", .string(last))) }
        if !left.isEmpty { members.append(("restarts", .array(left.map { .string($0) }))) }
        return members
    }
}
