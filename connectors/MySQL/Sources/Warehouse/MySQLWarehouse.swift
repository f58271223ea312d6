public import HeadraceColumnar
public import HeadraceCore

/// The tables of a MySQL or MariaDB database inside one transaction.
///
/// Made by `MySQLSink.openTransaction`, or by the sink's writer for a fact load, which commits it with the checkpoint.
///
/// - Invariant (`@unchecked Sendable`): `tables` is touched inside calls of the session's actor only.
public final class MySQLWarehouse: Warehouse, @unchecked Sendable {
    private let session: MySQLSession
    private let tables: MySQLTables

    init(_ session: MySQLSession, byFile: Bool) {
        self.session = session
        tables = MySQLTables(byFile: byFile)
    }

    /// Makes the table where it is not there. The server commits by itself when it makes one, so that this must come before
    /// the first write of the transaction.
    /// - Throws: `unsupported` when it comes later.
    public func ensure(_ table: TableDefinition) async throws {
        try await session.use { try self.tables.ensure(table, in: $0) }
    }

    public func lookup(_ table: String, keys: RecordBatch, returning: [String]) async throws -> RecordBatch {
        try await session.use { try self.tables.lookup(table, keys: keys, returning: returning, in: $0) }
    }

    public func insert(_ rows: RecordBatch, into table: String) async throws -> WriteCounts {
        try await session.use { try self.tables.insert(rows, into: table, in: $0) }
    }

    public func merge(
        _ rows: RecordBatch, into table: String, on keys: [String], updating columns: [String]
    ) async throws -> WriteCounts {
        try await session.use { try self.tables.merge(rows, into: table, on: keys, updating: columns, in: $0) }
    }

    public func delete(from table: String, matching partitions: RecordBatch) async throws -> Int {
        try await session.use { try self.tables.delete(from: table, matching: partitions, in: $0) }
    }

    public func markLatest(
        in table: String, flag: String, by order: String, for keys: RecordBatch
    ) async throws -> Int {
        try await session.use { try self.tables.markLatest(in: table, flag: flag, by: order, for: keys, in: $0) }
    }

    public func closeIntervals(
        in table: String, keys: [String], until: String, flag: String?, rows: RecordBatch
    ) async throws -> Int {
        try await session.use {
            try self.tables.closeIntervals(in: table, keys: keys, until: until, flag: flag, rows: rows, in: $0)
        }
    }

    /// Makes all that was done visible and lets go of the connection. For a warehouse of `openTransaction`.
    public func commit() async throws {
        try await session.use { _ = try $0.execute("COMMIT") }
        await session.close()
    }

    /// Undoes all that was done but tables made, and lets go of the connection; nothing after `commit`.
    public func rollBack() async { await session.close() }
}

/// Looks rows up in the tables of a MySQL or MariaDB database, outside any transaction of a load: each call sees what was
/// committed last.
public final class MySQLLookup: TableLookup {
    private let session: MySQLSession

    /// Lookups in the database of `configuration`; the connection opens with the first.
    public init(configuration: MySQLConfiguration) { session = MySQLSession(configuration) }

    public func lookup(
        _ table: String, keys: RecordBatch, returning: [String], in context: RunContext
    ) async throws -> RecordBatch {
        try context.cancellation.check()
        return try await session.use { connection in
            try MySQLTables(byFile: false).lookup(table, keys: keys, returning: returning, in: connection)
        }
    }

    /// Closes the connection.
    public func close() async { await session.close() }
}
