import HeadraceCore

/// The ledger's tables and how an older file becomes one of today's.
enum LedgerSchema {
    /// `HDRL`, so that tools can tell what the file is.
    static let applicationID: Int64 = 0x4844_524C

    /// The statements that lead from each version to the next; version 0 is an empty file. Never changed, only added to.
    static let migrations: [[String]] = [
        [
            """
            CREATE TABLE runs (
                number INTEGER PRIMARY KEY AUTOINCREMENT, identifier TEXT NOT NULL UNIQUE, job TEXT NOT NULL,
                parameters TEXT NOT NULL, state TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER, error TEXT,
                fence INTEGER NOT NULL)
            """,
            "CREATE INDEX runs_by_job ON runs (job, number)",
            """
            CREATE TABLE accounts (
                run TEXT NOT NULL, step TEXT NOT NULL, ordinal INTEGER NOT NULL, input INTEGER NOT NULL,
                added INTEGER NOT NULL, output INTEGER NOT NULL, rejected INTEGER NOT NULL, filtered INTEGER NOT NULL,
                merged INTEGER NOT NULL, inserted INTEGER, updated INTEGER, unchanged INTEGER, deleted INTEGER,
                nanoseconds INTEGER NOT NULL, PRIMARY KEY (run, step)) WITHOUT ROWID
            """,
            """
            CREATE TABLE inputs (
                number INTEGER PRIMARY KEY, run TEXT NOT NULL, step TEXT NOT NULL, name TEXT NOT NULL,
                bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, rows INTEGER NOT NULL)
            """,
            "CREATE INDEX inputs_by_run ON inputs (run, number)",
            """
            CREATE TABLE epochs (
                number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, sink TEXT NOT NULL, run TEXT NOT NULL,
                epoch INTEGER NOT NULL, checkpoint TEXT NOT NULL, committed INTEGER NOT NULL, inserted INTEGER,
                updated INTEGER, unchanged INTEGER, deleted INTEGER, UNIQUE (job, sink, run, epoch))
            """,
            "CREATE INDEX epochs_by_sink ON epochs (job, sink, committed, number)",
            """
            CREATE TABLE job_values (
                job TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, run TEXT NOT NULL,
                PRIMARY KEY (job, key)) WITHOUT ROWID
            """,
            """
            CREATE TABLE rejects (
                number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, epoch INTEGER NOT NULL, step TEXT NOT NULL,
                rule TEXT NOT NULL, code TEXT NOT NULL, field TEXT, value TEXT, message TEXT NOT NULL,
                source TEXT NOT NULL, file TEXT, line INTEGER, byte_offset INTEGER, source_row INTEGER NOT NULL,
                original BLOB, row TEXT, state TEXT NOT NULL, replayed_by TEXT)
            """,
            "CREATE INDEX rejects_by_run ON rejects (run, number)",
            """
            CREATE TABLE leases (
                job TEXT PRIMARY KEY, fence INTEGER NOT NULL, is_held INTEGER NOT NULL, run TEXT NOT NULL,
                host TEXT NOT NULL, process INTEGER NOT NULL, process_start TEXT NOT NULL, expires INTEGER NOT NULL)
                WITHOUT ROWID
            """,
            "PRAGMA application_id = \(applicationID)",
        ],
        [
            // What an epoch comes to, and who committed it; null in epochs of before.
            "ALTER TABLE epochs ADD COLUMN writer TEXT",
            "ALTER TABLE epochs ADD COLUMN steps TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE epochs ADD COLUMN accounts TEXT",
            // Of the rejects of before nobody knows; they can be replayed as they could.
            "ALTER TABLE rejects ADD COLUMN is_committed INTEGER NOT NULL DEFAULT 1",
            """
            CREATE TABLE adoptions (
                run TEXT NOT NULL, earlier TEXT NOT NULL, steps TEXT NOT NULL, epoch INTEGER NOT NULL,
                PRIMARY KEY (run, earlier, steps)) WITHOUT ROWID
            """,
            // When the holder last said that it is alive.
            "ALTER TABLE leases ADD COLUMN renewed INTEGER",
        ],
    ]

    /// Brings a file to today's version. Several processes may do so at once; one does it, the others find it done.
    /// - Throws: `unsupported` for a file of a later Headrace, or one that is no ledger.
    static func migrate(_ connection: SQLiteConnection) throws {
        if try version(connection) == migrations.count { return }
        try connection.transaction {
            let version = try version(connection)
            guard version <= migrations.count else {
                throw HeadraceError(
                    .unsupported, "\(connection.path) was written by a later version of Headrace",
                    fields: [("version of the file", "\(version)"), ("known", "\(migrations.count)")],
                    hint: "use that version, or name another state folder")
            }
            let entries = try connection.first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) }
            if version == 0, entries != 0 {
                throw HeadraceError(
                    .unsupported, "\(connection.path) is an SQLite database, but no ledger",
                    hint: "name another state folder")
            }
            for statement in migrations[version...].joined() { try connection.execute(statement) }
            try connection.execute("PRAGMA user_version = \(migrations.count)")
        }
    }

    private static func version(_ connection: SQLiteConnection) throws(SQLiteFailure) -> Int {
        Int(try connection.first("PRAGMA user_version") { $0.integer(0) } ?? 0)
    }
}
