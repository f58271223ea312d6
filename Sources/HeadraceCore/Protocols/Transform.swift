public import HeadraceColumnar

/// Turns one relation into another. Relational transforms compose the engine's operators; row-wise ones add a stage.
public protocol Transform: Sendable {
    /// The step's name in ledger, rejects and plan.
    var name: String { get }
    /// The relation that this transform makes of `input`. Reads nothing; schemas are checked when the plan is made.
    func apply(to input: Relation) throws -> Relation
}

/// A transform that looks at each row alone, with no state between batches.
public protocol RowTransform: Transform {
    associatedtype RowStage: Stage
    /// The schema of the rows that come out; throws `schemaMismatch` before any row moves.
    func schema(from input: Schema) throws -> Schema
    /// A stage for one worker; called once a worker.
    func makeStage(for input: Schema, in context: RunContext) throws -> RowStage
}

extension RowTransform {
    public func apply(to input: Relation) throws -> Relation { .stage(self, input) }
}

/// The work of a row-wise transform on one worker. Used by one thread at a time.
public protocol Stage: AnyObject {
    func process(_ batch: Batch) throws -> StageResult
}

/// What a stage made of a batch, with its own account of the rows it took out or put in.
///
/// The engine counts rows in, rows out and rejects itself, and refuses a result whose account does not hold:
/// in + added = out + rejected + filtered + merged.
public struct StageResult: Sendable {
    public var batch: Batch
    public var added: Int
    public var filtered: Int
    public var merged: Int

    public init(_ batch: Batch, added: Int = 0, filtered: Int = 0, merged: Int = 0) {
        self.batch = batch
        self.added = added
        self.filtered = filtered
        self.merged = merged
    }
}
