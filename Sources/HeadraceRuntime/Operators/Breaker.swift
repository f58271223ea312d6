import HeadraceColumnar
import HeadraceCore

/// An operator with state across batches: deduplication, aggregation, join, sort, window.
///
/// The engine feeds each input to its end, in the order of the inputs (a join's right side is input 0), then asks for
/// the partitions. Results never depend on the number of workers: ties fall to source index and ordinal, rows leave a
/// partition in that order, and partitions are numbered the same way whoever fills them.
protocol Breaker: AnyObject, Sendable {
    /// The number of inputs, fed from 0 upwards.
    var inputs: Int { get }
    /// The fields of the rows that come out.
    var schema: Schema { get }
    /// Takes a batch of an input; called by many workers at once.
    /// - Parameter emit: gets rows that are finished already, in batches of bounded size: a join's left rows against a
    ///   right side in memory.
    func consume(_ batch: Batch, input: Int, emit: (Batch) throws -> Void) throws
    /// Called once when an input has ended, before the next one begins.
    func finishInput(_ input: Int) throws
    /// How many partitions `produce` can be asked for, known once all inputs have ended.
    var partitions: Int { get }
    /// Gives the rows of a partition in batches; called by many workers at once for different partitions, once each.
    func produce(partition: Int, emit: (Batch) throws -> Void) throws
    /// What the operator did with its rows so far: rows in by its own count, merged, filtered, added, and how many
    /// rejects it has handed out with its batches.
    var account: BreakerAccount { get }
    /// Lets go of memory and spill files; called once on every path, also in the middle.
    func discard()
}

/// An operator's own count of its rows, kept apart from the engine's count of what went in and came out.
struct BreakerAccount: Sendable, Hashable {
    var input = 0
    var added = 0
    var filtered = 0
    var merged = 0
    var rejected = 0
}
