public import HeadraceCore

/// A key-value store in one file, with DynamoDB's rules for items, keys, batches and conditions.
///
/// Every write is on the disk when its call returns. Many processes may use one file: writers wait for each other, readers
/// wait for nobody. Items whose time to live has passed are not seen and do not count; the next write to their key, or
/// `removeExpired`, takes them off the disk.
public final class EmbeddedKeyValueStore: KeyValueStore {
    /// The file, as it was named.
    public let path: String
    private let clock: any RunClock
    private let file: KeyValueFile
    /// The most bytes of items, as stored, that one scan or query gives back; as DynamoDB has it.
    static let largestPage = 1 << 20

    /// A store in the file at `path`, opened at first use.
    ///
    /// - Parameters:
    ///   - clock: tells which items have expired.
    ///   - creates: whether a file that is not there is made; without, it is `notFound`.
    public init(at path: String, clock: any RunClock, creates: Bool = true) {
        self.path = path
        self.clock = clock
        file = KeyValueFile(path, creates: creates)
    }

    /// The location of the file, `kv:PATH`.
    public var name: String { "kv:\(path)" }
    private var now: Int64 { clock.now() / 1_000_000 }

    public func ensureTable(_ table: String, key: KeySchema, ttl: String?) async throws {
        try await file.run { _ = try KeyValueTable.ensure(table, key: key, ttl: ttl, $0) }
    }

    /// The tables with their keys and attributes of time to live, in order of name.
    public func tables() async throws -> [(name: String, key: KeySchema, ttl: String?)] {
        try await file.run { connection in
            try KeyValueTable.names(connection).map { name in
                let table = try KeyValueTable(name, connection)
                return (table.name, table.key, table.ttl)
            }
        }
    }

    /// The key of a table.
    ///
    /// - Throws: `tableNotFound`.
    public func key(of table: String) async throws -> KeySchema {
        try await file.run { try KeyValueTable(table, $0).key }
    }

    /// The items of a table that have not expired.
    ///
    /// - Throws: `tableNotFound`.
    public func count(_ table: String) async throws -> Int {
        let now = now
        return try await file.run { connection in
            let table = try KeyValueTable(table, connection)
            let statement = try connection.statement(
                "SELECT count(*) FROM items WHERE table_id = ? AND (expires IS NULL OR expires > ?)")
            defer { statement.reset() }
            statement.bind(table.id, 1)
            statement.bind(now, 2)
            return try statement.step() ? Int(statement.integer(0)) : 0
        }
    }

    /// Takes expired items of a table off the disk; gives their number.
    public func removeExpired(_ table: String) async throws -> Int {
        let now = now
        return try await file.run { connection in
            try connection.transaction { () throws(HeadraceError) in
                let table = try KeyValueTable(table, connection)
                let statement = try connection.statement("DELETE FROM items WHERE table_id = ? AND expires <= ?")
                statement.bind(table.id, 1)
                statement.bind(now, 2)
                try statement.run()
                return connection.changes
            }
        }
    }

    /// The item of a key; nil when there is none or it has expired.
    public func get(_ table: String, key: Item) async throws -> Item? {
        let now = now
        return try await file.run { connection in
            let table = try KeyValueTable(table, connection)
            let (partition, sort) = try ItemRules.orderedKey(ItemRules.checkedKey(key, table.key), table.key)
            return try table.stored(partition, sort, now: now, connection).map { try KeyValueTable.parse($0) }
        }
    }

    public func put(_ table: String, _ item: Item, if condition: WriteCondition?) async throws -> Bool {
        let now = now
        return try await file.run { connection in
            let table = try KeyValueTable(table, connection)
            let item = try ItemRules.checked(item, key: table.key)
            let (partition, sort) = try ItemRules.orderedKey(item, table.key)
            return try connection.transaction { () throws(HeadraceError) in
                if let condition {
                    let stored = try table.stored(partition, sort, now: now, connection)
                    var found: Item?
                    if let stored { found = try KeyValueTable.parse(stored) }
                    guard try ItemRules.holds(condition, for: found) else { return false }
                }
                try table.put(partition, sort, KeyValueTable.text(item), expires: table.expiry(item), connection)
                return true
            }
        }
    }

