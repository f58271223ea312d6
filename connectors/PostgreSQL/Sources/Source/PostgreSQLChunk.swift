import HeadraceColumnar
import HeadraceCore

/// Rows as the server sent them, with where they came from.
public struct PostgreSQLChunk: Sendable {
    /// Rows of a binary COPY, without header and trailer.
    let bytes: Buffer
    let rows: Int
    let origin: PostgreSQLOrigin
}

/// Where the rows of a chunk stand in their source.
final class PostgreSQLOrigin: Origin {
    private let source: String
    /// The ordinal of the chunk's first row, from 1; parts count from a million million times their number.
    private let first: Int

    init(source: String, first: Int) {
        self.source = source
        self.first = first
    }

    func place(of row: Int) -> Place { Place(source: source, row: first + row) }

    /// The server's own form would tell nobody anything.
    func original(of row: Int) -> [UInt8]? { nil }
}

/// What a connection brings to a reader: rows with how far the part has been read, or its end.
enum PostgreSQLItem: Sendable {
    case rows(PostgreSQLChunk, part: Int, at: PostgreSQLRowPlace?, rowsInPart: Int)
    case end(part: Int)
}
