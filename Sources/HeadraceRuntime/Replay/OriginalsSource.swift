import HeadraceColumnar
import HeadraceCore

/// Refused records that are read again, with the places that they had when they were refused.
struct OriginalsSource<Base: Source>: Source {
    private let base: Base
    private let rejects: [RejectRecord]

    var name: String { base.name }

    /// - Parameter base: what a `ReplayableSource` made of the originals of `rejects`, in their order.
    init(base: Base, rejects: [RejectRecord]) {
        self.base = base
        self.rejects = rejects
    }

    func schema(in context: RunContext) async throws -> Schema { try await base.schema(in: context) }

    func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader {
        Reader(try await base.openReader(for: schema, from: position, in: context), rejects)
    }

    final class Reader: SourceReader {
        private let base: Base.Reader
        private let rejects: [RejectRecord]

        init(_ base: Base.Reader, _ rejects: [RejectRecord]) {
            self.base = base
            self.rejects = rejects
        }

        func next() async throws -> Read<Base.Reader.Chunk> { try await base.next() }

        func decode(_ chunk: Base.Reader.Chunk, sequence: UInt64) throws -> Batch {
            var batch = try base.decode(chunk, sequence: sequence)
            batch.provenance = Provenance(RereadOrigin(batch.provenance, rejects))
            for index in batch.rejects.indices {
                let reject = batch.rejects[index]
                batch.rejects[index].place = rejects.place(of: reject.original, else: reject.place)
            }
            return batch
        }

        func close() async { await base.close() }
    }
}

/// Rows of originals, by the places of the rejects that they were read again from.
private final class RereadOrigin: Origin {
    private let base: Provenance
    private let rejects: [RejectRecord]

    init(_ base: Provenance, _ rejects: [RejectRecord]) {
        self.base = base
        self.rejects = rejects
    }

    func place(of row: Int) -> Place { rejects.place(of: original(of: row), else: base.place(of: row)) }
    func original(of row: Int) -> [UInt8]? { base.original(of: row) }
}

extension [RejectRecord] {
    /// Where the record stood that is now read at `place`: in order, unless its bytes say that it is another one.
    fileprivate func place(of original: [UInt8]?, else place: Place) -> Place {
        if indices.contains(place.row - 1) {
            let expected = self[place.row - 1].reject
            if original == nil || expected.original == original { return expected.place }
        }
        return first { original != nil && $0.reject.original == original }?.reject.place ?? place
    }
}
