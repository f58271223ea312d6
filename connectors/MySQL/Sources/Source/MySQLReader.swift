import HeadraceColumnar
public import HeadraceCore

/// Rows of one chunk of a MySQL source, as the server sent them.
public struct MySQLChunk: Sendable {
    let rows: MySQLRows
    /// The ordinal of the first row in its source, from 1; parts count from a million million times their number.
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

/// What a connection brings to a reader: rows with how far the part has been read, or its end.
enum MySQLItem: Sendable {
    case rows(MySQLChunk, part: Int, key: MySQLKey?, rowsInPart: Int)
    case end(part: Int)
}

/// Reads rows of one moment of a database, over one connection or several.
///
/// - Invariant (`@unchecked Sendable`): `left`, `rowsRead` and `hasEnded` are touched by the one caller of `nextNow` only.
public final class MySQLReader: SynchronousSourceReader, @unchecked Sendable {
    private let feed = PartFeed<MySQLItem>()
    private let crew: MySQLCrew
    private let source: String
    private let streamID: StreamID
    private let cancellation: Cancellation
    private let plan: MySQLReadPlan
    private var left: [Int: MySQLPart] = [:]
    private var rowsRead = 0
    private var hasEnded = false

    /// Starts the plan's statements on the connections, each on a thread of its own.
    init(_ plan: MySQLReadPlan, on opened: MySQLOpened, crew: MySQLCrew, stream: StreamID, context: RunContext) {
        self.plan = plan
        self.crew = crew
        source = stream.name
        streamID = stream
        cancellation = context.cancellation
        for (index, part) in plan.state.parts.enumerated() { left[index] = part }
        let producers = zip(plan.statements, 0...).map { statement, index in
            MySQLProducer(
                statement: statement, part: index,
                start: plan.state.parts.isEmpty ? MySQLPart(number: 0) : plan.state.parts[index], key: plan.key)
        }
        let next = PartTicket(count: producers.count)
        for member in opened.members.prefix(max(producers.count, 1)) {
            feed.start { feed in
                do {
                    while let index = next.take() {
                        guard try producers[index].run(member.connection, into: feed) else { break }
                    }
                    member.connection.rollBack()
                } catch {
                    throw crew.error(error, on: member)
                }
            }
        }
    }

    public func nextNow() throws -> Read<MySQLChunk> {
        while let item = try feed.take() {
            switch item {
            case .rows(let chunk, let part, let key, let rows):
                rowsRead += chunk.rows.count
                left[part]?.rows = rows
                guard let key else { return .chunk(chunk, Position(["row": .integer(rowsRead)])) }
                left[part]?.after = key
                return .chunk(chunk, plan.state.position(with: left))
            case .end(let part): left[part] = nil
            }
        }
        if cancellation.isCancelled { throw HeadraceError.cancelled }
        guard plan.givesLastPosition, !hasEnded else { return .end }
        hasEnded = true
        let nothing = MySQLChunk(rows: MySQLRows(columnCount: 1, bytes: 0, rows: 0), first: 1)
        return .chunk(nothing, plan.state.position(with: left))
    }

    public func decode(_ chunk: MySQLChunk, sequence: UInt64) throws -> Batch {
        let (records, misfits) = plan.decoder.decode(chunk.rows)
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
        crew.interrupt()
        let feed = self.feed
        _ = try? await BlockingWork.run { feed.close() }
        crew.release()
    }
}

/// Reads the rows of one part from its connection.
struct MySQLProducer: Sendable {
    let statement: SQL
    let part: Int
    let start: MySQLPart
    let key: (order: MySQLReadingOrder, offset: Int)?

    /// - Returns: false when nobody wants more rows.
    func run(_ connection: MySQLConnection, into feed: PartFeed<MySQLItem>) throws -> Bool {
        let stream = try connection.stream(statement)
        var rowsBefore = start.rows
        var isLive = true
        while isLive {
            var rows = MySQLRows(columnCount: stream.columnCount, bytes: PartLimits.chunkBytes, rows: 2048)
            while rows.count < PartLimits.chunkRows, rows.byteCount < PartLimits.chunkBytes, isLive {
                isLive = try stream.next(into: &rows)
            }
            guard rows.count > 0 else { break }
            let chunk = MySQLChunk(rows: rows, first: start.number * PartLimits.ordinalStride + rowsBefore + 1)
            rowsBefore += rows.count
            let last = key.map { $0.order.key(rows, row: rows.count - 1, offset: $0.offset) }
            guard feed.put(.rows(chunk, part: part, key: last, rowsInPart: rowsBefore), bytes: rows.byteCount) else {
                // Rows that nobody wants would all be read before the connection could be closed in peace.
                connection.shutDown()
                return false
            }
        }
        return feed.put(.end(part: part), bytes: 0)
    }
}
