import HeadraceCore

/// A moment of the database that several connections see together, held by the connection that took it.
struct PostgreSQLSnapshot: Sendable {
    /// The name under which other connections take it over.
    let name: String
    /// The oldest transaction of this database that was under way: all before it have ended. Those of other databases
    /// cannot write here.
    let oldest: UInt64
    /// The first transaction that had not begun.
    let limit: UInt64

    /// Begins a transaction that reads one moment, in an order that its rows keep.
    ///
    /// A scan that joins another one in the middle of the table, or that several processes share, would give rows in an
    /// order that positions cannot name.
    static func begin(_ connection: PostgreSQLConnection) throws {
        try connection.script(
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL synchronize_seqscans = off;
            SET LOCAL max_parallel_workers_per_gather = 0
            """)
    }

    /// Takes the moment of a transaction that `begin` has begun.
    static func take(_ connection: PostgreSQLConnection) throws -> PostgreSQLSnapshot {
        let found = try connection.first(
            """
            SELECT pg_export_snapshot(), coalesce((SELECT min(x::text::numeric) FROM pg_snapshot_xip(s) x
                WHERE NOT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                    WHERE l.locktype = 'transactionid' AND l.granted AND l.transactionid = x::xid AND a.datid <>
                        (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))),
                pg_snapshot_xmax(s)::text::numeric)::text, pg_snapshot_xmax(s)::text
            FROM pg_current_snapshot() s
            """
        ) { row in (row.text(0), row.text(1).flatMap { UInt64($0) }, row.text(2).flatMap { UInt64($0) }) }
        guard case (let name?, let oldest?, let limit?)? = found else {
            throw HeadraceError(.unexpected, "PostgreSQL gives no snapshot")
        }
        return PostgreSQLSnapshot(name: name, oldest: oldest, limit: limit)
    }

    /// Makes another connection see this moment.
    func join(_ connection: PostgreSQLConnection) throws {
        try Self.begin(connection)
        try connection.script("SET TRANSACTION SNAPSHOT \(try PostgreSQLLiteral(name))")
    }
}
