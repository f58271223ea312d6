import HeadraceColumnar
public import HeadraceCore

/// Rows of one chunk of a MySQL source, as the server sent them.
public struct MySQLChunk: Sendable {
    let rows: MySQLRows
    /// The ordinal of the first row in its source, from 1.
    let first: Int
}

/// Where the rows of a chunk stand in their source.
final class MySQLOrigin: Origin {
    let source: String
    let first: Int
    /// The rows of the chunk that were refused, in order; mostly none.
    let refused: [Int]

    init(source: String, first: Int, refused: [Int]) {
        self.source = source
        self.first = first
        self.refused = refused
    }

    func place(of row: Int) -> Place {
        var ordinal = row
        for skipped in refused where skipped <= ordinal { ordinal += 1 }
        return Place(source: source, row: first + ordinal)
    }

    /// The server keeps no record that could be shown as it stood.
    func original(of row: Int) -> [UInt8]? { nil }
}

/// What a reader of a table or query reads, found out when it opens.
struct MySQLReading: Sendable {
    var sql: SQL
    var decoder: MySQLRowDecoder
    /// How positions name rows; nil where nothing does.
    var order: MySQLReadingOrder?
    var rowsBefore = 0
    /// How many columns there are, those of the order at the end included.
    var columnCount: Int
}

/// Reads rows of one statement inside one consistent snapshot.
///
/// - Invariant (`@unchecked Sendable`): `stream` and `rowsRead` are touched inside calls of the session's actor only.
public final class MySQLReader: SourceReader, @unchecked Sendable {
    /// What a chunk holds at most; a row is never split.
    static let rowLimit = 8192
    static let byteLimit = 512 << 10

    private let session: MySQLSession
    private let source: String
    private let streamID: StreamID
    private let reading: MySQLReading
    private let cancellation: Cancellation
    private let cancellationKey: Int
    private var stream: MySQLStream?
    private var rowsRead: Int

    private init(
        _ session: MySQLSession, key: Int, _ reading: MySQLReading, source: String, stream: StreamID,
        context: RunContext
    ) {
        self.session = session
        self.reading = reading
        self.source = source
        streamID = stream
        cancellation = context.cancellation
        cancellationKey = key
        rowsRead = reading.rowsBefore
    }

    /// Opens a connection and a snapshot, in which `body` finds out what to read.
    static func open(
        _ configuration: MySQLConfiguration, source: String, stream: StreamID, context: RunContext,
        _ body: @escaping @Sendable (MySQLConnection) throws -> MySQLReading
    ) async throws -> MySQLReader {
        let session = MySQLSession(configuration)
        let key = session.follow(context.cancellation)
        do {
            let reading = try await session.use { connection in
                // All that is read from here on is of one moment.
                try connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
                return try body(connection)
            }
            let reader = MySQLReader(session, key: key, reading, source: source, stream: stream, context: context)
            try await session.use { reader.stream = try $0.stream(reading.sql) }
            return reader
        } catch {
            context.cancellation.remove(key)
            await session.close()
            throw error
        }
    }

    public func next() async throws -> Read<MySQLChunk> {
        try await session.use { _ in
            guard let stream = self.stream else { return .end }
            var rows = MySQLRows(columnCount: stream.columnCount, bytes: Self.byteLimit, rows: 2048)
            while rows.count < Self.rowLimit, rows.byteCount < Self.byteLimit {
                guard try stream.next(into: &rows) else {
                    self.stream = nil
                    break
                }
            }
            guard rows.count > 0 else { return .end }
            let chunk = MySQLChunk(rows: rows, first: self.rowsRead + 1)
            self.rowsRead += rows.count
            let position =
                self.reading.order?.position(after: rows, row: self.rowsRead)
                ?? Position(["row": .integer(self.rowsRead)])
            return .chunk(chunk, position)
        }
    }

    public func decode(_ chunk: MySQLChunk, sequence: UInt64) throws -> Batch {
        let (records, misfits) = reading.decoder.decode(chunk.rows)
        let rejects = misfits.map { misfit in
            Reject(
                rule: "column \(misfit.field.name)", code: "doesNotFit", field: misfit.field.name, value: misfit.value,
                message: misfit.message, place: Place(source: source, row: chunk.first + misfit.row))
        }
        let origin = MySQLOrigin(source: source, first: chunk.first, refused: misfits.map(\.row))
        return Batch(
            records, provenance: Provenance(origin), rejects: rejects, stream: streamID, sequence: sequence,
            recordsRead: chunk.rows.count)
    }

    public func close() async {
        cancellation.remove(cancellationKey)
        await session.finish { connection in
            // Rows that nobody wants would all be read before the connection could be closed in peace.
            if self.stream != nil { connection.shutDown() }
            self.stream = nil
        }
        await session.close()
    }
}
