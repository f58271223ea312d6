import HeadraceColumnar
import HeadraceCore

/// The SQL of a history (type 2): rows of a stage against the versions that a table keeps.
///
/// A row takes effect at its time, one after another in the order of the source. The version that held then and does not
/// differ in a value stays; else it ends there and the row becomes the version from there to where that one ended: up to the
/// next one for a row that comes late. A version of the very same time is changed in place. A time at which nothing held,
/// before the first version or in a gap, is filled up to the next one.
///
/// No other writer is let in meanwhile, so that what is read still stands when it is changed.
struct PostgreSQLHistory: Sendable {
    private let plan: PostgreSQLTablePlan
    private let from: SQL
    private let until: SQL
    private let current: SQL
    /// Whether the rows say since when they hold.
    private let isDated: Bool
    /// Since when a row holds, in a stage.
    private let time: SQL
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
        isDated = plan.columns.contains { $0.name.text == columns.from }
        let type = SQL(writtenByUser: plan.timeType?.name ?? "timestamptz")
        let instant: SQL = "\(time)::timestamptz"
        let isInstant = plan.timeType?.dataType == .instant
        // A column of fewer digits, as timestamp(3), is taken for one of whole seconds.
        step =
            plan.timeType?.dataType == .date32
            ? "1" : type.text.contains("(") ? "interval '1 second'" : "interval '1 microsecond'"
        self.time = isDated ? "s.\(from)" : isInstant ? instant : "(\(instant) AT TIME ZONE 'UTC')::\(type)"
    }

    /// The rows that `condition` picks. Rows of one key whose times do not grow are told apart by a number, their wave: each
    /// wave takes effect as a whole, after the one before.
    private func waves(of stage: PostgreSQLTableName, where condition: SQL) -> SQL {
        let values = (plan.keyNames + plan.valueNames).compactMap { name in
            plan.columns.first { $0.name == name }.map { "\($0.read(from: name)) AS \(name)" as SQL }
        }
        let rows: SQL =
            "SELECT \(PostgreSQLStages.row), \(values), \(time) AS _headrace_time FROM \(stage) s WHERE \(condition)"
        return """
            SELECT *, sum(_headrace_falls) OVER (PARTITION BY \(plan.keyNames) ORDER BY \(PostgreSQLStages.row)) AS _headrace_wave FROM (
                SELECT *, CASE WHEN _headrace_time <= lag(_headrace_time) OVER (PARTITION BY \(plan.keyNames)
                    ORDER BY \(PostgreSQLStages.row)) THEN 1 ELSE 0 END AS _headrace_falls FROM (\(rows)) s) s
            """
    }

    /// Lets one wave of rows take effect, and gives one row: rows of the wave, versions begun, versions changed in place, the
    /// number of the last wave.
    func step(from stage: PostgreSQLTableName, where condition: SQL, wave: Int) -> SQL {
        let (keys, values) = (plan.keyNames, plan.valueNames)
        func of(_ table: SQL, _ names: [PostgreSQLName]) -> SQL {
            names.map { ", \(table).\($0)" as SQL }.joined(by: "")
        }
        // A clock that has gone back must neither make the newest row a late one nor change what is there.
        let moment: SQL =
            isDated
            ? "n._headrace_time"
            : """
            greatest(n._headrace_time, (SELECT CASE WHEN max(t.\(from)) > n._headrace_time THEN max(t.\(from)) + \(step) END
                FROM \(plan.table) t WHERE \(plan.sameKey("t", "n"))))
            """
        let corrected = values.map {
            ", CASE WHEN r._headrace_time IS NULL THEN o.\($0) ELSE r.\($0) END AS \($0)" as SQL
        }
        let changes = values.map { "\($0) = l.\($0), " as SQL }.joined(by: "")
        let nothing = values.map { _ in ", NULL" as SQL }.joined(by: "")
        let order: SQL = "PARTITION BY \(keys) ORDER BY _headrace_time, _headrace_kind"
        let isNew: SQL =
            values.isEmpty
            ? "false"
            : "ROW(\(values))::record *<> lag(ROW(\(values))::record) OVER (\(order))"
        return """
            WITH numbered AS (\(waves(of: stage, where: condition))),
            rows AS (SELECT n._headrace_wave\(of("n", keys + values)), \(moment) AS _headrace_time FROM numbered n WHERE n._headrace_wave = \(wave)),
            old AS (SELECT t.ctid AS _headrace_place, t.tableoid AS _headrace_part\(of("t", keys + values)), t.\(from) AS _headrace_time,
                    t.\(until) AS _headrace_until, lead(t.\(from)) OVER (PARTITION BY \(keys.map { "t.\($0)" as SQL }) ORDER BY t.\(from)) AS _headrace_following
                FROM \(plan.table) t JOIN (SELECT DISTINCT \(keys) FROM rows) k ON \(plan.sameKey("t", "k"))),
            events AS (
                SELECT 2 AS _headrace_kind, NULL::tid AS _headrace_place, NULL::oid AS _headrace_part, false AS _headrace_changed\(of("r", keys + values)), r._headrace_time
                FROM rows r WHERE NOT EXISTS (SELECT 1 FROM old o WHERE \(plan.sameKey("o", "r")) AND o._headrace_time = r._headrace_time)
                UNION ALL
                SELECT 1, o._headrace_place, o._headrace_part, r._headrace_time IS NOT NULL AND \(plan.differ("r", "o"))\(of("o", keys))\(corrected.joined(by: "")), o._headrace_time
                FROM old o LEFT JOIN rows r ON \(plan.sameKey("o", "r")) AND o._headrace_time = r._headrace_time
                UNION ALL
                SELECT 0, NULL, NULL, false\(of("o", keys))\(nothing), o._headrace_until
                FROM old o WHERE o._headrace_until IS NOT NULL AND (o._headrace_following IS NULL OR o._headrace_until < o._headrace_following)),
            judged AS (SELECT *, _headrace_kind <> 2 OR coalesce(lag(_headrace_kind) OVER (\(order)), 0) = 0 OR \(isNew) AS _headrace_stays FROM events),
            line AS (SELECT *, lead(_headrace_time) OVER (\(order)) AS _headrace_next, lead(_headrace_kind) OVER (\(order)) AS _headrace_after
                FROM judged WHERE _headrace_stays),
            ended AS (UPDATE \(plan.table) t SET \(changes)\(until) = CASE WHEN l._headrace_after = 2 THEN l._headrace_next ELSE t.\(until) END,
                    \(current) = CASE WHEN l._headrace_after = 2 THEN false ELSE t.\(current) END
                FROM line l WHERE l._headrace_kind = 1 AND (l._headrace_changed OR l._headrace_after = 2) AND t.ctid = l._headrace_place AND t.tableoid = l._headrace_part
                    AND \(plan.sameKey("t", "l")) AND t.\(from) = l._headrace_time RETURNING l._headrace_changed AS changed),
            begun AS (INSERT INTO \(plan.table) (\(keys + values), \(from), \(until), \(current))\(plan.overriding)
                SELECT \(keys + values), _headrace_time, _headrace_next, _headrace_next IS NULL FROM line
                WHERE _headrace_kind = 2 AND (SELECT count(*) FROM ended) >= 0 RETURNING 1)
            SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM begun),
                (SELECT count(*) FROM ended WHERE changed), (SELECT max(_headrace_wave) FROM numbered)
            """
    }
}
