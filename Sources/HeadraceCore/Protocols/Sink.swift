public import HeadraceColumnar

/// A place that rows are written to.
///
/// What a sink can do beyond that is in its type: `AppendingSink`, `ReplacingSink`, `UpsertingSink`, `InsertingSink`,
/// `MirroringSink`, `HistorySink`, `TransactionalSink`.
public protocol Sink: Sendable {
    /// What one load writes through; ends with its final commit or with `abort`.
    associatedtype Writer: SinkWriter
    /// The sink's name in messages, ledger and state; never holds a secret.
    var name: String { get }
    /// The fields of the target where it exists already; rows are matched to them by name.
    func targetSchema(in context: RunContext) async throws -> Schema?
    /// Opens the target for rows of `schema`. Nothing is visible to others before `commit`.
    func openWriter(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> Writer
    /// The last checkpoint committed with rows of the context's job, nil when there is none or the sink keeps none.
    func committed(in context: RunContext) async throws -> Checkpoint?
    /// What opening and committing would do: DDL, SQL, files; one line each, nothing changed.
    func plan(for schema: Schema, mode: SinkMode, in context: RunContext) async throws -> [String]
}

extension Sink {
    /// Nil: the target takes rows of any schema.
    public func targetSchema(in context: RunContext) async throws -> Schema? { nil }
    /// Nil: the sink keeps no checkpoint, so that an interrupted load starts over.
    public func committed(in context: RunContext) async throws -> Checkpoint? { nil }
}

/// Writes one stream of batches. `encode` is called by many workers at once, everything else by one caller at a time.
public protocol SinkWriter: AnyObject, Sendable {
    /// A batch ready to be written: bytes, bound values or the batch itself.
    associatedtype Encoded: Sendable
    /// The batch in the form that the target takes.
    func encode(_ batch: Batch) throws -> Encoded
    /// Writes an encoded batch, in source order.
    /// - Returns: rows that the target refuses, of this batch or of earlier ones that were still in hand; they count as
    ///   rejects of this step.
    func write(_ encoded: Encoded) async throws -> [Reject]
    /// Writes what is still in hand of the batches since the last commit; called before `settle`. A writer that keeps
    /// nothing in hand does without.
    /// - Returns: rows that the target refuses.
    func drain() async throws -> [Reject]
    /// Finishes everything short of making it visible: the rest of a load, current flags, the end of a file.
    /// - Returns: what became of the rows written since the last commit, counted on the target's side. The engine
    ///   compares it with its own count and aborts instead of committing when the two differ.
    func settle() async throws -> WriteCounts
    /// Makes all rows written since the last commit visible, together with `checkpoint` where the target can. Follows
    /// `settle` with no write between. After the final checkpoint the writer lets go of everything.
    func commit(_ checkpoint: Checkpoint) async throws
    /// Undoes what was not committed and lets go of everything: no temporary table, file or connection stays.
    /// Called on every path that does not end in a final commit; never throws and may be called twice.
    func abort() async
}

/// Writes a mirror: keeps the keys of all rows handed to it, those that it refuses included, until the load's last commit.
///
/// Keys are kept with the rows and their checkpoint, so that a load which goes on after an interruption
/// (`RunContext.resumed`) knows those of its earlier epochs. No trace of them stays after the final commit.
public protocol MirroringWriter: SinkWriter {
    /// Deletes the rows of the target whose key no row of the load had. Called at most once, before the last `settle`, whose
    /// counts include them; visible with the final commit.
    /// - Returns: how many rows were deleted.
    func deleteAbsent() async throws -> Int
}

extension SinkWriter {
    /// Nothing is in hand: `write` has written everything.
    public func drain() async throws -> [Reject] { [] }
}

/// What became of the rows handed to a sink, as the sink's own side counts them.
public struct WriteCounts: Sendable, Hashable {
    /// Rows that were not there before; all of them where the target has no key.
    public var inserted: Int
    /// Rows that changed the one of their key.
    public var updated: Int
    /// Rows equal to the one of their key, so that nothing was changed.
    public var unchanged: Int
    /// Rows of the target that a mirror took away, or rows that took away the one of their key; what `replace` puts aside
    /// does not count.
    public var deleted: Int

    /// Counts of one commit; what is left out is zero.
    public init(inserted: Int = 0, updated: Int = 0, unchanged: Int = 0, deleted: Int = 0) {
        self.inserted = inserted
        self.updated = updated
        self.unchanged = unchanged
        self.deleted = deleted
    }

    /// written = inserted + updated + unchanged + deleted
    public var written: Int { inserted + updated + unchanged + deleted }

    /// The counts of two commits together.
    public static func + (left: WriteCounts, right: WriteCounts) -> WriteCounts {
        WriteCounts(
            inserted: left.inserted + right.inserted, updated: left.updated + right.updated,
            unchanged: left.unchanged + right.unchanged, deleted: left.deleted + right.deleted)
    }
}

/// Adds rows to what is there.
public protocol AppendingSink: Sink {}
/// Puts the rows in place of everything that was there, at once or not at all.
public protocol ReplacingSink: Sink {}
/// Updates the rows whose key is there and inserts the others.
public protocol UpsertingSink: Sink {}
/// Inserts the rows whose key is not there and leaves the others as they are.
public protocol InsertingSink: Sink {}
/// Upserts, and deletes at the end what a complete reading of the source does not hold.
public protocol MirroringSink: Sink where Writer: MirroringWriter {}
/// Keeps every version of a row with the time in which it held.
public protocol HistorySink: Sink {}
/// Commits rows, checkpoint and fence in one transaction and can look up and change tables inside it.
public protocol TransactionalSink: Sink {
    /// The engine of fact loads: opens a transaction over the warehouse's tables.
    func openWarehouse(in context: RunContext) async throws -> any Warehouse
}

/// A writer into local files that needs no executor hop: the engine calls `writeNow` on its own threads.
public protocol SynchronousSinkWriter: SinkWriter {
    /// As `write`; may block on a file.
    func writeNow(_ encoded: Encoded) throws -> [Reject]
}

extension SynchronousSinkWriter {
    public func write(_ encoded: Encoded) async throws -> [Reject] {
        try await BlockingWork.run { try self.writeNow(encoded) }
    }
}
