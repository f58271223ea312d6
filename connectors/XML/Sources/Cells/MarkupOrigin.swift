import HeadraceColumnar
import HeadraceCore

/// The places and originals of a chunk's records.
final class MarkupOrigin: Origin {
    private let chunk: MarkupChunk
    private let source: String
    private let file: String

    init(_ chunk: MarkupChunk, source: String, file: String) {
        self.chunk = chunk
        self.source = source
        self.file = file
    }

    func place(of row: Int) -> Place {
        let line = Int(chunk.lines.unsafeView.values(as: Int64.self)[row])
        let offset = Int(chunk.offsets.unsafeView.values(as: Int64.self)[row])
        return withExtendedLifetime(chunk) {
            Place(
                source: source, file: file, line: line > 0 ? line : nil, byteOffset: offset >= 0 ? offset : nil,
                row: chunk.recordsBefore + row + 1)
        }
    }

    func original(of row: Int) -> [UInt8]? {
        withExtendedLifetime(chunk) { Array(chunk.originals.unsafeView.bytes(row)) }
    }
}
