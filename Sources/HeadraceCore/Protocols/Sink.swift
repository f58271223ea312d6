public import HeadraceColumnar

/// A place that rows are written to.
///
/// What a sink can do beyond that is in its type: `AppendingSink`, `ReplacingSink`, `UpsertingSink`, `TransactionalSink`.
public protocol Sink: Sendable {
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
    public func targetSchema(in context: RunContext) async throws -> Schema? { nil }
    public func committed(in context: RunContext) async throws -> Checkpoint? { nil }
}

/// Writes one stream of batches. `encode` is called by many workers at once, everything else by one caller at a time.
public protocol SinkWriter: AnyObject, Sendable {
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
    public var inserted: Int
    public var updated: Int
    public var unchanged: Int
    public var deleted: Int

    public init(inserted: Int = 0, updated: Int = 0, unchanged: Int = 0, deleted: Int = 0) {
        self.inserted = inserted
        self.updated = updated
        self.unchanged = unchanged
        self.deleted = deleted
    }

    /// written = inserted + updated + unchanged + deleted
    public var written: Int { inserted + updated + unchanged + deleted }

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
    case append
    case replace
    case upsert(on: [String])
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
    public let mode: SinkMode
    fileprivate init(_ mode: SinkMode) { self.mode = mode }
}

extension WriteMode where S: AppendingSink {
    public static var append: WriteMode { WriteMode(.append) }
}

extension WriteMode where S: ReplacingSink {
    public static var replace: WriteMode { WriteMode(.replace) }
}

extension WriteMode where S: UpsertingSink {
    /// Matches rows by `keys`; a key column must not be null.
    public static func upsert(on keys: String...) -> WriteMode { WriteMode(.upsert(on: keys)) }
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
