public import HeadraceColumnar

/// A place that rows are written to.
///
/// What a sink can do beyond that is in its type: `AppendingSink`, `ReplacingSink`, `UpsertingSink`, `TransactionalSink`.
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
    /// - Returns: rows that the target refuses; they count as rejects of this step.
    func write(_ encoded: Encoded) async throws -> [Reject]
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

/// What became of the rows handed to a sink, as the sink's own side counts them.
public struct WriteCounts: Sendable, Hashable {
    /// Rows that were not there before; all of them where the target has no key.
    public var inserted: Int
    /// Rows that changed the one of their key.
    public var updated: Int
    /// Rows equal to the one of their key, so that nothing was changed.
    public var unchanged: Int
    /// Rows that took away the one of their key; what `replace` puts aside does not count.
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
/// Commits rows, checkpoint and fence in one transaction and can look up and change tables inside it.
public protocol TransactionalSink: Sink {
    /// The engine of fact loads: opens a transaction over the warehouse's tables.
    func openWarehouse(in context: RunContext) async throws -> any Warehouse
}

/// How rows are written, free of the sink's type: what `WriteMode` lowers to and what the command line names.
public enum SinkMode: Sendable {
    /// Adds the rows to what is there; for an `AppendingSink`.
    case append
    /// Puts the rows in the place of everything there, at the commit; for a `ReplacingSink`.
    case replace
    /// Updates the rows whose key columns match and inserts the others; for an `UpsertingSink`.
    case upsert(on: [String])
    /// Runs a fact load inside one transaction; for a `TransactionalSink`.
    case facts(any FactLoad)

    /// The mode's name on the command line and in the ledger.
    public var name: String {
        switch self {
        case .append: "append"
        case .replace: "replace"
        case .upsert: "upsert"
        case .facts: "facts"
        }
    }
}

/// A way to write that sink `S` offers; the ones it lacks do not compile.
public struct WriteMode<S: Sink>: Sendable {
    /// The mode without the sink's type, as `Sink.openWriter` takes it.
    public let mode: SinkMode
    fileprivate init(_ mode: SinkMode) { self.mode = mode }
}

extension WriteMode where S: AppendingSink {
    /// Adds every row, one that is there already too.
    public static var append: WriteMode { WriteMode(.append) }
}

extension WriteMode where S: ReplacingSink {
    /// Replaces everything there at the commit; after a failed run the old rows are still there.
    public static var replace: WriteMode { WriteMode(.replace) }
}

extension WriteMode where S: UpsertingSink {
    /// Matches rows by `keys`; a key column must not be null.
    public static func upsert(on keys: String...) -> WriteMode { WriteMode(.upsert(on: keys)) }
    /// Matches rows by `keys`, for keys that are known only when the program runs.
    public static func upsert(on keys: [String]) -> WriteMode { WriteMode(.upsert(on: keys)) }
}

extension WriteMode where S: TransactionalSink {
    /// Loads a star schema: facts, dimensions and current flags in one transaction.
    public static func facts(_ load: any FactLoad) -> WriteMode { WriteMode(.facts(load)) }
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
