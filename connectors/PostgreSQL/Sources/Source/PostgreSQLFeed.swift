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

/// Takes rows from several connections at once, each on a thread of its own, and hands them on chunk by chunk.
///
/// What waits to be handed on is bounded in bytes; a connection that would pass the bound waits, and the server with it.
///
/// - Invariant (`@unchecked Sendable`): stored properties that change are touched under `condition` only.
final class PostgreSQLFeed: @unchecked Sendable {
    /// What a connection brings: rows with how far the part has been read, or its end.
    enum Item: Sendable {
        case rows(PostgreSQLChunk, part: Int, at: PostgreSQLRowPlace?, rowsInPart: Int)
        case end(part: Int)
    }

    /// A chunk is closed at this size; a row is never split.
    static let chunkBytes = 512 << 10
    static let chunkRows = 8192
    /// What may wait in all.
    private static let waitingBytes = 2 << 20

    private let condition = Condition()
    private var queue: [Item] = []
    private var waiting = 0
    private var running = 0
    private var failure: (any Error)?
    private var isClosed = false

    /// Starts to read a part on a thread of its own.
    ///
    /// The thread runs `body`, which puts items until `put` says that nobody wants more.
    func start(_ body: @escaping @Sendable (PostgreSQLFeed) throws -> Void) {
        condition.withLock { running += 1 }
        EngineThread.start {
            var problem: (any Error)?
            do { try body(self) } catch { problem = error }
            self.condition.lock()
            if self.failure == nil { self.failure = problem }
            self.running -= 1
            self.condition.broadcast()
            self.condition.unlock()
        }
    }

    /// Adds an item when there is room; waits for it otherwise.
    /// - Returns: false when the feed is closed or has failed.
    func put(_ item: Item) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        let size = Self.size(item)
        while waiting > 0, waiting + size > Self.waitingBytes, !isClosed, failure == nil { condition.wait() }
        guard !isClosed, failure == nil else { return false }
        queue.append(item)
        waiting += size
        condition.broadcast()
        return true
    }

    private static func size(_ item: Item) -> Int {
        if case .rows(let chunk, _, _, _) = item { chunk.bytes.byteCount } else { 0 }
    }

    /// The next item, nil when all parts have ended.
    /// - Throws: what ended a part early.
    func take() throws -> Item? {
        condition.lock()
        defer { condition.unlock() }
        while queue.isEmpty, failure == nil, running > 0 { condition.wait() }
        if let failure { throw failure }
        guard !queue.isEmpty else { return nil }
        let item = queue.removeFirst()
        waiting -= Self.size(item)
        condition.broadcast()
        return item
    }

    /// Wants no more, and waits until every thread has let go of its connection.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        while running > 0 { condition.wait() }
        queue = []
        condition.unlock()
    }
}
