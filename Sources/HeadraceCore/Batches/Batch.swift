public import HeadraceColumnar

/// Names one stream of rows: a file list, a table, a REST resource. Stable between runs; keys positions.
public struct StreamID: Sendable, Hashable, CustomStringConvertible {
    /// The text under which positions are kept, so that a source with another name starts over.
    public let name: String
    /// A stream by a name that no other source of the same load may have.
    public init(_ name: String) { self.name = name }
    public var description: String { name }
}

/// A few thousand rows on their way through a pipeline, with where they came from and what was refused on the way.
public struct Batch: Sendable {
    /// The rows by column; `with(_:)` puts other columns in their place and checks that the rows stay as many.
    public var records: RecordBatch
    /// The place of every row of `records`, in the same order; `taking(_:)` keeps the two in step.
    public var provenance: Provenance
    /// Rows refused since the last border; the engine takes them out after every step.
    public var rejects: [Reject]
    /// The stream that the rows were read from; behind a stateful operator the operator's step.
    public let stream: StreamID
    /// The number of the chunk that the rows came from, in source order.
    public let sequence: UInt64
    /// The records that the cutter counted in the chunk; the decoder must account for each as a row or a reject.
    public let recordsRead: Int

    /// A batch as a decoder gives it. `recordsRead` must be the rows and `rejects` together, else the run ends with
    /// `accountMismatch`.
    public init(
        _ records: RecordBatch, provenance: Provenance, rejects: [Reject] = [], stream: StreamID, sequence: UInt64,
        recordsRead: Int
    ) {
        self.records = records
        self.provenance = provenance
        self.rejects = rejects
        self.stream = stream
        self.sequence = sequence
        self.recordsRead = recordsRead
    }

    /// The number of rows.
    public var count: Int { records.count }

    /// The same batch with other columns for the same rows.
    public func with(_ records: RecordBatch) -> Batch {
        precondition(records.count == count, "columns for \(records.count) rows cannot replace those of \(count)")
        var copy = self
        copy.records = records
        return copy
    }

    /// The rows `indices`, in that order, with their provenance.
    public func taking(_ indices: UnsafeBufferPointer<Int32>) -> Batch {
        var copy = self
        copy.records = Kernels.take(records, indices: indices)
        copy.provenance = provenance.selecting(indices)
        return copy
    }
}
