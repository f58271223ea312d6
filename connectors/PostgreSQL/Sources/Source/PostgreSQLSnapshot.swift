import HeadraceCore

/// A moment of the database that several connections see together, held by the connection that took it.
struct PostgreSQLSnapshot: Sendable {
    /// The name under which other connections take it over.
    let name: String
    /// The oldest transaction that was under way: all before it have ended.
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
            SELECT pg_export_snapshot(), pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text
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
