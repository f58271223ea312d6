import HeadraceColumnar
import HeadraceCore

/// The keys that a mirror has seen: a table beside the mirrored one, filled in the rows' transactions and dropped with the
/// last of them.
///
/// It is a table like any other, so that it holds after a crash just what the checkpoint beside it says. Its comment names
/// the load that it belongs to. A load that begins afresh drops what an interrupted one has left, whatever its job.
struct PostgreSQLSeenKeys: Sendable {
    let table: PostgreSQLTableName
    private let plan: PostgreSQLTablePlan

    init(_ plan: PostgreSQLTablePlan) {
        self.plan = plan
        let name = Self.name(of: plan.table.table.text)
        guard let table = try? PostgreSQLName(name) else { preconditionFailure("\(name) is no name") }
        self.table = PostgreSQLTableName(schema: plan.table.schema, table: table)
    }

    /// `_headrace_seen_NAME`; a long name is cut where its characters end, with a checksum behind it.
    static func name(of table: String, after word: String = "seen_") -> String {
        let prefix = ReservedNames.prefix + word
        guard prefix.utf8.count + table.utf8.count > PostgreSQLName.longest else { return prefix + table }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in table.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var cut = ""
        for character in table where prefix.utf8.count + cut.utf8.count + String(character).utf8.count <= 46 {
            cut.append(character)
        }
        return prefix + cut + String(hash, radix: 16)
    }

    private var drop: SQL { "DROP TABLE IF EXISTS \(table)" }
    private var create: SQL {
        "CREATE TABLE \(table) (\(plan.keys.map { plan.columns[$0].likeness }))"
    }

    private var deletion: SQL {
        "DELETE FROM \(plan.table) t WHERE NOT EXISTS (SELECT 1 FROM \(table) s WHERE \(plan.sameKey("t", "s")))"
    }

    /// What a load does with the keys, for `plan`.
    var statements: [SQL] {
        [create, "COPY \(table) (\(plan.keyNames)) FROM STDIN (FORMAT binary)", deletion, drop]
    }

    // MARK: - In the rows' transactions

    /// Begins with no keys.
    func begin(in connection: PostgreSQLConnection) throws {
        try connection.script("SET LOCAL client_min_messages = warning; \(drop); \(create)")
    }

    /// What the table's comment says of a load.
    private static func owner(_ job: String, _ run: String) -> String { "keys seen by job \(job), run \(run)" }

    /// Writes down whose keys these are, so that nobody else goes on with them.
    func claim(job: String, run: String, in connection: PostgreSQLConnection) throws {
        try connection.script("COMMENT ON TABLE \(table) IS \(PostgreSQLLiteral(Self.owner(job, run)))")
    }

    /// Goes on with the keys of earlier epochs.
    /// - Throws: `unsupported` where they are gone or those of another load: nobody knows then what is absent.
    func check(job: String, run: String, in connection: PostgreSQLConnection) throws {
        let found = try connection.first(
            "SELECT obj_description(to_regclass($1), 'pg_class')", [table.quoted]
        ) { $0.text(0) }
        guard found == Self.owner(job, run) else {
            throw HeadraceError(
                .unsupported, "the keys that the mirror of \(plan.table) had seen are gone",
                fields: [("table", "\(table)")],
                hint: "another load has mirrored the table meanwhile; begin afresh with --restart")
        }
    }

    /// Adds the keys of a batch. Rows without a key that the table could hold leave a row of nulls: nobody knows then which
    /// rows they were.
    func add(_ keys: PostgreSQLEncodedRows, in connection: PostgreSQLConnection) throws {
        if !keys.misfits.isEmpty { try connection.run("INSERT INTO \(table) DEFAULT VALUES") }
        guard keys.count > 0 else { return }
        try connection.beginCopyIn("COPY \(table) (\(plan.keyNames)) FROM STDIN (FORMAT binary)")
        try PostgreSQLEncodedRows.header.withUnsafeBytes { try connection.copyIn($0) }
        try keys.withBytes(of: 0..<keys.count) { try connection.copyIn($0) }
        try PostgreSQLEncodedRows.trailer.withUnsafeBytes { try connection.copyIn($0) }
        _ = try connection.endCopyIn()
    }

    /// Takes away what a mirror that was given up has left.
    func discard(in connection: PostgreSQLConnection) throws {
        let isThere = try connection.first("SELECT to_regclass($1) IS NOT NULL", [table.quoted]) { $0.bool(0) } ?? false
        if isThere { try connection.script(drop) }
    }

    /// Deletes the rows whose key was not seen; none where the key of a row is not known.
    /// - Returns: how many.
    func deleteAbsent(in connection: PostgreSQLConnection, log: EventLog) throws -> Int {
        let isUnknown = plan.keyNames.map { "\($0) IS NULL" as SQL }.joined(by: " OR ")
        let unknown = try connection.first("SELECT EXISTS (SELECT 1 FROM \(table) WHERE \(isUnknown))") { $0.bool(0) }
        guard unknown == false else {
            log.warning(
                "the mirror deleted nothing: rows of the source have no key, so that nobody knows what is absent",
                [("table", "\(plan.table)")])
            return 0
        }
        try connection.script("ANALYZE \(table)")
        var deleted = 0
        let refusal = try connection.attempt(log: log, expecting: \.isAboutRows) {
            deleted = try connection.run(deletion)
        }
        guard let refusal else { return deleted }
        throw HeadraceError(
            .constraintViolated, "rows of \(plan.table) that the source does not hold cannot be deleted",
            fields: [("postgresql", refusal.message)],
            hint: "delete what refers to them first, or let the reference cascade")
    }

    /// Leaves no trace.
    func end(in connection: PostgreSQLConnection) throws { try connection.script(drop) }
}
