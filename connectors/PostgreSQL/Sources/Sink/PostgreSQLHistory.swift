import HeadraceColumnar
import HeadraceCore

/// A history (type 2): rows of a stage against the versions that a table keeps.
///
/// Rows take effect one after another in the order of the source, however many a batch holds of one key. The server finds which
/// times are earlier and which values equal; what comes of that is reckoned here, by numbers, and written by one statement.
/// So a batch costs two statements, whatever it holds.
///
/// No other writer is let in meanwhile, so that what is read still stands when it is changed.
struct PostgreSQLHistory: Sendable {
    private let plan: PostgreSQLTablePlan
    private let from: SQL
    private let until: SQL
    private let current: SQL
    private let bound: SQL
    /// The run's time in the bounds' type, nil where the rows say since when they hold.
    private let now: SQL?
    /// The shortest time that the column of `from` tells apart.
    private let step: SQL

    /// - Parameter time: the run's, as an instant; for rows that are not dated.
    init(_ plan: PostgreSQLTablePlan, _ columns: HistoryColumns, time: PostgreSQLLiteral) {
        self.plan = plan
        func quoted(_ name: String) -> SQL {
            // The plan has taken them for names already.
            guard let name = try? PostgreSQLName(name) else { preconditionFailure("\(name) is no name") }
            return "\(name)"
        }
        (from, until, current) = (quoted(columns.from), quoted(columns.until), quoted(columns.current))
        bound = SQL(writtenByUser: plan.timeType?.name ?? "timestamptz")
        let isDated = plan.columns.contains { $0.name.text == columns.from }
        let isInstant = plan.timeType?.dataType == .instant
        now =
            isDated
            ? nil : isInstant ? "\(time)::timestamptz" : "(\(time)::timestamptz AT TIME ZONE 'UTC')::\(bound)"
        // A column of fewer digits, as timestamp(3), is taken for one of whole seconds.
        step =
            plan.timeType?.dataType == .date32
            ? "1" : bound.text.contains("(") ? "interval '1 second'" : "interval '1 microsecond'"
    }

    private func values(_ names: [PostgreSQLName], of table: SQL) -> SQL {
        names.map { ", \(table).\($0)" as SQL }.joined(by: "")
    }

    /// Columns of a stage in the types of the table's.
    private func staged(_ names: [PostgreSQLName], of stage: SQL) -> [SQL] {
        names.compactMap { name in plan.columns.first { $0.name == name }?.read(from: "\(stage).\(name)") }
    }

    /// The rows that `condition` picks and the versions that they may meet, with the numbers that tell what comes of them: the
    /// row, or the version's part and place in the table, once with its begin and once with its end; its key, its value among
    /// those of the key, the time among all times, and that as text.
    func look(at stage: PostgreSQLTableName, where condition: SQL) -> SQL {
        let (keys, names) = (plan.keyNames, plan.valueNames)
        let staged = zip(staged(keys + names, of: "s"), keys + names).map { ", \($0) AS \($1)" as SQL }.joined(by: "")
        let equal: SQL = names.isEmpty ? "1" : "ROW(\(names))::record USING OPERATOR(pg_catalog.*<)"
        // A clock that has gone back must neither make the newest row a late one nor change what is there.
        let (time, newest): (SQL, SQL) =
            if let now {
                (
                    "CASE WHEN n._headrace_newest > \(now) THEN n._headrace_newest + \(step) ELSE \(now) END",
                    """
                     LEFT JOIN (SELECT \(keys), max(_headrace_time) AS _headrace_newest FROM _headrace_old GROUP BY \(keys)) n
                        ON \(plan.sameKey("n", "r"))
                    """
                )
            } else {
                ("r._headrace_time", "")
            }
        return """
            WITH _headrace_rows AS (SELECT s.\(PostgreSQLStages.row)\(staged), \(now ?? "s.\(from)") AS _headrace_time
                FROM \(stage) s WHERE \(condition)),
            _headrace_keys AS (SELECT \(keys), min(_headrace_time) AS _headrace_first FROM _headrace_rows GROUP BY \(keys)),
            _headrace_old AS (SELECT t.tableoid AS _headrace_part, t.ctid AS _headrace_place\(values(keys + names, of: "t")),
                    t.\(from) AS _headrace_time, t.\(until) AS _headrace_until
                FROM \(plan.table) t JOIN _headrace_keys k ON \(plan.sameKey("t", "k"))
                WHERE t.\(until) IS NULL OR t.\(until) > k._headrace_first OR t.\(from) >= k._headrace_first),
            _headrace_events AS (
                SELECT r.\(PostgreSQLStages.row), NULL::oid AS _headrace_part, NULL::tid AS _headrace_place, false AS _headrace_ends\(values(keys + names, of: "r")),
                    \(time) AS _headrace_time
                FROM _headrace_rows r\(newest)
                UNION ALL
                SELECT NULL, o._headrace_part, o._headrace_place, false\(values(keys + names, of: "o")), o._headrace_time FROM _headrace_old o
                UNION ALL
                SELECT NULL, o._headrace_part, o._headrace_place, true\(values(keys + names, of: "o")), o._headrace_until FROM _headrace_old o
                WHERE o._headrace_until IS NOT NULL)
            SELECT \(PostgreSQLStages.row), _headrace_part, _headrace_place, _headrace_ends, dense_rank() OVER (ORDER BY \(keys)),
                dense_rank() OVER (PARTITION BY \(keys) ORDER BY \(equal)), dense_rank() OVER (ORDER BY _headrace_time), _headrace_time
            FROM _headrace_events ORDER BY 5, _headrace_ends DESC, \(PostgreSQLStages.row)
            """
    }

