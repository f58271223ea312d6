public import HeadraceColumnar

/// One stream of rows that can be read in batches.
public protocol Source: Sendable {
    /// What one run reads the stream through, until `close`.
    associatedtype Reader: SourceReader
    /// The source's name in messages, ledger and rejects; never holds a secret.
    var name: String { get }
    /// Identifies the stream between runs; positions are kept under it.
    var stream: StreamID { get }
    /// The fields and their types, found by looking at the source (inference, catalog) or as declared.
    func schema(in context: RunContext) async throws -> Schema
    /// Opens the stream from its start, or after `position` when the source is a `ResumableSource`.
    func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader
    /// What identifies the data now (sizes, times, checksums, ETags); a changed fingerprint makes old positions worthless.
    func fingerprint(in context: RunContext) async throws -> String
}

extension Source {
    /// The stream of the source's `name`, which then must not change between runs.
    public var stream: StreamID { StreamID(name) }
    /// The `name`: the data counts as unchanged for ever. A source whose data changes needs its own.
    public func fingerprint(in context: RunContext) async throws -> String { name }
}

/// A source that reads on after any position that its reader gave.
public protocol ResumableSource: Source {}

/// A source whose end is a position too: the next run of the same job reads on from there and finds what came since.
///
/// The reader's last chunk, with or without rows, gives the position from which the next run starts.
public protocol IncrementalSource: ResumableSource {}

/// A source of text without types of its own, which can be told its fields and say how it came to those it found.
public protocol DescribableSource: Source {
    /// Dialect, encoding and fields with how sure the source is; nil when there is nothing to look at.
    func describe(in context: RunContext) async throws -> FormatDescription?
    /// The same data read with these fields.
    func declaring(_ schema: Schema) -> Self
}

/// A source whose types say less of its numbers than the numbers themselves.
package protocol NumberSurveyingSource: Source {
    /// The numbers that stand in columns, by the columns' names; nothing of columns whose types were declared.
    func numbers(in columns: [String], context: RunContext) async throws -> [String: SeenNumbers]
}

/// A source that can be split into independent streams.
public protocol PartitionedSource: Source {
    /// At most `limit` sources that together hold every row of this one exactly once.
    func partitions(atMost limit: Int, in context: RunContext) async throws -> [Self]
}

/// What a reader gives: a piece of the stream and where to go on after it, or the end.
public enum Read<Chunk: Sendable>: Sendable {
    /// A piece of the stream, and the position from which to go on after it.
    case chunk(Chunk, Position)
    /// Nothing is left; `next` is not called again.
    case end
}

/// Reads a source in two halves: `next` does the I/O and finds record boundaries, `decode` does the rest.
public protocol SourceReader: AnyObject, Sendable {
    /// What goes from `next` to the workers: bytes of whole records, or rows not yet decoded.
    associatedtype Chunk: Sendable
    /// The next piece of the stream. Called by one caller at a time.
    func next() async throws -> Read<Chunk>
    /// The rows of a chunk. Called by many workers at once; never waits. Bad records become rejects of the batch.
    func decode(_ chunk: Chunk, sequence: UInt64) throws -> Batch
    /// Lets go of everything; called once, on every path.
    func close() async
}

/// A reader over local bytes that needs no executor hop: the engine calls `nextNow` on its own threads, under a lock.
public protocol SynchronousSourceReader: SourceReader {
    /// As `next`; may block on a file, never on a network without a bound.
    func nextNow() throws -> Read<Chunk>
}

extension SynchronousSourceReader {
    public func next() async throws -> Read<Chunk> {
        try await BlockingWork.run { try self.nextNow() }
    }
}
