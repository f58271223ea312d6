import HeadraceColumnar
import HeadraceCore

/// Rows that a step refused, read back from the reject store, as the input of that step.
struct RowsSource: Source {
    let name: String
    let rejects: [RejectRecord]
    let fields: Schema

    func schema(in context: RunContext) async throws -> Schema { fields }

    func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader {
        Reader(self)
    }

    /// - Invariant (`@unchecked Sendable`): `next` is called by one caller at a time.
    final class Reader: SourceReader, @unchecked Sendable {
        private let source: RowsSource
        private var taken = 0
        private static let rows = 2000

        init(_ source: RowsSource) { self.source = source }

        func next() async throws -> Read<Range<Int>> {
            guard taken < source.rejects.count else { return .end }
            let end = min(taken + Self.rows, source.rejects.count)
            defer { taken = end }
            return .chunk(taken..<end, Position(.object([("row", .integer(end))])))
        }

        func decode(_ chunk: Range<Int>, sequence: UInt64) throws -> Batch {
            var rows: [[Scalar]] = []
            var places: [Reject] = []
            var unreadable: [Reject] = []
            for record in source.rejects[chunk] {
                if let row = record.reject.row, let values = RowText.values(of: row, source.fields) {
                    rows.append(values)
                    places.append(record.reject)
                } else {
                    var reject = record.reject
                    reject.message = "the kept row does not fit the step's input any more; \(reject.message)"
                    unreadable.append(reject)
                }
            }
            guard let records = RecordBatch(schema: source.fields, rows: rows) else {
                throw HeadraceError(.schemaMismatch, "kept rows do not fit the input of their step: \(source.fields)")
            }
            return Batch(
                records, provenance: Provenance(RejectOrigin(places)), rejects: unreadable, stream: source.stream,
                sequence: sequence, recordsRead: chunk.count)
        }

        func close() async {}
    }
}

/// Rows that keep the places and originals which they had when they were refused.
private final class RejectOrigin: Origin {
    private let rejects: [Reject]
    init(_ rejects: [Reject]) { self.rejects = rejects }
    func place(of row: Int) -> Place { rejects[row].place }
    func original(of row: Int) -> [UInt8]? { rejects[row].original }
}
