import HeadraceColumnar
import HeadraceCore

/// The keys that a mirror has seen: a table beside the mirrored one, filled in the rows' transactions and dropped after the
/// last of them.
///
/// A row in `_headrace_mirror`, written in the same transactions, says which run has committed last with them, no run once the
/// load has ended, and by a mark in the table's comment for which load it was made: the server commits when it makes a table, so that the table alone
/// says nothing. A load that begins afresh drops what an interrupted one has left, whatever its job.
struct MySQLSeenKeys: Sendable {
    static let owners = "_headrace_mirror"

    private let target: MySQLName
    private let keys: [MySQLName]
    let table: MySQLName
    private let loader: MySQLRowLoader
    /// How keys alone are encoded.
    let keyPlan: MySQLTablePlan

    init(_ plan: MySQLTablePlan) {
        target = plan.table
        keys = plan.keys.map { plan.columns[$0] }
        table = MySQLTablePlan.shortName("_headrace_seen_", of: plan.table.text)
        keyPlan = MySQLTablePlan(
            table: table, mode: .append, fields: plan.keys.map { plan.fields[$0] }, columns: keys,
            encoders: plan.keys.map { key in
                MySQLColumnEncoder(plan.encoders[key].source, into: plan.encoders[key].target, isNullable: false)
            }, keys: [], definitions: [], makesTable: false, swaps: false)
        loader = MySQLRowLoader(keyPlan, into: table)
    }

    private var drop: SQL { "DROP TABLE IF EXISTS \(table)" }

    private func create(_ mark: String) -> SQL {
        """
        CREATE TABLE \(table) (KEY (\(keys))) ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT \(MySQLComment(mark).sql) \
        SELECT \(keys) FROM \(target) LIMIT 0
        """
    }

    private var deletion: SQL {
        let same = keys.map { "t.\($0) = s.\($0)" as SQL }.joined(by: " AND ")
        return "DELETE t FROM \(target) AS t WHERE NOT EXISTS (SELECT 1 FROM \(table) AS s WHERE \(same))"
    }

    /// What a load does with the keys, for `plan`.
    var statements: [SQL] { [create("headrace: keys seen"), loader.loadSQL, deletion, drop] }

    // MARK: - Outside of transactions

    private static func mark(_ job: String, _ run: String) -> String {
        MySQLTablePlan.shortName("headrace: keys seen ", of: "\(job)\n\(run)").text
    }

    /// Takes away what a mirror that was given up has left of its keys.
    static func discard(of target: MySQLName, in connection: MySQLConnection) throws {
        let table = MySQLTablePlan.shortName("_headrace_seen_", of: target.text)
        let found = try connection.number(
            """
            SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
            AND TABLE_NAME = \(MySQLLiteral(table.text))
            """)
        if found != 0 { try connection.execute("DROP TABLE IF EXISTS \(table)") }
        if try isKnown(connection) { try connection.execute(release(target)) }
    }

    /// Takes away what a mirror of `job` has left that committed its last rows and died just then.
    static func tidy(_ target: MySQLName, job: String, in connection: MySQLConnection) throws {
        guard try isKnown(connection) else { return }
        let table = MySQLTablePlan.shortName("_headrace_seen_", of: target.text)
        let mark: SQL = """
            SELECT mark, \(comment(of: table)) FROM `_headrace_mirror` WHERE target = \(MySQLLiteral(target.text))
            AND job = \(MySQLLiteral(job)) AND run = ''
            """
        guard let found = try connection.rows(mark).first else { return }
        if found[0] == found[1] { try connection.execute("DROP TABLE IF EXISTS \(table)") }
        try connection.execute("\(release(target)) AND job = \(MySQLLiteral(job)) AND run = ''")
    }

    private static func isKnown(_ connection: MySQLConnection) throws -> Bool {
        try connection.number(
            """
            SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '_headrace_mirror'
            """) == 1
    }

