public import HeadraceCore

/// A store that can hold writes back and make them visible all at once, together with a checkpoint.
public protocol TransactionalKeyValueStore: KeyValueStore {
    /// Begins to collect writes for a table that is there.
    ///
    /// - Parameters:
    ///   - sink: the name under which checkpoints are kept, beside the context's job.
    ///   - keeping: attributes that an item keeps from the one it replaces.
    func beginTransaction(
        _ table: String, sink: String, keeping: [String], in context: RunContext
    ) async throws -> any KeyValueTransaction
    /// The last checkpoint committed for the context's job and this sink.
    func committed(sink: String, in context: RunContext) async throws -> Checkpoint?
}

/// Writes that wait for their commit. One caller at a time; the calls are those of a `SinkWriter`.
public protocol KeyValueTransaction: Sendable {
    /// Takes items in order, each checked already; nobody sees them yet.
    func write(_ items: [Item]) async throws
    /// Applies what was written since the last commit, still invisible, and says what became of it.
    func settle() async throws -> WriteCounts
    /// Makes it visible together with the checkpoint.
    ///
    /// - Throws: `leaseLost` when a later run of the job has committed here.
    func commit(_ checkpoint: Checkpoint) async throws
    /// Undoes what was not committed and lets go of everything; may be called twice.
    func abort() async
}
