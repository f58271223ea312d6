import HeadraceColumnar
import HeadraceCore

/// A history (type 2): rows of a stage against the versions that a table keeps.
///
/// Rows take effect one after another in the order of the source, however many a batch holds of one key. The server finds which
/// values are equal; what comes of that is reckoned here, by numbers, and written by two statements. So a batch costs a few
/// statements, whatever it holds of a key.
///
/// The statements run at REPEATABLE READ, where the server locks the keys' versions and the gaps between them as they are copied:
/// no other writer changes what was found before it is acted on.
struct MySQLHistory: Sendable {
    /// The versions that rows may meet, copied from the table.
    private static let versions = MySQLName(known: "_headrace_versions")
    /// What is to be written: 1 changes a version, 2 begins one.
    private static let changes = MySQLName(known: "_headrace_changes")
    private static let time = MySQLName(known: "_headrace_time")
    private static let until = MySQLName(known: "_headrace_until")
    private static let kind = MySQLName(known: "_headrace_kind")
    private static let version = MySQLName(known: "_headrace_version")
    private static let row = MySQLMerger.row
    /// So many changes are sent by one statement.
    private static let changesPerStatement = 2000

    private let type: SQL
    private let hasNumberedTimes: Bool
    /// Makes the two tables above, which live as long as the connection and commit nothing.
    private let making: [SQL]
    private let date: SQL
    private let copy: (head: SQL, tail: SQL)
    private let look: (head: SQL, tail: SQL)
    private let change: SQL
    private let begin: SQL

