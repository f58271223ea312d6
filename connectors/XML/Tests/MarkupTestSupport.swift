import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadraceXML

/// Hands bytes out in pieces whose sizes `sizes` gives in turn, and notes whether it was closed.
final class PiecewiseReader: ByteReader {
    private struct State {
        var place = 0
        var turn = 0
        var isClosed = false
    }
    private let bytes: [UInt8]
    private let sizes: [Int]
    private let state = Mutex(State())

    init(_ bytes: [UInt8], sizes: [Int] = [1 << 16]) {
        self.bytes = bytes
        self.sizes = sizes
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        state.withLock { state in
            let size = sizes[state.turn % sizes.count]
            state.turn += 1
            let count = min(size, buffer.count, bytes.count - state.place)
            buffer.copyBytes(from: bytes[state.place..<state.place + count])
            state.place += count
            return count
        }
    }

    func close() { state.withLock { $0.isClosed = true } }
}

/// Documents in memory that can be opened again.
struct MemoryDocuments: ResumableByteSource {
    var documents: [(name: String, bytes: [UInt8])]
    var contentType: String?
    var sizes = [1 << 16]
    let name = "documents"

    func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        let next =
            previous.flatMap { previous in documents.firstIndex { $0.name == previous.name } }.map { $0 + 1 } ?? 0
        guard next < documents.count else { return nil }
        return ByteObject(
            name: documents[next].name, byteCount: documents[next].bytes.count, identity: "1", contentType: contentType)
    }

    func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        guard let found = documents.first(where: { $0.name == object.name }) else {
            throw HeadraceError(.notFound, "there is no \(object.name)")
        }
        return PiecewiseReader(Array(found.bytes[offset...]), sizes: sizes)
    }
}

/// What reading a document came to: rows as JSON text, rejects, and the error that ended it.
struct ReadResult {
    var rows: [String] = []
    var rejects: [Reject] = []
    var error: HeadraceError?
    var chunks = 0
    var positions: [Position] = []
    var schema = Schema([])
    var places: [Place] = []
}

func readAll<F: Format>(
    _ source: FormatSource<MemoryDocuments, F>, from position: Position? = nil
) async throws -> ReadResult {
    let context = RunContext.testing()
    var result = ReadResult()
    result.schema = try await source.schema(in: context)
    let reader = try await source.openReader(for: result.schema, from: position, in: context)
    do {
        while case .chunk(let chunk, let position) = try reader.nextNow() {
            let batch = try reader.decode(chunk, sequence: UInt64(result.chunks))
            #expect(batch.count + batch.rejects.count == batch.recordsRead)
            result.chunks += 1
            result.positions.append(position)
            for row in 0..<batch.count {
                result.rows.append(RowText.json(batch.records, row: row))
                result.places.append(batch.provenance.place(of: row))
            }
            result.rejects += batch.rejects
        }
    } catch let error as HeadraceError {
        result.error = error
    }
    await reader.close()
    return result
}

func readXML(
    _ text: String, _ options: XMLOptions = XMLOptions(), schema: Schema? = nil, sizes: [Int] = [1 << 16],
    contentType: String? = nil
) async throws -> ReadResult {
    try await readXML(bytes: Array(text.utf8), options, schema: schema, sizes: sizes, contentType: contentType)
}

func readXML(
    bytes: [UInt8], _ options: XMLOptions = XMLOptions(), schema: Schema? = nil, sizes: [Int] = [1 << 16],
    contentType: String? = nil
) async throws -> ReadResult {
    let documents = MemoryDocuments(documents: [("feed.xml", bytes)], contentType: contentType, sizes: sizes)
    return try await readAll(FormatSource(documents, XMLFormat(options), codecs: [], declared: schema))
}

/// A field with the path where it stands.
func field(_ name: String, _ type: DataType, _ path: String? = nil, nullable: Bool = true) -> Field {
    Field(name, type, nullable: nullable, metadata: path.map { ["path": $0] } ?? [:])
}