    /// Writes all of a batch in one transaction; nothing is ever left to be tried again.
    public func batchWrite(_ table: String, _ writes: [KeyValueWrite]) async throws -> [KeyValueWrite] {
        try await file.run { connection in
            let table = try KeyValueTable(table, connection)
            let checked = try ItemRules.checked(writes, key: table.key)
            try connection.transaction { () throws(HeadraceError) in
                for (write, partition, sort) in checked {
                    switch write {
                    case .put(let item):
                        try table.put(
                            partition, sort, KeyValueTable.text(item), expires: table.expiry(item), connection)
                    case .delete: try table.delete(partition, sort, connection)
                    }
                }
            }
            return []
        }
    }

    public func scan(_ table: String, after start: Item?, limit: Int) async throws -> (items: [Item], last: Item?) {
        try await read(table, partition: nil, after: start, limit: limit)
    }

    public func query(
        _ table: String, partition: AttributeValue, after start: Item?, limit: Int
    ) async throws -> (items: [Item], last: Item?) {
        try await read(table, partition: partition, after: start, limit: limit)
    }

    private func read(
        _ table: String, partition: AttributeValue?, after start: Item?, limit: Int
    ) async throws -> (items: [Item], last: Item?) {
        guard limit > 0 else { throw HeadraceError(.badOption, "a page of \(limit) items cannot be read") }
        let now = now
        return try await file.run { connection in
            let table = try KeyValueTable(table, connection)
            let start = try start.map { try ItemRules.orderedKey(ItemRules.checkedKey($0, table.key), table.key) }
            let isExpired = "expires IS NOT NULL AND expires <= ?5"
            let statement: KeyValueStatement
            if let partition {
                statement = try connection.statement(
                    """
                    SELECT item FROM items WHERE table_id = ?1 AND partition = ?2 AND sort \(start == nil ? ">=" : ">") ?3
                    AND NOT (\(isExpired)) ORDER BY sort LIMIT ?4
                    """)
                let only = try ItemRules.ordered(partition, table.key.partition, table.key.partitionType)
                statement.bind(only, 2)
            } else {
                // No partition is empty, so that the first page begins after nothing.
                statement = try connection.statement(
                    """
                    SELECT item FROM items WHERE table_id = ?1 AND (partition, sort) > (?2, ?3)
                    AND NOT (\(isExpired)) ORDER BY partition, sort LIMIT ?4
                    """)
                statement.bind(start?.partition ?? [], 2)
            }
            defer { statement.reset() }
            statement.bind(table.id, 1)
            statement.bind(start?.sort ?? [], 3)
            statement.bind(Int64(min(limit, Int.max - 1)) + 1, 4)
            statement.bind(now, 5)
            var items: [Item] = []
            var size = 0
            while try statement.step() {
                if items.count == limit || (size > Self.largestPage && !items.isEmpty) {
                    return (items, items.last.map { item in item.filter { table.key.names.contains($0.key) } })
                }
                let text = statement.text(0) ?? ""
                size += text.utf8.count
                items.append(try KeyValueTable.parse(text))
            }
            return (items, nil)
        }
    }

    /// The last checkpoint that a job has committed under a sink's name; nil when there is none.
    func checkpoint(job: String, sink: String) async throws -> Checkpoint? {
        try await file.run { connection in
            let statement = try connection.statement("SELECT checkpoint FROM state WHERE job = ? AND sink = ?")
            defer { statement.reset() }
            statement.bind(job, 1)
            statement.bind(sink, 2)
            guard try statement.step() else { return nil }
            return (try? JSONValue.parse(statement.text(0) ?? "")).flatMap { Checkpoint(json: $0) }
        }
    }

    /// Closes the file; later calls fail. With the last user of the file its write-ahead log goes.
    public func close() async { await file.close() }
}
