import HeadraceCore

/// The interrupted runs of a job that a run goes on after.
struct Lineage: Sendable {
    /// The run that began the work, whose checkpoints are taken up; the run itself when it begins afresh.
    let origin: String
    /// The runs that came before on the same work, newest first, down to `origin`.
    let earlier: [String]

    /// A run that begins afresh.
    init(beginning run: String) {
        origin = run
        earlier = []
    }

    /// The work of the interrupted run `last`, with the runs that it went on after itself.
    init(after last: RunRecord, in ledger: any LedgerStore) async throws {
        let origin = last.parameters["resumes"]?.stringValue ?? last.identifier
        var runs = [last.identifier]
        var record: RunRecord? = last
        while let current = record, current.identifier != origin {
            // Runs of before noted only where the work began.
            let previous = current.parameters["continues"]?.stringValue ?? origin
            runs.append(previous)
            record = try await ledger.run(previous)
        }
        self.origin = origin
        earlier = runs
    }

    /// What a run's record keeps of it.
    var parameters: [(String, JSONValue)] {
        guard let last = earlier.first else { return [] }
        return [("resumes", .string(origin)), ("continues", .string(last))]
    }
}
