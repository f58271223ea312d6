import HeadraceCore

/// Moves rows from a staging table into a table by their keys, and counts what became of each on the server.
///
/// Rows are taken in their order: of several with one key in a batch each is seen by the next, in rounds, unless a history sees
/// to that.
struct MySQLMerger: Sendable {
    /// The staging table's own columns: the line of a row, and the round in which it is taken.
    static let row = MySQLName(known: "_headrace_row")
    private static let round = MySQLName(known: "_headrace_round")
    private static let point = MySQLName(known: "headrace_merge")

    private let plan: MySQLTablePlan
    private let stage: MySQLName
    private let same: SQL
    private let differs: SQL?
    private let update: SQL?
    private let insert: SQL
    private let keys: [MySQLName]
    private var history: MySQLHistory?

    /// - Parameter time: the run's, in microseconds since 1970, for a history whose rows are not dated.
    init(_ plan: MySQLTablePlan, stage: MySQLName, updating: [Int], time: Int64 = 0) {
        self.plan = plan
        self.stage = stage
        keys = plan.keys.map { plan.columns[$0] }
        let compare: SQL = if case .merge = plan.mode { "<=>" } else { "=" }
        same = keys.map { "t.\($0) \(compare) s.\($0)" as SQL }.joined(by: " AND ")
        let table = plan.table
        let changes: [SQL] = updating.map { "t.\(plan.columns[$0]) = s.\(plan.columns[$0])" }
        if updating.isEmpty {
            differs = nil
            update = nil
        } else {
            // The collation decides which keys are equal, but a change of case is a change of a value.
            let differences: [SQL] = updating.map { index in
                let name = plan.columns[index]
                return plan.encoders[index].target.isCollated
                    ? "NOT (CAST(t.\(name) AS BINARY) <=> CAST(s.\(name) AS BINARY))" : "NOT (t.\(name) <=> s.\(name))"
            }
            let difference: SQL = "(\(differences.joined(by: " OR ")))"
            differs = difference
            update = "UPDATE \(table) AS t JOIN \(stage) AS s ON \(same) SET \(changes) WHERE \(difference)"
        }
        let values: [SQL] = plan.columns.map { "s.\($0)" }
        insert = """
            INSERT INTO \(table) (\(plan.columns)) SELECT \(values) FROM \(stage) AS s \
            WHERE NOT EXISTS (SELECT 1 FROM \(table) AS t WHERE \(same))
            """
        history = plan.mode.history.map {
            MySQLHistory(plan, $0, stage: stage, time: time)
        }
    }

    /// For `plan`.
    var statements: [String] { history?.statements ?? (update.map { [$0.text] } ?? []) + [insert.text] }

    /// Makes the staging table, which lives as long as the connection and commits nothing.
    func makeStage(in connection: MySQLConnection) throws {
        try connection.execute(
            """
            CREATE TEMPORARY TABLE \(stage) (\(Self.row) INT UNSIGNED NOT NULL DEFAULT 0 PRIMARY KEY, \
            \(Self.round) INT NOT NULL DEFAULT 1\(history?.stageColumns ?? "")) ENGINE=InnoDB SELECT \(plan.columns) FROM \(plan.table) LIMIT 0
            """)
        try history?.makeStages(in: connection)
    }

    /// Takes a batch of rows through the staging table.
    func merge(
        _ batch: MySQLEncodedBatch, byFile: Bool, in connection: MySQLConnection
    ) throws -> (counts: WriteCounts, refusals: [MySQLRefusal]) {
        try connection.execute("DELETE FROM \(stage)")
        let (stored, found) = try MySQLRowLoader(plan, into: stage).store(batch, byFile: byFile, in: connection)
        var refusals = found
        var counts = WriteCounts()
        guard stored > 0 else { return (counts, refusals) }
        // A history sees to the order itself.
        let rounds =
            history != nil
            ? 1
            : try connection.number(
                "SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM \(stage) GROUP BY \(keys)) AS g") ?? 1
        if rounds > 1 {
            try connection.execute(
                """
                UPDATE \(stage) AS s JOIN (SELECT \(Self.row) AS r, ROW_NUMBER() OVER (PARTITION BY \(keys) \
                ORDER BY \(Self.row)) AS n FROM \(stage)) AS x ON x.r = s.\(Self.row) SET s.\(Self.round) = x.n
                """)
        }
        for round in 1...max(rounds, 1) {
            counts = counts + (try apply(0..<batch.count, round, &refusals, connection))
        }
        return (counts, refusals.sorted { $0.line < $1.line })
    }

    /// Moves the rows of a range of lines; where the server refuses one, halves find out which.
    private func apply(
        _ lines: Range<Int>, _ round: Int, _ refusals: inout [MySQLRefusal], _ connection: MySQLConnection
    ) throws -> WriteCounts {
        try connection.execute("SAVEPOINT \(Self.point)")
        do {
            return try move(lines, round, connection)
        } catch let failure as MySQLFailure where failure.isAboutRows {
            try connection.execute("ROLLBACK TO SAVEPOINT \(Self.point)")
            guard lines.count > 1 else {
                refusals.append(
                    MySQLRefusal(line: lines.lowerBound, number: failure.number, message: failure.message))
                return WriteCounts()
            }
            let middle = lines.lowerBound + lines.count / 2
            let first = try apply(lines.lowerBound..<middle, round, &refusals, connection)
            return first + (try apply(middle..<lines.upperBound, round, &refusals, connection))
        }
    }

    private func move(_ lines: Range<Int>, _ round: Int, _ connection: MySQLConnection) throws -> WriteCounts {
        let chosen: SQL = """
            s.\(Self.row) >= \(lines.lowerBound) AND s.\(Self.row) < \(lines.upperBound) AND s.\(Self.round) = \(round)
            """
        if let history { return try history.move(chosen, connection) }
        func count(_ condition: SQL) throws -> Int {
            try connection.number("SELECT COUNT(*) FROM \(stage) AS s WHERE \(chosen)\(condition)") ?? 0
        }
        let all = try count("")
        guard all > 0 else { return WriteCounts() }
        let known = try count(" AND EXISTS (SELECT 1 FROM \(plan.table) AS t WHERE \(same))")
        var counts = WriteCounts(unchanged: known)
        if known > 0, let differs, let update {
            let changed = try count(" AND EXISTS (SELECT 1 FROM \(plan.table) AS t WHERE \(same) AND \(differs))")
            if changed > 0 { try connection.execute("\(update) AND \(chosen)") }
            counts.updated = changed
            counts.unchanged = known - changed
        }
        if known < all {
            counts.inserted = try connection.execute("\(insert) AND \(chosen) ORDER BY s.\(Self.row)")
        }
        return counts
    }
}
