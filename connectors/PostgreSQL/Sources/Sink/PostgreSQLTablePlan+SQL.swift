import HeadraceColumnar
import HeadraceCore

/// The statements that move rows from where they arrive into the table.
extension PostgreSQLTablePlan {
    /// Takes rows as the encoder lays them out.
    var copy: SQL { "COPY \(target) (\(names)) FROM STDIN (FORMAT binary)" }

    /// Empties the table for a replace, in the rows' transaction.
    var clear: SQL { isReferenced ? "DELETE FROM \(table)" : "TRUNCATE \(table)" }

    /// Lets no other writer in until the transaction's end; readers go on.
    var lock: SQL { "LOCK TABLE \(table) IN SHARE ROW EXCLUSIVE MODE" }

    var overriding: SQL { columns.contains(where: \.isIdentityAlways) ? " OVERRIDING SYSTEM VALUE" : "" }

    /// The values of a stage's columns in the types of the table's, text read by the server where it stands for another type.
    private var staged: [SQL] { columns.map { $0.isReadFromText ? $0.read(from: "\($0.name)") : "\($0.name)" } }

    /// The rows of `stage` that `condition` picks, with their numbers.
    private func picked(from stage: PostgreSQLTableName, where condition: SQL) -> SQL {
        let values = zip(staged, names).map { "\($0) AS \($1)" as SQL }
        return "SELECT \(PostgreSQLStages.row), \(values) FROM \(stage) WHERE \(condition)"
    }

    /// The picked rows, one of each key: its first in the order of the source, or its last.
    private func oneOfEachKey(first: Bool) -> SQL {
        let order: SQL = first ? "" : " DESC"
        return """
            SELECT DISTINCT ON (\(keyNames)) \(names) FROM _headrace_picked ORDER BY \(keyNames), \(PostgreSQLStages.row)\(order)
            """
    }

    /// Whether `left` and `right` have equal keys.
    func sameKey(_ left: SQL, _ right: SQL) -> SQL {
        keyNames.map { "\(left).\($0) = \(right).\($0)" as SQL }.joined(by: " AND ")
    }

    /// Whether `left` and `right` differ in a value. Images differ wherever anything differs: json, digits behind the point,
    /// case under any collation.
    func differ(_ left: SQL, _ right: SQL) -> SQL {
        let values = valueNames
        guard !values.isEmpty else { return "false" }
        return
            "ROW(\(values.map { "\(left).\($0)" as SQL }))::record *<> ROW(\(values.map { "\(right).\($0)" as SQL }))::record"
    }

    /// Moves the rows of `stage` that `condition` picks into the table.
    func append(from stage: PostgreSQLTableName, where condition: SQL) -> SQL {
        """
        INSERT INTO \(target) (\(names))\(overriding) SELECT \(staged) FROM \(stage) WHERE \(condition)
            ORDER BY \(PostgreSQLStages.row)
        """
    }

    /// Writes the rows of `stage` that `condition` picks by key, and gives one row: rows picked, keys among them, rows
    /// inserted and rows updated.
    func merge(from stage: PostgreSQLTableName, where condition: SQL) -> SQL {
        let counts: SQL = """
            SELECT (SELECT count(*) FROM _headrace_picked), (SELECT count(*) FROM _headrace_one),
                (SELECT count(*) FROM _headrace_written WHERE is_new), (SELECT count(*) FROM _headrace_written WHERE NOT is_new)
            """
        return """
            WITH _headrace_picked AS (\(picked(from: stage, where: condition))),
            _headrace_one AS (\(oneOfEachKey(first: mode == .insert))),
            \(isPartitioned && mode != .insert ? changedOrAdded : onConflict)
            \(counts)
            """
    }

    /// After `merge`: the picked rows whose key is not in the table, with a number for each key.
    func keptOut(from stage: PostgreSQLTableName, where condition: SQL) -> SQL {
        """
        WITH _headrace_picked AS (\(picked(from: stage, where: condition)))
            SELECT s.\(PostgreSQLStages.row), dense_rank() OVER (ORDER BY \(keyNames.map { "s.\($0)" as SQL })) FROM _headrace_picked s
            WHERE NOT EXISTS (SELECT 1 FROM \(table) t WHERE \(sameKey("t", "s"))) ORDER BY 1
        """
    }

    private var onConflict: SQL {
        let changes = valueNames.map { "\($0) = excluded.\($0)" as SQL }
        let action: SQL =
            mode == .insert || changes.isEmpty ? "NOTHING" : "UPDATE SET \(changes) WHERE \(differ("t", "excluded"))"
        // What was not updated and is returned is new. A partitioned table does not tell, and is only inserted into.
        let isNew: SQL = mode == .insert ? "true" : "t.xmax = 0"
        return """
            _headrace_written AS (INSERT INTO \(table) AS t (\(names))\(overriding) SELECT \(names) FROM _headrace_one
                ON CONFLICT (\(keyNames)) DO \(action) RETURNING \(isNew) AS is_new)
            """
    }

    /// For a table that is locked: what is there is updated, the rest inserted.
    private var changedOrAdded: SQL {
        let changes = valueNames.map { "\($0) = o.\($0)" as SQL }
        let keys = keyNames.map { "o.\($0)" as SQL }
        let changed: SQL =
            changes.isEmpty
            ? "SELECT \(keyNames) FROM _headrace_one WHERE false"
            : """
            UPDATE \(table) t SET \(changes) FROM _headrace_one o WHERE \(sameKey("t", "o")) AND \(differ("t", "o")) RETURNING \(keys)
            """
        // Nothing keeps the keys of such a table apart: a row may have changed several.
        return """
            _headrace_changed AS (\(changed)),
            _headrace_added AS (INSERT INTO \(table) (\(names))\(overriding) SELECT \(names) FROM _headrace_one o
                WHERE NOT EXISTS (SELECT 1 FROM \(table) t WHERE \(sameKey("t", "o"))) RETURNING 1),
            _headrace_written AS (SELECT false AS is_new FROM (SELECT DISTINCT \(keyNames) FROM _headrace_changed) c
                UNION ALL SELECT true FROM _headrace_added)
            """
    }

    /// The statements that rows will run, one line each, for `plan`.
    func statements(at time: PostgreSQLLiteral) -> [String] {
        let stage = PostgreSQLStages.name(1)
        let fill: SQL = "COPY \(stage) FROM STDIN (FORMAT binary)"
        let adding = needsStage ? [fill, append(from: stage, where: "true")] : [copy]
        let moving: [SQL] =
            switch mode {
            case .append: adding
            case .replace: (swap?.before ?? (makesTable ? [] : [clear])) + adding + (swap?.after ?? [])
            case .upsert, .insert: (locks ? [lock] : []) + [fill, merge(from: stage, where: "true")]
            case .mirror:
                (locks ? [lock] : []) + [fill, merge(from: stage, where: "true")] + PostgreSQLSeenKeys(self).statements
            case .history(let columns):
                [lock, fill] + PostgreSQLHistory(self, columns, time: time).statements(from: stage)
            }
        return moving.map {
            $0.text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }.joined(separator: " ")
        }
    }
}
