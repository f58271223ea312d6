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
    /// What works on the batches of one worker; may keep scratch memory between them, but no rows.
    associatedtype RowStage: Stage
    /// The schema of the rows that come out; throws `schemaMismatch` before any row moves.
    func schema(from input: Schema) throws -> Schema
    /// A stage for one worker; called once a worker.
    func makeStage(for input: Schema, in context: RunContext) throws -> RowStage
}

extension RowTransform {
    /// Puts the stage of this transform above `input`.
    public func apply(to input: Relation) throws -> Relation { .stage(self, input) }
}

/// The work of a row-wise transform on one worker. Used by one thread at a time.
public protocol Stage: AnyObject {
    /// The rows that a batch becomes. A row that fails goes into the batch's `rejects`; a thrown error ends the run.
    func process(_ batch: Batch) throws -> StageResult
}

/// What a stage made of a batch, with its own account of the rows it took out or put in.
///
/// The engine counts rows in, rows out and rejects itself, and refuses a result whose account does not hold:
/// in + added = out + rejected + filtered + merged.
public struct StageResult: Sendable {
    /// The rows that stay, with `provenance` in step and refused rows in `rejects`.
    public var batch: Batch
    /// Rows beyond those that came in, as when a list is unnested.
    public var added: Int
    /// Rows taken out because nobody asked for them; nothing is kept of them.
    public var filtered: Int
    /// Rows that went into others, as duplicates do.
    public var merged: Int

    /// What a batch became; without counts, every row of it stayed or was refused.
    public init(_ batch: Batch, added: Int = 0, filtered: Int = 0, merged: Int = 0) {
        self.batch = batch
        self.added = added
        self.filtered = filtered
        self.merged = merged
    }
}
