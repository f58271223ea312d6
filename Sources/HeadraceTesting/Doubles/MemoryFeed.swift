public import HeadraceColumnar
public import HeadraceCore
import Synchronization

/// Rows in memory that others add while it is read: each reading gives those that came since the one before.
///
/// Every row has a time, which rows can share, and is seen from a moment on, which may be later than that of rows with later
/// times. The mistakes that the contract must find can be switched on.
public final class MemoryFeed: IncrementalSource {
    /// Ways to break the promises of an incremental source.
    public enum Fault: Sendable, Hashable, CaseIterable {
        /// Takes rows after the last time: loses those that share it, and those that come late.
        case losesBoundary
        /// Takes rows from the last time on: gives those that share it again.
        case repeatsBoundary
        /// Takes rows after the last key: loses those that come late.
        case losesLateRows
        /// Goes on after an interruption as if the reading had ended.
        case forgetsInterruptions
        /// Begins anew after a reading that found nothing.
        case beginsAnew
        /// Remembers every row that it gave.
        case remembersRows
    }

    private struct Entry {
        let row: [Scalar]
        let time: Int
        /// The number in the order in which rows came to be seen.
        let seen: Int
    }

    public let name: String
    /// The fields of all rows.
    public let schema: Schema
    private let fault: Fault?
    private let chunkSize: Int
    private let entries = Mutex<[Entry]>([])

    /// A feed without rows.
    public init(_ name: String, schema: Schema, chunkSize: Int = 3, fault: Fault? = nil) {
        self.name = name
        self.schema = schema
        self.chunkSize = chunkSize
        self.fault = fault
    }

    /// Adds rows that can be seen at once, with a time for each.
    public func add(_ rows: [(row: [Scalar], time: Int)]) {
        entries.withLock { entries in
            for (row, time) in rows { entries.append(Entry(row: row, time: time, seen: entries.count + 1)) }
        }
    }

    /// The highest time so far; 0 without rows.
    public var lastTime: Int { entries.withLock { $0.map(\.time).max() ?? 0 } }

    public func schema(in context: RunContext) async throws -> Schema { schema }

    public func openReader(for schema: Schema, from position: Position?, in context: RunContext) async throws -> Reader
    {
        func number(_ name: String) -> Int { Int(position?.value[name]?.integerValue ?? 0) }
        let (after, bound, given) = (number("after"), number("bound"), number("given"))
        // Within a reading the bound stays; what comes meanwhile is the next one's.
        let isOpen = bound > 0 && fault != .forgetsInterruptions
        let start = fault == .forgetsInterruptions && bound > 0 ? bound : after
        let (rows, end) = entries.withLock { entries -> ([[Scalar]], Int) in
            let end = isOpen ? bound : entries.count
            let chosen = entries.filter { entry in
                switch fault {
                case .losesBoundary where start > 0: entry.time > entries[start - 1].time && entry.seen <= end
                case .repeatsBoundary where start > 0:
                    entry.seen <= end && (entry.seen > start || entry.time == entries[start - 1].time)
                case .losesLateRows where start > 0:
                    entry.seen <= end && entry.seen > start && entry.time >= (entries[..<start].map(\.time).max() ?? 0)
                default: entry.seen > start && entry.seen <= end
                }
            }
            return (chosen.map(\.row), end)
        }
        let rest = Array(rows.dropFirst(isOpen ? given : 0))
        return Reader(self, rest, start: start, end: end, given: isOpen ? given : 0)
    }

    /// - Invariant (`@unchecked Sendable`): what changes is touched by `next` alone, one call at a time.
    public final class Reader: SourceReader, @unchecked Sendable {
        /// Some rows, and how many the reading gave before them.
        public typealias Chunk = (rows: [[Scalar]], first: Int)
        private let feed: MemoryFeed
        private var rest: [[Scalar]]
        private let start: Int
        private let end: Int
        private var given: Int

        init(_ feed: MemoryFeed, _ rest: [[Scalar]], start: Int, end: Int, given: Int) {
            self.feed = feed
            self.rest = rest
            self.start = start
            self.end = end
            self.given = given
        }

        public func next() async throws -> Read<Chunk> {
            guard !rest.isEmpty else {
                guard feed.fault == .beginsAnew, start > 0, given == 0 else { return .end }
                given = 1
                return .chunk(([], 0), Position(.object([("after", 0), ("bound", 0), ("given", 0)])))
            }
            let rows = Array(rest.prefix(feed.chunkSize))
            rest.removeFirst(rows.count)
            defer { given += rows.count }
            let isLast = rest.isEmpty
            var members: [(String, JSONValue)] = [
                ("after", .integer(isLast ? end : start)), ("bound", .integer(isLast ? 0 : end)),
                ("given", .integer(isLast ? 0 : given + rows.count)),
            ]
            if feed.fault == .remembersRows {
                members.append(("rows", .array((0..<end).map { .string("row \($0)") })))
            }
            return .chunk((rows, start + given), Position(.object(members)))
        }

        public func decode(_ chunk: Chunk, sequence: UInt64) throws -> Batch {
            Batch(
                try .of(feed.schema, chunk.rows), provenance: Provenance(MemoryOrigin(feed.name, first: chunk.first)),
                stream: feed.stream, sequence: sequence, recordsRead: chunk.rows.count)
        }

        public func close() async {}
    }
}
