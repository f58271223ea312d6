import HeadraceColumnar
import HeadraceCore

/// The SQL of a history (type 2): rows of a stage, one of each key at a time, against the versions that a table keeps.
///
/// A row takes effect at its time. The version that held then and does not differ in a value stays; else it ends there and
/// the row becomes the version from there to where that one ended: up to the next one for a row that comes late. A version of
/// the very same time is changed in place. A time at which nothing held, before the first version or in a gap, is filled up
/// to the next one.
///
/// The statements run at REPEATABLE READ, where the server locks the keys' versions and the gaps between them as they are read:
/// no other writer changes what was found before it is acted on.
struct MySQLHistory: Sendable {
    private static let time = MySQLName(known: "_headrace_time")
    private static let until = MySQLName(known: "_headrace_until")
    private static let ended = MySQLName(known: "_headrace_ended")
    /// 0 nothing changes, 1 a version of the same time changes, 2 a version begins.
    private static let kind = MySQLName(known: "_headrace_kind")

    private let type: SQL
    /// What a row is judged by, in order, and what is done then; `chosen` follows each.
    private let steps: [SQL]
    private let insert: SQL
    private let stage: MySQLName

    /// - Parameters:
    ///   - same: whether a version `t` and a row `s` have one key.
    ///   - differs: whether they differ in a value; nil where there are none.
    ///   - time: the run's, in microseconds since 1970, for rows that are not dated.
    init(
        _ plan: MySQLTablePlan, _ columns: HistoryColumns, stage: MySQLName, same: SQL, differs: SQL?, changes: [SQL],
        time: Int64
    ) {
        guard let timeType = plan.timeType else { preconditionFailure("a history has bounds") }
        let table = plan.table
        let (from, bound, current) = (
            MySQLName(known: columns.from), MySQLName(known: columns.until), MySQLName(known: columns.current)
        )
        self.stage = stage
        type = SQL(writtenByUser: timeType.declared)
        let (moment, until, ended, kind) = (Self.time, Self.until, Self.ended, Self.kind)
        let isNew: SQL = differs ?? "FALSE"
        let dated: SQL
        if plan.begin != nil {
            dated = "s.\(from)"
        } else {
            // A clock that has gone back must neither make the newest row a late one nor change what is there.
            let run = Self.literal(time, timeType)
            dated = """
                IFNULL((SELECT MAX(t.\(from)) + INTERVAL \(Self.moment(timeType)) MICROSECOND FROM \(table) AS t \
                WHERE \(same) AND t.\(from) > \(run)), \(run))
                """
        }
        var steps: [SQL] = [
            "UPDATE \(stage) AS s SET s.\(moment) = \(dated), s.\(until) = NULL, s.\(ended) = NULL, s.\(kind) = 2 WHERE TRUE",
            """
            UPDATE \(stage) AS s JOIN \(table) AS t ON \(same) AND t.\(from) = s.\(moment) \
            SET s.\(kind) = IF(\(isNew), 1, 0) WHERE TRUE
            """,
            """
            UPDATE \(stage) AS s JOIN \(table) AS t ON \(same) AND t.\(from) < s.\(moment) \
            AND (t.\(bound) IS NULL OR t.\(bound) > s.\(moment)) \
            SET s.\(ended) = t.\(from), s.\(until) = t.\(bound), s.\(kind) = IF(\(isNew), 2, 0) WHERE s.\(kind) = 2
            """,
            """
            UPDATE \(stage) AS s SET s.\(until) = (SELECT MIN(t.\(from)) FROM \(table) AS t WHERE \(same) \
            AND t.\(from) > s.\(moment)) WHERE s.\(kind) = 2 AND s.\(ended) IS NULL
            """,
        ]
        if !changes.isEmpty {
            steps.append(
                """
                UPDATE \(table) AS t JOIN \(stage) AS s ON \(same) AND t.\(from) = s.\(moment) SET \(changes) \
                WHERE s.\(kind) = 1
                """)
        }
        steps.append(
            """
            UPDATE \(table) AS t JOIN \(stage) AS s ON \(same) AND t.\(from) = s.\(ended) \
            SET t.\(bound) = s.\(moment), t.\(current) = 0 WHERE s.\(kind) = 2
            """)
        self.steps = steps
        let names = plan.columns.indices.filter { $0 != plan.begin }.map { plan.columns[$0] }
        let values = names.map { "s.\($0)" as SQL }
        insert = """
            INSERT INTO \(table) (\(names), \(from), \(bound), \(current)) \
            SELECT \(values), s.\(moment), s.\(until), s.\(until) IS NULL FROM \(stage) AS s WHERE s.\(kind) = 2
            """
    }

    /// The shortest time that a column's type tells apart, in microseconds.
    private static func moment(_ type: MySQLColumnType) -> Int64 {
        switch (type.type, type.kind) {
        case (.date32, _): 86_400_000_000
        case (_, .temporal(let digits)): DecimalMath.powerOfTen(6 - min(max(digits, 0), 6))
        default: 1
        }
    }

    /// The time of a run as the column's type holds it; what it has no digits for is cut off.
    private static func literal(_ time: Int64, _ type: MySQLColumnType) -> SQL {
        let length: Int =
            switch (type.type, type.kind) {
            case (.date32, _): 10
            case (_, .temporal(let digits)) where digits > 0: 20 + digits
            default: 19
            }
        let text = Temporal.formatTimestamp(time - (time % 1_000_000 + 1_000_000) % 1_000_000, hasZone: false)
        let fraction = String((time % 1_000_000 + 1_000_000) % 1_000_000 + 1_000_000).dropFirst()
        let whole = text.prefix(19).map { $0 == "T" ? " " : $0 }
        return "\(MySQLLiteral(String((String(whole) + "." + fraction).prefix(length))))"
    }

    /// The stage's columns for what is found out about a row.
    var stageColumns: SQL {
        """
        , \(Self.time) \(type) NULL, \(Self.until) \(type) NULL, \(Self.ended) \(type) NULL, \
        \(Self.kind) TINYINT NOT NULL DEFAULT 0
        """
    }

    /// For `plan`.
    var statements: [String] { steps.map(\.text) + [insert.text] }

    /// Lets rows take effect, one of a key at most.
    func move(_ chosen: SQL, _ connection: MySQLConnection) throws -> WriteCounts {
        for step in steps { try connection.execute("\(step) AND \(chosen)") }
        let inserted = try connection.execute("\(insert) AND \(chosen) ORDER BY s.\(MySQLMerger.row)")
        let found = try connection.rows(
            "SELECT COUNT(*), COUNT(IF(s.\(Self.kind) = 1, 1, NULL)) FROM \(stage) AS s WHERE \(chosen)"
        ).first
        let all = found?[0].flatMap { Int($0) } ?? 0
        let updated = found?[1].flatMap { Int($0) } ?? 0
        return WriteCounts(inserted: inserted, updated: updated, unchanged: all - inserted - updated)
    }
}
