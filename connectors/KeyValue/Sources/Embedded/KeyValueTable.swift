import HeadraceCore

/// A table of a store file: its number and rules, and the reading and writing of single items within whatever
/// transaction is open.
struct KeyValueTable: Sendable {
    let id: Int64
    let name: String
    let key: KeySchema
    let ttl: String?

    /// Reads a table's rules.
    ///
    /// - Throws: `tableNotFound`.
    init(_ name: String, _ connection: KeyValueConnection) throws(HeadraceError) {
        guard let table = try Self.find(name, connection) else {
            throw HeadraceError(
                .tableNotFound, "there is no table \(name) in \(connection.path)",
                fields: [("tables", try Self.names(connection).joined(separator: ", "))],
                hint: "check the table's name, or write to it first")
        }
        self = table
    }

    private init(id: Int64, name: String, key: KeySchema, ttl: String?) {
        self.id = id
        self.name = name
        self.key = key
        self.ttl = ttl
    }

    static func find(_ name: String, _ connection: KeyValueConnection) throws(HeadraceError) -> KeyValueTable? {
        let statement = try connection.statement(
            "SELECT id, partition, partition_type, sort, sort_type, ttl FROM tables WHERE name = ?")
        defer { statement.reset() }
        statement.bind(name, 1)
        guard try statement.step() else { return nil }
        let key = KeySchema(
            partition: statement.text(1) ?? "", partitionType: KeyType(rawValue: statement.text(2) ?? "") ?? .string,
            sort: statement.text(3), sortType: KeyType(rawValue: statement.text(4) ?? "") ?? .string)
        return KeyValueTable(id: statement.integer(0), name: name, key: key, ttl: statement.text(5))
    }

    static func names(_ connection: KeyValueConnection) throws(HeadraceError) -> [String] {
        let statement = try connection.statement("SELECT name FROM tables ORDER BY name")
        defer { statement.reset() }
        var names: [String] = []
        while try statement.step() { names.append(statement.text(0) ?? "") }
        return names
    }

    /// Makes a table, or checks that the one that is there has this key.
    static func ensure(
        _ name: String, key: KeySchema, ttl: String?, _ connection: KeyValueConnection
    ) throws(HeadraceError) -> KeyValueTable {
        try checkNames(name, key)
        // Most calls find the table and need no lock.
        if let found = try find(name, connection), found.key == key, ttl == nil || found.ttl == ttl { return found }
        return try connection.transaction { () throws(HeadraceError) in
            if let found = try find(name, connection) {
                guard found.key == key else {
                    throw HeadraceError(
                        .schemaMismatch, "the table \(name) is there with another key",
                        fields: [("expected", describe(key)), ("found", describe(found.key))],
                        hint: "use the table's key, or another table")
                }
                if let ttl, found.ttl != ttl {
                    let update = try connection.statement("UPDATE tables SET ttl = ? WHERE id = ?")
                    update.bind(ttl, 1)
                    update.bind(found.id, 2)
                    try update.run()
                    try KeyValueTable(name, connection).expireAnew(connection)
                }
                return try KeyValueTable(name, connection)
            }
            let insert = try connection.statement(
                "INSERT INTO tables(name, partition, partition_type, sort, sort_type, ttl) VALUES(?, ?, ?, ?, ?, ?)")
            insert.bind(name, 1)
            insert.bind(key.partition, 2)
            insert.bind(key.partitionType.rawValue, 3)
            insert.bind(key.sort, 4)
            insert.bind(key.sortType.rawValue, 5)
            insert.bind(ttl, 6)
            try insert.run()
            return try KeyValueTable(name, connection)
        }
    }

    /// The key as messages show it: `Id (S), At (N)`.
    static func describe(_ key: KeySchema) -> String {
        let sort = key.sort.map { ", \($0) (\(key.sortType.rawValue))" } ?? ""
        return "\(key.partition) (\(key.partitionType.rawValue))\(sort)"
    }

    /// DynamoDB's rules for names: 3 to 255 letters, digits, `_`, `-` and `.`; we ask for one letter at least.
    private static func checkNames(_ name: String, _ key: KeySchema) throws(HeadraceError) {
        let isName = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F || byte == 0x2D
                || byte == 0x2E
        }
        guard isName, (1...255).contains(name.utf8.count) else {
            throw HeadraceError(
                .badOption, "\"\(name)\" cannot be the name of a table", hint: "use letters, digits, '_', '-' and '.'")
        }
        guard key.names.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 255 }), key.partition != key.sort else {
            throw HeadraceError(
                .badOption, "a key attribute needs a name of 1 to 255 bytes, and the two must differ")
        }
    }

    // MARK: - Items

    /// When an item expires, in seconds since 1970; nil when it does not.
    func expiry(_ item: Item) -> Int64? {
        guard let ttl, case .number(let text)? = item[ttl] else { return nil }
        return Int64(text.prefix { $0 != "." })
    }

    /// The item of a key as stored text, and whether one lies there that has expired.
    func stored(
        _ partition: [UInt8], _ sort: [UInt8], now: Int64, _ connection: KeyValueConnection
    ) throws(HeadraceError) -> String? {
        let statement = try connection.statement(
            "SELECT item, expires FROM items WHERE table_id = ? AND partition = ? AND sort = ?")
        defer { statement.reset() }
        statement.bind(id, 1)
        statement.bind(partition, 2)
        statement.bind(sort, 3)
        guard try statement.step() else { return nil }
        if !statement.isNull(1), statement.integer(1) <= now { return nil }
        return statement.text(0)
    }

    func put(
        _ partition: [UInt8], _ sort: [UInt8], _ text: String, expires: Int64?, _ connection: KeyValueConnection
    ) throws(HeadraceError) {
        let statement = try connection.statement(
            "INSERT OR REPLACE INTO items(table_id, partition, sort, item, expires) VALUES(?, ?, ?, ?, ?)")
        statement.bind(id, 1)
        statement.bind(partition, 2)
        statement.bind(sort, 3)
        statement.bind(text, 4)
        statement.bind(expires, 5)
        try statement.run()
    }

    func delete(_ partition: [UInt8], _ sort: [UInt8], _ connection: KeyValueConnection) throws(HeadraceError) {
        let statement = try connection.statement("DELETE FROM items WHERE table_id = ? AND partition = ? AND sort = ?")
        statement.bind(id, 1)
        statement.bind(partition, 2)
        statement.bind(sort, 3)
        try statement.run()
    }

    /// Reads the expiry of every item under the table's rule of today.
    private func expireAnew(_ connection: KeyValueConnection) throws(HeadraceError) {
        let read = try connection.statement("SELECT rowid, item FROM items WHERE table_id = ?")
        let write = try connection.statement("UPDATE items SET expires = ? WHERE rowid = ?")
        read.bind(id, 1)
        defer { read.reset() }
        while try read.step() {
            write.bind(expiry(try Self.parse(read.text(1) ?? "")), 1)
            write.bind(read.integer(0), 2)
            try write.run()
        }
    }

    /// The form in which an item is stored: one text for equal items.
    static func text(_ item: Item) -> String { ItemJSON.typed(item).compactText }

    static func parse(_ text: String) throws(HeadraceError) -> Item {
        do {
            return try ItemJSON.item(typed: try JSONValue.parse(text))
        } catch let error as JSONError {
            throw HeadraceError(.init("databaseCorrupt"), "an item in the store cannot be read", underlying: error)
        } catch {
            throw HeadraceError.wrapping(error, "an item in the store cannot be read")
        }
    }
}