    /// - Parameter time: the run's, in microseconds since 1970, for rows that are not dated.
    init(_ plan: MySQLTablePlan, _ columns: HistoryColumns, stage: MySQLName, time: Int64) {
        guard let timeType = plan.timeType else { preconditionFailure("a history has bounds") }
        let table = plan.table
        let (from, bound, current) = (
            MySQLName(known: columns.from), MySQLName(known: columns.until), MySQLName(known: columns.current)
        )
        let (moment, until, kind, version, row) = (Self.time, Self.until, Self.kind, Self.version, Self.row)
        let (versions, changes) = (Self.versions, Self.changes)
        let keys = plan.keys.map { plan.columns[$0] }
        let values = plan.valueColumns.map { plan.columns[$0] }
        func of(_ alias: SQL, _ names: [MySQLName]) -> [SQL] { names.map { "\(alias).\($0)" } }
        func same(_ one: SQL, _ other: SQL) -> SQL {
            keys.map { "\(one).\($0) = \(other).\($0)" as SQL }.joined(by: " AND ")
        }
        type = SQL(writtenByUser: timeType.declared)
        hasNumberedTimes = timeType.type.isInteger
        making = [
            """
            CREATE TEMPORARY TABLE \(versions) (\(version) INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
            \(moment) \(type) NULL, \(until) \(type) NULL) ENGINE=InnoDB SELECT \(keys + values) FROM \(table) LIMIT 0
            """,
            """
            CREATE TEMPORARY TABLE \(changes) (\(kind) TINYINT NOT NULL, \(version) INT UNSIGNED NULL, \
            \(row) INT UNSIGNED NULL, \(moment) \(type) NULL, \(until) \(type) NULL) ENGINE=InnoDB
            """,
        ]
        let dated: SQL
        if plan.begin != nil {
            dated = "s.\(from)"
        } else {
            // A clock that has gone back must neither make the newest row a late one nor change what is there.
            let run = Self.literal(time, timeType)
            dated = """
                IFNULL((SELECT MAX(t.\(from)) + INTERVAL \(Self.moment(timeType)) MICROSECOND FROM \(table) AS t \
                WHERE \(same("t", "s")) AND t.\(from) > \(run)), \(run))
                """
        }
        date = "UPDATE \(stage) AS s SET s.\(moment) = \(dated) WHERE"
        copy = (
            """
            INSERT INTO \(versions) (\(moment), \(until), \(keys + values)) SELECT t.\(from), t.\(bound), \(of("t", keys + values)) \
            FROM (SELECT \(keys), MIN(\(moment)) AS \(moment) FROM \(stage) AS s WHERE
            """,
            """
            GROUP BY \(keys)) AS k JOIN \(table) AS t ON \(same("t", "k")) \
            WHERE t.\(bound) IS NULL OR t.\(bound) > k.\(moment) OR t.\(from) >= k.\(moment)
            """
        )
        // The collation decides which keys are equal, but a change of case is a change of a value; long ones are told apart too.
        let images = plan.valueColumns.map { place -> SQL in
            let target = plan.encoders[place].target
            let isText = target.isCollated || [.utf8, .json, .binary].contains(target.type)
            return isText ? "SHA2(e.\(plan.columns[place]), 256)" : "e.\(plan.columns[place])"
        }
        let order: SQL = images.isEmpty ? "" : " ORDER BY \(images)"
        let equal: SQL = images.isEmpty ? "1" : "DENSE_RANK() OVER (PARTITION BY \(of("e", keys))\(order))"
        look = (
            """
            SELECT e.\(row), e.\(version), DENSE_RANK() OVER (ORDER BY \(of("e", keys))) AS _headrace_key, \(equal), \
            e.\(moment), e.\(until) FROM (SELECT s.\(row), NULL AS \(version), CAST(s.\(moment) AS CHAR) AS \(moment), \
            NULL AS \(until), \(of("s", keys + values)) FROM \(stage) AS s WHERE
            """,
            """
            UNION ALL SELECT NULL, v.\(version), CAST(v.\(moment) AS CHAR), CAST(v.\(until) AS CHAR), \(of("v", keys + values)) \
            FROM \(versions) AS v) AS e ORDER BY _headrace_key, e.\(row)
            """
        )
        let sets = values.map { "t.\($0) = IF(c.\(row) IS NULL, t.\($0), s.\($0)), " as SQL }.joined(by: "")
        change = """
            UPDATE \(changes) AS c JOIN \(versions) AS v ON v.\(version) = c.\(version) \
            JOIN \(table) AS t ON \(same("t", "v")) AND t.\(from) = v.\(moment) LEFT JOIN \(stage) AS s ON s.\(row) = c.\(row) \
            SET \(sets)t.\(bound) = IFNULL(c.\(until), t.\(bound)), t.\(current) = IF(c.\(until) IS NULL, t.\(current), 0) \
            WHERE c.\(kind) = 1
            """
        begin = """
            INSERT INTO \(table) (\(keys + values), \(from), \(bound), \(current)) \
            SELECT \(of("s", keys + values)), c.\(moment), c.\(until), c.\(until) IS NULL \
            FROM \(changes) AS c JOIN \(stage) AS s ON s.\(row) = c.\(row) WHERE c.\(kind) = 2 ORDER BY c.\(row)
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

    /// The stage's column for since when a row holds.
    var stageColumns: SQL { ", \(Self.time) \(type) NULL" }

    /// For `plan`.
    var statements: [String] {
        ["\(date) TRUE", copied("TRUE"), looked("TRUE"), change, begin].map(\.text)
    }

    private func copied(_ chosen: SQL) -> SQL { "\(copy.head) \(chosen) \(copy.tail)" }

    private func looked(_ chosen: SQL) -> SQL { "\(look.head) \(chosen) \(look.tail)" }

    func makeStages(in connection: MySQLConnection) throws {
        for sql in making { try connection.execute(sql) }
    }

    /// Lets rows take effect in their order.
    func move(_ chosen: SQL, _ connection: MySQLConnection) throws -> WriteCounts {
        for table in [Self.versions, Self.changes] { try connection.execute("DELETE FROM \(table)") }
        try connection.execute("\(date) \(chosen)")
        try connection.execute(copied(chosen))
        let (batch, times) = try reckoned(connection.rows(looked(chosen)))
        guard !batch.isEmpty else { return batch.counts }
        func time(_ rank: Int?) -> SQL { "\(MySQLLiteral(rank.map { times[$0] }))" }
        let changed = batch.changed.map { change -> SQL in
            let row: SQL = change.row.map { "\($0)" } ?? "NULL"
            return "(1, \(change.place), \(row), NULL, \(time(change.until)))"
        }
        var left = (changed + batch.begun.map { "(2, NULL, \($0.row), \(time($0.from)), \(time($0.until)))" as SQL })[
            ...]
        while !left.isEmpty {
            try connection.execute("INSERT INTO \(Self.changes) VALUES \(Array(left.prefix(Self.changesPerStatement)))")
            left = left.dropFirst(Self.changesPerStatement)
        }
        // What held has ended before anything begins: a table may take one open version of a key.
        if !changed.isEmpty { try connection.execute(change) }
        let begun = batch.begun.isEmpty ? 0 : try connection.execute(begin)
        guard begun == batch.begun.count else {
            throw HeadraceError(
                .unexpected, "MySQL began \(begun) versions of \(batch.begun.count)", fields: [("sql", begin.text)])
        }
        return batch.counts
    }

    /// What comes of the rows that the server lists with the versions that they may meet, and the times by their rank.
    private func reckoned(_ found: [[String?]]) throws -> (batch: HistoryBatch, times: [String]) {
        let texts = Set(found.flatMap { [$0[4], $0[5]].compactMap(\.self) })
        // Texts of dates and times order as they do.
        let times =
            hasNumberedTimes
            ? texts.compactMap { text in Int128(text).map { ($0, text) } }.sorted { $0.0 < $1.0 }.map(\.1)
            : texts.sorted()
        let ranks = Dictionary(uniqueKeysWithValues: times.enumerated().map { ($1, $0) })
        var batch = HistoryBatch()
        for row in found {
            guard let from = row[4].flatMap({ ranks[$0] }) else {
                throw HeadraceError(
                    .schemaMismatch, "a version of the table has no begin", hint: "put the history right")
            }
            let (key, value) = (row[2].flatMap { Int($0) } ?? 0, row[3].flatMap { Int($0) } ?? 0)
            if let number = row[0].flatMap({ Int($0) }) {
                batch.add(row: number, key: key, value: value, at: from)
            } else {
                let until = row[5].flatMap { ranks[$0] }
                batch.add(version: row[1].flatMap { Int($0) } ?? 0, key: key, value: value, from: from, until: until)
            }
        }
        batch.finish()
        return (batch, times)
    }
}
