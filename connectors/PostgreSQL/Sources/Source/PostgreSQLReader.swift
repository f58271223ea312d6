import HeadraceCPQ
import HeadraceColumnar
public import HeadraceCore

/// Reads rows of one moment of a database, over one connection or several.
///
/// - Invariant (`@unchecked Sendable`): `pass` and `parts` are touched by the one caller of `nextNow` only.
public final class PostgreSQLReader: SynchronousSourceReader, @unchecked Sendable {
    private let feed = PartFeed<PostgreSQLItem>()
    private let leader: PostgreSQLSession
    private let interrupters: [PostgreSQLInterrupter]
    private let cancellation: Cancellation
    private let keys: [Int]
    private let stream: StreamID
    private let decoder: PostgreSQLRowDecoder
    private let position: PostgreSQLReadState
    private let givesLastPosition: Bool
    private var parts: [Int: PostgreSQLPart]
    private var hasEnded = false

    /// Starts the plan's streams, each on a thread and a connection of its own; `leader` holds the snapshot until the reader is closed.
    init(
        _ plan: PostgreSQLReadPlan, leader: PostgreSQLSession, leaderKey: Int, configuration: PostgreSQLConfiguration,
        stream: StreamID, context: RunContext
    ) {
        self.leader = leader
        self.stream = stream
        cancellation = context.cancellation
        decoder = plan.decoder
        position = plan.state
        givesLastPosition = plan.givesLastPosition
        var waiting: [Int: PostgreSQLPart] = [:]
        for (index, part) in plan.state.parts.enumerated() { waiting[index] = part }
        parts = waiting
        let producers = zip(plan.statements, 0...).map { statement, index in
            PostgreSQLProducer(
                statement: statement, part: index, start: plan.state.parts.isEmpty ? nil : plan.state.parts[index],
                source: stream.name)
        }
        interrupters = (0..<min(plan.streams, producers.count)).map { _ in PostgreSQLInterrupter() }
        keys =
            [leaderKey] + interrupters.map { interrupter in context.cancellation.onCancel { interrupter.interrupt() } }
        let next = PartTicket(count: producers.count)
        for interrupter in interrupters {
            let snapshot = plan.snapshot
            feed.start { feed in
                do {
                    let connection = try PostgreSQLConnection(configuration, interrupter: interrupter)
                    try snapshot.join(connection)
                    while let index = next.take() {
                        guard try producers[index].run(connection, into: feed) else { break }
                    }
                    connection.rollBack()
                } catch {
                    throw (error as? PostgreSQLFailure)?.error ?? error
                }
            }
        }
    }

    public func nextNow() throws -> Read<PostgreSQLChunk> {
        while let item = try feed.take() {
            switch item {
            case .rows(let chunk, let part, let at, let rows):
                parts[part]?.at = at
                parts[part]?.rows = rows
                return .chunk(chunk, position.position(with: parts))
            case .end(let part): parts[part] = nil
            }
        }
        if cancellation.isCancelled { throw HeadraceError.cancelled }
        guard givesLastPosition, !hasEnded else { return .end }
        hasEnded = true
        let nothing = PostgreSQLChunk(
            bytes: MutableBuffer(capacity: 1).finish(byteCount: 0), rows: 0,
            origin: PostgreSQLOrigin(source: stream.name, first: 1))
        return .chunk(nothing, position.position(with: parts))
    }

    public func decode(_ chunk: PostgreSQLChunk, sequence: UInt64) throws -> Batch {
        let (records, misfits) = try chunk.bytes.withBytes { try decoder.decode($0, rows: chunk.rows) }
        var batch = Batch(
            records, provenance: Provenance(chunk.origin), stream: stream, sequence: sequence, recordsRead: chunk.rows)
        guard !misfits.isEmpty else { return batch }
        var reasons: [Int: Reject] = [:]
        for (field, misfit) in misfits where reasons[misfit.row] == nil {
            reasons[misfit.row] = Reject(
                rule: "column \(field)", code: misfit.code, field: field, value: misfit.value, message: misfit.message,
                place: chunk.origin.place(of: misfit.row))
        }
        let kept = (0..<Int32(truncatingIfNeeded: chunk.rows)).filter { reasons[Int($0)] == nil }
        batch = kept.withUnsafeBufferPointer { batch.taking($0) }
        batch.rejects = reasons.sorted { $0.key < $1.key }.map(\.value)
        return batch
    }

    public func close() async {
        for interrupter in interrupters { interrupter.interrupt() }
        let feed = self.feed
        _ = try? await BlockingWork.run { feed.close() }
        for key in keys { cancellation.remove(key) }
        await leader.close()
    }
}

/// Copies the rows of one part out of its connection.
struct PostgreSQLProducer: Sendable {
    let statement: SQL
    let part: Int
    /// Where the part begins; nil for a query, whose rows have no places.
    let start: PostgreSQLPart?
    let source: String

    /// - Returns: false when nobody wants more rows.
    func run(_ connection: PostgreSQLConnection, into feed: PartFeed<PostgreSQLItem>) throws -> Bool {
        try connection.beginCopyOut(statement)
        var (isHeaderRead, isLive) = (false, true)
        var last = start?.at
        var rowsBefore = start?.rows ?? 0
        let hasPlaces = start != nil
        while isLive {
            var buffer = MutableBuffer(capacity: PartLimits.chunkBytes + (64 << 10))
            var (used, rows) = (0, 0)
            var isInOrder = true
            isLive = try connection.copyOut { message in
                var message = message
                if !isHeaderRead {
                    message = try Self.withoutHeader(message)
                    isHeaderRead = true
                }
                guard message.count > 2, let bytes = message.baseAddress else { return true }
                if used &+ message.count > buffer.capacity { buffer.reserve(used &+ message.count, keeping: used) }
                (buffer.base + used).copyMemory(from: bytes, byteCount: message.count)
                used &+= message.count
                rows &+= 1
                if hasPlaces {
                    guard message.count >= 12 else { throw Self.broken }
                    let place = PostgreSQLRowPlace(bytes + (message.count &- 6))
                    if let last, place <= last { isInOrder = false }
                    last = place
                }
                return used < PartLimits.chunkBytes && rows < PartLimits.chunkRows
            }
            guard isInOrder else {
                throw HeadraceError(
                    .unexpected, "PostgreSQL gave rows of \(source) out of the order of its blocks",
                    hint: "read it as a query")
            }
            guard rows > 0 else { continue }
            let origin = PostgreSQLOrigin(source: source, first: part * PartLimits.ordinalStride + rowsBefore + 1)
            rowsBefore += rows
            let chunk = PostgreSQLChunk(bytes: buffer.finish(byteCount: used), rows: rows, origin: origin)
            guard feed.put(.rows(chunk, part: part, at: last, rowsInPart: rowsBefore), bytes: used) else {
                connection.settle()
                return false
            }
        }
        return feed.put(.end(part: part), bytes: 0)
    }

    private static var broken: HeadraceError {
        HeadraceError(.malformedInput, "PostgreSQL sent something else than rows of a binary COPY")
    }

    /// What follows signature, flags and extension in the first message.
    private static func withoutHeader(_ message: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        guard message.count >= 19, message[..<11].elementsEqual(PostgreSQLEncodedRows.header[..<11]) else {
            throw broken
        }
        let extra = Int(UInt32(bigEndian: message.loadUnaligned(fromByteOffset: 15, as: UInt32.self)))
        guard extra <= message.count - 19 else { throw broken }
        return UnsafeRawBufferPointer(rebasing: message[(19 + extra)...])
    }
}