    /// Changes versions and begins others, as `PostgreSQLHistoryChanges` lists them, and gives their numbers.
    ///
    /// Joined with their rows before the table comes in: the server has no idea how many there are.
    func write(from stage: PostgreSQLTableName) -> SQL {
        let (keys, names) = (plan.keyNames, plan.valueNames)
        let taken = zip(staged(names, of: "s"), names).map { ", \($0) AS \($1)" as SQL }.joined(by: "")
        let changes = names.map { "\($0) = CASE WHEN c._headrace_line IS NULL THEN t.\($0) ELSE c.\($0) END, " as SQL }
        // What held has ended before anything begins: a table may take one open version of a key.
        return """
            WITH _headrace_changes AS MATERIALIZED (SELECT c.*\(taken)
                FROM unnest($1::oid[], $2::tid[], $3::integer[], $4::text[], $5::text[])
                    AS c(_headrace_part, _headrace_place, _headrace_line, _headrace_begun, _headrace_until)
                    LEFT JOIN \(stage) s ON s.\(PostgreSQLStages.row) = c._headrace_line),
            _headrace_ended AS (UPDATE \(plan.table) t SET \(changes.joined(by: ""))\(until) = coalesce(c._headrace_until::\(bound), t.\(until)),
                    \(current) = CASE WHEN c._headrace_until IS NULL THEN t.\(current) ELSE false END
                FROM _headrace_changes c WHERE t.ctid = c._headrace_place AND t.tableoid = c._headrace_part
                    AND t.\(from) = c._headrace_begun::\(bound) RETURNING 1),
            _headrace_begun AS (INSERT INTO \(plan.table) (\(keys + names), \(from), \(until), \(current))\(plan.overriding)
                SELECT \(staged(keys + names, of: "s")), b.begun::\(bound), b.until::\(bound), b.until IS NULL
                FROM unnest($6::integer[], $7::text[], $8::text[]) AS b(line, begun, until)
                    JOIN \(stage) s ON s.\(PostgreSQLStages.row) = b.line
                WHERE (SELECT count(*) FROM _headrace_ended) >= 0 RETURNING 1)
            SELECT (SELECT count(*) FROM _headrace_ended), (SELECT count(*) FROM _headrace_begun)
            """
    }

    /// What a batch in `stage` runs, for `plan`.
    func statements(from stage: PostgreSQLTableName) -> [SQL] { [look(at: stage, where: "true"), write(from: stage)] }

    /// Lets the rows that `condition` picks take effect.
    /// - Throws: a failure as of a trigger where one keeps a version out.
    func move(
        from stage: PostgreSQLTableName, where condition: SQL, in connection: PostgreSQLConnection
    ) throws -> WriteCounts {
        var changes = PostgreSQLHistoryChanges()
        _ = try connection.rows(look(at: stage, where: condition)) { changes.see($0) }
        changes.finish()
        let batch = changes.batch
        guard !batch.isEmpty else { return batch.counts }
        let found = try connection.first(write(from: stage), changes.parameters) { ($0.integer(0), $0.integer(1)) }
        guard let found, found.0 == Int64(batch.changed.count), found.1 == Int64(batch.begun.count) else {
            throw PostgreSQLFailure(
                state: "P0000", message: "a trigger of table \(plan.table) kept a version as it was, or out")
        }
        return batch.counts
    }
}
