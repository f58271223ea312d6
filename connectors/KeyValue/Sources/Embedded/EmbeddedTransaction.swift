import Glibc
public import HeadraceCore

extension EmbeddedKeyValueStore: TransactionalKeyValueStore {
    public func beginTransaction(
        _ table: String, sink: String, keeping: [String], in context: RunContext
    ) async throws -> any KeyValueTransaction {
        let transaction = EmbeddedTransaction(path, table: table, sink: sink, keeping: keeping, context)
        do {
            try await transaction.open()
        } catch {
            await transaction.abort()
            throw error
        }
        return transaction
    }

    public func committed(sink: String, in context: RunContext) async throws -> Checkpoint? {
        // Asking must not make the file.
        guard access(path, F_OK) == 0 else { return nil }
        return try await checkpoint(job: context.job, sink: sink)
    }
}

/// Collects writes in a temporary table of a connection of its own, on disk when they are many, and applies them in one
/// transaction at the end: the store is locked for the time of the last step only.
final class EmbeddedTransaction: KeyValueTransaction {
    private let file: KeyValueFile
    private let table: String
    private let sink: String
    private let keeping: [String]
    private let context: RunContext

    init(_ path: String, table: String, sink: String, keeping: [String], _ context: RunContext) {
        file = KeyValueFile(path, creates: false)
        self.table = table
        self.sink = sink
        self.keeping = keeping
        self.context = context
    }

    func open() async throws {
        let name = table
        try await file.run { connection in
            _ = try KeyValueTable(name, connection)
            try connection.execute(
                """
                PRAGMA temp_store = FILE;
                CREATE TEMP TABLE staged(number INTEGER PRIMARY KEY, partition BLOB, sort BLOB, item TEXT, expires INTEGER)
                """)
        }
    }

    func write(_ items: [Item]) async throws {
        guard !items.isEmpty else { return }
        let name = table
        try await file.run { connection in
            let table = try KeyValueTable(name, connection)
            // Deferred: it touches the temporary table only, and so locks nobody out.
            try connection.execute("BEGIN")
            do {
                for item in items {
                    let (partition, sort) = try ItemRules.orderedKey(item, table.key)
                    let insert = try connection.statement(
                        "INSERT INTO staged(partition, sort, item, expires) VALUES(?, ?, ?, ?)")
                    insert.bind(partition, 1)
                    insert.bind(sort, 2)
                    insert.bind(KeyValueTable.text(item), 3)
                    insert.bind(table.expiry(item), 4)
                    try insert.run()
                }
                try connection.execute("COMMIT")
            } catch {
                connection.rollBack()
                throw error
            }
        }
    }

    func settle() async throws -> WriteCounts {
        let (name, keeping, cancellation) = (table, keeping, context.cancellation)
        let now = context.clock.now() / 1_000_000
        return try await file.run { connection in
            try connection.execute("BEGIN IMMEDIATE")
            do {
                let table = try KeyValueTable(name, connection)
                let read = try connection.statement(
                    "SELECT number, partition, sort, item, expires FROM staged WHERE number > ? ORDER BY number LIMIT 500"
                )
                var counts = WriteCounts()
                var last: Int64 = 0
                while true {
                    try cancellation.check()
                    read.reset()
                    read.bind(last, 1)
                    var seen = 0
                    while try read.step() {
                        seen += 1
                        last = read.integer(0)
                        try Self.apply(
                            table, read.bytes(1), read.bytes(2), read.text(3) ?? "",
                            expires: read.isNull(4) ? nil : read.integer(4), keeping, now, &counts, connection)
                    }
                    if seen == 0 { break }
                }
                read.reset()
                try connection.execute("DELETE FROM staged")
                return counts
            } catch {
                connection.rollBack()
                throw error
            }
        }
    }

    private static func apply(
        _ table: KeyValueTable, _ partition: [UInt8], _ sort: [UInt8], _ text: String, expires: Int64?,
        _ keeping: [String], _ now: Int64, _ counts: inout WriteCounts, _ connection: KeyValueConnection
    ) throws(HeadraceError) {
        let before = try table.stored(partition, sort, now: now, connection)
        var text = text
        var expires = expires
        if let before, !keeping.isEmpty {
            let old = try KeyValueTable.parse(before)
            var item = try KeyValueTable.parse(text)
            for name in keeping { item[name] = old[name] ?? item[name] }
            text = KeyValueTable.text(try ItemRules.checked(item, key: table.key))
            expires = table.expiry(item)
        }
        if before == text {
            counts.unchanged += 1
            return
        }
        try table.put(partition, sort, text, expires: expires, connection)
        if before == nil { counts.inserted += 1 } else { counts.updated += 1 }
    }

    func commit(_ checkpoint: Checkpoint) async throws {
        let (job, sink, fence) = (context.job, sink, context.fence)
        try context.faults.reach("keyvalue.commit")
        try await file.run { connection in
            do {
                let read = try connection.statement("SELECT fence FROM state WHERE job = ? AND sink = ?")
                read.bind(job, 1)
                read.bind(sink, 2)
                let found = try read.step() ? read.integer(0) : Int64.min
                read.reset()
                guard found <= fence else {
                    throw HeadraceError(
                        .leaseLost, "a later run of \(job) has written to \(sink)",
                        fields: [("fence", "\(fence)"), ("found", "\(found)")])
                }
                let write = try connection.statement(
                    "INSERT OR REPLACE INTO state(job, sink, fence, checkpoint) VALUES(?, ?, ?, ?)")
                write.bind(job, 1)
                write.bind(sink, 2)
                write.bind(fence, 3)
                write.bind(checkpoint.json.compactText, 4)
                try write.run()
                try connection.execute("COMMIT")
            } catch {
                connection.rollBack()
                throw error
            }
        }
        if checkpoint.isFinal { await file.close() }
    }

    func abort() async {
        // Closing the connection undoes its transaction and drops its temporary table.
        await file.close()
    }
}
