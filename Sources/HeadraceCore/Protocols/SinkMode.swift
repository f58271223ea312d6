/// How rows are written, free of the sink's type: what `WriteMode` lowers to and what the command line names.
public enum SinkMode: Sendable {
    /// Adds the rows to what is there; for an `AppendingSink`.
    case append
    /// Puts the rows in the place of everything there, at the commit; for a `ReplacingSink`.
    case replace
    /// Updates the rows whose key columns match and inserts the others; for an `UpsertingSink`.
    case upsert(on: [String])
    /// Inserts the rows whose key columns match none and leaves those that are there; for an `InsertingSink`.
    case insert(on: [String])
    /// Upserts, then deletes the rows whose key the load did not have; for a `MirroringSink`.
    case mirror(on: [String])
    /// Adds a version of the row of its key where a row differs from the one that held; for a `HistorySink`.
    case history(on: [String], HistoryColumns)
    /// Runs a fact load inside one transaction; for a `TransactionalSink`.
    case facts(any FactLoad)

    /// The mode's name on the command line and in the ledger.
    public var name: String {
        switch self {
        case .append: "append"
        case .replace: "replace"
        case .upsert: "upsert"
        case .insert: "insert"
        case .mirror: "mirror"
        case .history: "history"
        case .facts: "facts"
        }
    }

    /// The columns that rows are matched by, in the order given; empty for a mode without keys.
    public var keys: [String] {
        switch self {
        case .upsert(let keys), .insert(let keys), .mirror(let keys), .history(let keys, _): keys
        case .append, .replace, .facts: []
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

extension WriteMode where S: InsertingSink {
    /// Inserts the rows whose `keys` are not there; one that is there stays as it is and counts as unchanged.
    public static func insert(on keys: String...) -> WriteMode { WriteMode(.insert(on: keys)) }
    /// As `insert(on:)`, for keys that are known only when the program runs.
    public static func insert(on keys: [String]) -> WriteMode { WriteMode(.insert(on: keys)) }
}

extension WriteMode where S: MirroringSink {
    /// Makes the target hold the rows of the load and no others: upserts by `keys`, then deletes the rows whose key the load
    /// did not have.
    ///
    /// The load must read its sources whole. Where a row was refused before the sink its key is not known, so that nothing
    /// is deleted then; a load without rows deletes nothing but fails.
    public static func mirror(on keys: String...) -> WriteMode { WriteMode(.mirror(on: keys)) }
    /// As `mirror(on:)`, for keys that are known only when the program runs.
    public static func mirror(on keys: [String]) -> WriteMode { WriteMode(.mirror(on: keys)) }
}

extension WriteMode where S: HistorySink {
    /// Keeps every version of a row (type 2): a row that differs from the version of its key which held at its time ends that
    /// one and begins another. A row that does not differ changes nothing. `upsert` is type 1.
    public static func history(on keys: String..., columns: HistoryColumns = HistoryColumns()) -> WriteMode {
        WriteMode(.history(on: keys, columns))
    }
    /// As `history(on:columns:)`, for keys that are known only when the program runs.
    public static func history(on keys: [String], columns: HistoryColumns = HistoryColumns()) -> WriteMode {
        WriteMode(.history(on: keys, columns))
    }
}

extension WriteMode where S: TransactionalSink {
    /// Loads a star schema: facts, dimensions and current flags in one transaction.
    public static func facts(_ load: any FactLoad) -> WriteMode { WriteMode(.facts(load)) }
}
