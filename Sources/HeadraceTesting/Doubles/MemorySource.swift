public import HeadraceColumnar
public import HeadraceCore
import Synchronization

/// Rows held in memory as a source, cut into chunks of a given size; resumes after every chunk.
public struct MemorySource: ResumableSource {
    public let name: String
    /// All rows, in source order; `schema` is theirs.
    public let records: RecordBatch
    /// Rows in a chunk.
    public let chunkSize: Int
    /// Rows, counted from 0, that `decode` refuses as if they could not be read.
    public let unreadable: Set<Int>
    /// The call of `next`, counted from 0, that throws; nil for none.
    public let failsAt: Int?

    /// A source of `records` in chunks of `chunkSize` rows, so that small batches too cross chunk borders.
    /// - Parameters:
    ///   - unreadable: rows, counted from 0, that come out as rejects with the rule `decode`.
    ///   - failsAt: the call of `next`, counted from 0 in each reader, that throws an error worth a retry.
    public init(
        _ name: String, _ records: RecordBatch, chunkSize: Int = 3, unreadable: Set<Int> = [], failsAt: Int? = nil
    ) {
        self.name = name
        self.records = records
        self.chunkSize = chunkSize
        self.unreadable = unreadable
        self.failsAt = failsAt
    }

    public func schema(in context: RunContext) async throws -> Schema { records.schema }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader
    {
        Reader(self, start: Int(position?.value["row"]?.integerValue ?? 0))
    }

    /// - Invariant (`@unchecked Sendable`): `row` and `calls` are used by one caller of `next` at a time.
    public final class Reader: SourceReader, @unchecked Sendable {
        private let source: MemorySource
        private var row: Int
        private var calls = 0

        init(_ source: MemorySource, start: Int) {
            self.source = source
            row = start
        }

        public func next() async throws -> Read<Range<Int>> {
            defer { calls += 1 }
            if calls == source.failsAt { throw HeadraceError(.inputOutput, "the source was cut off", retry: .mayHelp) }
            guard row < source.records.count else { return .end }
            let end = min(row + source.chunkSize, source.records.count)
            defer { row = end }
            return .chunk(row..<end, Position(.object([("row", .integer(end))])))
        }

        public func decode(_ chunk: Range<Int>, sequence: UInt64) throws -> Batch {
            let origin = MemoryOrigin(source.name, first: chunk.lowerBound)
            let slice = source.records.slice(from: chunk.lowerBound, count: chunk.count)
            let batch = Batch(
                slice, provenance: Provenance(origin), stream: source.stream, sequence: sequence,
                recordsRead: chunk.count)
            let bad = chunk.filter { source.unreadable.contains($0) }.map { $0 - chunk.lowerBound }
            guard !bad.isEmpty else { return batch }
            let kept = (0..<chunk.count).filter { !bad.contains($0) }.map { Int32($0) }
            var good = kept.withUnsafeBufferPointer { batch.taking($0) }
            good.rejects = bad.map {
                batch.reject(row: $0, rule: "decode", code: "unreadable", message: "the row cannot be read")
            }
            return good
        }

        public func close() async {}
    }
}

/// Places of rows that only have an ordinal.
final class MemoryOrigin: Origin {
    private let source: String
    private let first: Int

    init(_ source: String, first: Int) {
        self.source = source
        self.first = first
    }

    func place(of row: Int) -> Place { Place(source: source, row: first + row + 1) }
    func original(of row: Int) -> [UInt8]? { nil }
}