    /// Begins with no keys.
    func begin(job: String, run: String, in connection: MySQLConnection) throws {
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS `_headrace_mirror` (target VARCHAR(64) NOT NULL PRIMARY KEY, job VARCHAR(255) NOT NULL,
            run VARCHAR(255) NOT NULL, mark VARCHAR(255) NOT NULL, unknown BIGINT NOT NULL)
            ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
            """)
        try connection.execute(release)
        try connection.execute(drop)
        try connection.execute(create(Self.mark(job, run)))
    }

    /// Leaves no trace of a load; the table of another one that has begun meanwhile stays.
    func end(_ mark: String, in connection: MySQLConnection) throws {
        if try connection.rows("SELECT \(comment)").first?[0] == mark { try connection.execute(drop) }
        try connection.execute("\(release) AND mark = \(MySQLLiteral(mark))")
    }

    /// Takes away the table of the load that this run began, unless keys were committed into it: the answer to the commit may be
    /// what was lost.
    func abandon(job: String, run: String, in connection: MySQLConnection) throws {
        guard try connection.rows("SELECT \(comment)").first?[0] == Self.mark(job, run) else { return }
        // Waits for a commit that is on its way.
        try connection.execute("LOCK TABLES \(table) WRITE, `_headrace_mirror` READ")
        let owned: SQL = """
            SELECT EXISTS (SELECT 1 FROM `_headrace_mirror` WHERE target = \(MySQLLiteral(target.text))
            AND job = \(MySQLLiteral(job)) AND run = \(MySQLLiteral(run)))
            """
        if try connection.number(owned) == 0 { try connection.execute(drop) }
    }

    // MARK: - In the rows' transactions

    private static func release(_ target: MySQLName) -> SQL {
        "DELETE FROM `_headrace_mirror` WHERE target = \(MySQLLiteral(target.text))"
    }

    private static func comment(of table: MySQLName) -> SQL {
        """
        (SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \(MySQLLiteral(table.text)))
        """
    }

    private var release: SQL { Self.release(target) }
    private var comment: SQL { Self.comment(of: table) }

    /// Writes down whose keys these are, and how many rows had none; those of a mirror that has ended are no run's.
    /// - Returns: the mark of the table.
    func claim(
        job: String, run: String, unknown: Int, isFinal: Bool, in connection: MySQLConnection
    ) throws -> String? {
        let mark = try connection.rows("SELECT \(comment)").first?[0]
        try connection.execute(release)
        try connection.execute(
            """
            INSERT INTO `_headrace_mirror` (target, job, run, mark, unknown) VALUES (\(MySQLLiteral(target.text)), \(MySQLLiteral(job)),
            \(MySQLLiteral(isFinal ? "" : run)), \(MySQLLiteral(mark ?? "")), \(unknown))
            """)
        return mark
    }

    /// Goes on with the keys of earlier epochs.
    /// - Returns: how many rows of those epochs had none.
    /// - Throws: `unsupported` where they are gone or those of another load: nobody knows then what is absent.
    func check(job: String, run: String, in connection: MySQLConnection) throws -> Int {
        if try Self.isKnown(connection) {
            let found = try connection.rows(
                """
                SELECT job, run, mark, \(comment), unknown FROM `_headrace_mirror` WHERE target = \(MySQLLiteral(target.text)) FOR UPDATE
                """
            ).first
            if let found, found[0] == job, found[1] == run, found[2] == found[3] {
                return found[4].flatMap { Int($0) } ?? 0
            }
        }
        throw HeadraceError(
            .unsupported, "the keys that the mirror of \"\(target.text)\" had seen are gone",
            fields: [("table", table.text)],
            hint: "another load has mirrored the table meanwhile; begin afresh with --restart")
    }

    /// Adds the keys of a batch. What the server refuses is no key that a row of the table could have.
    func add(_ keys: MySQLEncodedBatch, byFile: Bool, in connection: MySQLConnection) throws {
        _ = try loader.store(keys, byFile: byFile, in: connection)
    }

    /// Deletes the rows whose key was not seen.
    /// - Returns: how many.
    /// - Throws: `unsupported` where no key was seen at all: everything would go.
    func deleteAbsent(in connection: MySQLConnection) throws -> Int {
        guard try connection.number("SELECT EXISTS (SELECT 1 FROM \(table))") == 1 else {
            throw HeadraceError(
                .unsupported, "no row of the load has a key, so that the mirror would empty \"\(target.text)\"",
                hint: "check the key columns of the source; to empty the table on purpose use replace")
        }
        do { return try connection.execute(deletion) } catch {
            guard error.isAboutRows else { throw error }
            throw HeadraceError(
                .constraintViolated, "rows of \"\(target.text)\" that the source does not hold cannot be deleted",
                fields: [("mysql", error.message)],
                hint: "delete what refers to them first, or let the reference cascade")
        }
    }
}
