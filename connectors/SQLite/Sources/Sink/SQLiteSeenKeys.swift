import HeadraceColumnar
import HeadraceCore

/// The keys that a mirror has seen: a table beside the mirrored one, filled in the rows' transactions and dropped with the
/// last of them. One of its rows names the load that it belongs to.
struct SQLiteSeenKeys: Sendable {
    private let table: String
    private let target: String
    private let keys: [Int]
    private let keyNames: [String]

    init(_ plan: SQLiteTablePlan) {
        table = SQLiteName.quoted(Self.name(of: plan.table))
        target = SQLiteName.quoted(plan.table)
        keys = plan.keys
        keyNames = plan.keys.map { plan.columns[$0] }
    }

    static func name(of table: String) -> String { ReservedNames.prefix + "seen_" + table }

    private static let owner = SQLiteName.quoted(ReservedNames.prefix + "owner")

    private var drop: String { "DROP TABLE IF EXISTS \(table)" }
    private var create: String {
        "CREATE TABLE \(table) AS SELECT NULL AS \(Self.owner), \(SQLiteName.list(keyNames)) FROM \(target) WHERE 0"
    }
    private var insert: String {
        let marks = keyNames.map { _ in "?" }.joined(separator: ", ")
        return "INSERT INTO \(table) (\(SQLiteName.list(keyNames))) VALUES (\(marks))"
    }

    /// Deletes what has no key among those seen. The table's own collation and index find the others.
    /// - Parameter columns: what tells the rows of the table apart.
    private func deletion(by columns: [String]) -> String {
        let same = keyNames.map { "t.\(SQLiteName.quoted($0)) = s.\(SQLiteName.quoted($0))" }
        let found = columns.map { "t.\(SQLiteName.quoted($0))" }.joined(separator: ", ")
        return "DELETE FROM \(target) WHERE (\(SQLiteName.list(columns))) NOT IN (SELECT \(found) FROM \(table) s "
            + "CROSS JOIN \(target) t WHERE \(same.joined(separator: " AND ")))"
    }

    /// What a load does with the keys, for `plan`.
    var statements: [String] {
        [create, insert, deletion(by: ["rowid"]), drop]
    }

    // MARK: - In the rows' transactions

    /// Begins with no keys.
    func begin(in connection: SQLiteConnection) throws {
        try connection.execute(drop)
        try connection.execute(create)
    }

    private static func owner(_ job: String, _ run: String) -> String { "keys seen by job \(job), run \(run)" }

    /// Writes down whose keys these are, so that nobody else goes on with them.
    func claim(job: String, run: String, in connection: SQLiteConnection) throws {
        try connection.run("DELETE FROM \(table) WHERE \(Self.owner) IS NOT NULL")
        try connection.run("INSERT INTO \(table) (\(Self.owner)) VALUES (?)", [.text(Self.owner(job, run))])
    }

    /// Goes on with the keys of earlier epochs.
    /// - Throws: `unsupported` where they are gone or those of another load: nobody knows then what is absent.
    func check(job: String, run: String, plan: SQLiteTablePlan, in connection: SQLiteConnection) throws {
        var found: String?
        if try SQLiteTable.read(Self.name(of: plan.table), from: connection) != nil {
            found = try connection.first("SELECT \(Self.owner) FROM \(table) WHERE \(Self.owner) IS NOT NULL") {
                $0.text(0) ?? ""
            }
        }
        guard found == Self.owner(job, run) else {
            throw HeadraceError(
                .unsupported, "the keys that the mirror of \"\(plan.table)\" had seen are gone",
                fields: [("table", Self.name(of: plan.table))],
                hint: "another load has mirrored the table meanwhile; begin afresh with --restart")
        }
    }

    /// Adds the keys of all rows of a batch; one that the table cannot hold is no key.
    func add(_ batch: SQLiteEncodedBatch, in connection: SQLiteConnection) throws {
        let columns = keys.map { batch.columns[$0] }
        let binder = SQLiteBinder(columns)
        defer { withExtendedLifetime(batch) {} }
        let statement = try connection.borrow(insert)
        defer { connection.giveBack(statement) }
        // A row without a key leaves one of nulls: nobody knows then which row it was.
        var isKnown = true
        for row in 0..<batch.batch.count {
            guard columns.allSatisfy({ $0.isThere(row) }) else {
                isKnown = false
                continue
            }
            guard binder.bind(row, from: 1, to: statement.handle) == 0 else { throw connection.failure(insert) }
            _ = try statement.step()
            statement.reset()
        }
        if !isKnown { try connection.run("INSERT INTO \(table) DEFAULT VALUES") }
    }

    /// Takes away what a mirror that was given up has left.
    func discard(in connection: SQLiteConnection) throws { try connection.execute(drop) }

    /// Deletes the rows whose key was not seen; none where the key of a row is not known.
    /// - Returns: how many.
    func deleteAbsent(plan: SQLiteTablePlan, in connection: SQLiteConnection, log: EventLog) throws -> Int {
        let isUnknown = keyNames.map { "\(SQLiteName.quoted($0)) IS NULL" }.joined(separator: " AND ")
        let unknown = try connection.first(
            "SELECT 1 FROM \(table) WHERE \(Self.owner) IS NULL AND \(isUnknown) LIMIT 1"
        ) { _ in true }
        guard unknown == nil else {
            log.warning(
                "the mirror deleted nothing: rows of the source have no key, so that nobody knows what is absent",
                [("table", plan.table)])
            return 0
        }
        let found = try SQLiteTable.read(plan.table, from: connection)
        let columns = found?.rowidName.map { [$0] } ?? found?.keyColumns.map(\.name) ?? keyNames
        do {
            return try connection.run(deletion(by: columns))
        } catch {
            guard error.isConstraint else { throw error }
            throw HeadraceError(
                .constraintViolated, "rows of \"\(plan.table)\" that the source does not hold cannot be deleted",
                fields: [("sqlite", error.message)],
                hint: "delete what refers to them first, or let the reference cascade")
        }
    }

    /// Leaves no trace.
    func end(in connection: SQLiteConnection) throws { try connection.execute(drop) }
}
