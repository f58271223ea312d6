import HeadraceCSQLite
import HeadraceColumnar
public import HeadraceCore

/// Rows of one chunk of an SQLite source, with those that did not fit.
public struct SQLiteChunk: Sendable {
    let records: RecordBatch
    let rejects: [Reject]
    let origin: SQLiteOrigin
}

/// Where the rows of a chunk stand in their source.
final class SQLiteOrigin: Origin {
    let source: String
    /// The ordinal of the chunk's first row in the source, from 1.
    let first: Int
    /// The rows of the source between the chunk's rows that were refused, as ordinals from 0 in the chunk; mostly none.
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

    /// SQLite keeps no record that could be shown as it stood.
    func original(of row: Int) -> [UInt8]? { nil }
}

/// A statement that is being read, with its builders. Lives inside its database's actor.
final class SQLiteCursor {
    /// What a chunk holds at most; a row is never split.
    static let rowLimit = 4096
    static let byteLimit = 512 << 10

    private let statement: SQLiteStatement
    private let reader: SQLiteRowReader
    private let order: SQLiteReadingOrder?
    /// Rows of the source that were read, refused ones included.
    private var rowsRead: Int
    /// What names the row that was read last in the source's order: a rowid, or the values of a key.
    private var last: [SQLiteValue] = []
    private var lastRowid: Int64 = 0
    private let rowidColumn: Int32?
    private var isAtEnd = false

    init(
        _ statement: SQLiteStatement, schema: Schema, columns: [Int], order: SQLiteReadingOrder?, rowsBefore: Int
    ) throws {
        guard let reader = SQLiteRowReader(schema, columns: columns) else {
            throw HeadraceError(.schemaMismatch, "an SQLite column is never a list or struct", hint: "read it as json")
        }
        self.statement = statement
        self.reader = reader
        self.order = order
        rowidColumn = order?.isRowid == true ? Int32(statement.columnCount - 1) : nil
        rowsRead = rowsBefore
    }

    /// The next chunk, nil at the end.
    func next(source: String) throws(SQLiteFailure) -> (chunk: SQLiteChunk, position: Position)? {
        if isAtEnd { return nil }
        let first = rowsRead + 1
        var (rows, bytes) = (0, 0)
        var rejects: [Reject] = []
        var refused: [Int] = []
        while rows + refused.count < Self.rowLimit, bytes < Self.byteLimit {
            guard try statement.step() else {
                isAtEnd = true
                break
            }
            rowsRead += 1
            if let rowidColumn {
                lastRowid = sqlite3_column_int64(statement.handle, rowidColumn)
            } else {
                order?.note(statement, in: &last)
            }
            if let misfit = reader.take(statement, bytes: &bytes) {
                refused.append(rowsRead - first)
                rejects.append(reject(misfit, source: source))
            } else {
                rows += 1
            }
        }
        guard rows + refused.count > 0 else { return nil }
        let origin = SQLiteOrigin(source: source, first: first, refused: refused)
        return (SQLiteChunk(records: reader.finish(count: rows), rejects: rejects, origin: origin), position)
    }

    /// After the row that was read last.
    private var position: Position {
        order?.position(after: rowidColumn == nil ? last : [.integer(lastRowid)], row: rowsRead)
            ?? Position(["row": .integer(rowsRead)])
    }

    private func reject(_ misfit: SQLiteRowReader.Misfit, source: String) -> Reject {
        Reject(
            rule: "column \(misfit.field.name)", code: "doesNotFit", field: misfit.field.name, value: misfit.text,
            message: misfit.message, place: Place(source: source, row: rowsRead))
    }
}

/// Reads rows of one statement inside one read transaction.
///
/// - Invariant (`@unchecked Sendable`): `cursor` is touched inside calls of the database's actor only.
public final class SQLiteReader: SourceReader, @unchecked Sendable {
    private let database: SQLiteDatabase
    private let source: String
    private let stream: StreamID
    private let cancellation: Cancellation
    private let cancellationKey: Int
    private var cursor: SQLiteCursor?

    private init(_ database: SQLiteDatabase, source: String, stream: StreamID, context: RunContext) {
        self.database = database
        self.source = source
        self.stream = stream
        cancellation = context.cancellation
        cancellationKey = database.follow(context.cancellation)
    }

    /// Opens a connection and a read transaction, and the cursor that `body` makes in it.
    static func open(
        path: String, source: String, stream: StreamID, context: RunContext,
        _ body: @escaping @Sendable (SQLiteConnection) throws -> SQLiteCursor
    ) async throws -> SQLiteReader {
        let database = SQLiteDatabase(path: path, options: .reading)
        let reader = SQLiteReader(database, source: source, stream: stream, context: context)
        do {
            try await database.use { connection in
                // All that is read from here on is of one moment: the first read after BEGIN.
                try connection.execute("BEGIN")
                reader.cursor = try body(connection)
            }
        } catch {
            await reader.close()
            throw error
        }
        return reader
    }

    public func next() async throws -> Read<SQLiteChunk> {
        try await database.use { _ in
            guard let (chunk, position) = try self.cursor?.next(source: self.source) else { return .end }
            return .chunk(chunk, position)
        }
    }

    public func decode(_ chunk: SQLiteChunk, sequence: UInt64) throws -> Batch {
        Batch(
            chunk.records, provenance: Provenance(chunk.origin), rejects: chunk.rejects, stream: stream,
            sequence: sequence, recordsRead: chunk.records.count + chunk.rejects.count)
    }

    public func close() async {
        cancellation.remove(cancellationKey)
        await database.finish { _ in self.cursor = nil }
        await database.close()
    }
}
