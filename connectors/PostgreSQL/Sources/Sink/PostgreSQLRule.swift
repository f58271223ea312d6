import HeadraceColumnar
import HeadraceCore

/// A constraint of a table as SQL that finds the rows of a stage which break it.
struct PostgreSQLRule: Sendable {
    let name: String
    /// Whether the row `s` of a stage breaks the rule, given the table as it is.
    let violation: SQL
    /// For checks: what holds for a row alone, or is unknown, unless it breaks the rule.
    var check: SQL?
    /// For unique rules: the columns, so that rows of one stage are held against each other.
    let unique: [PostgreSQLName]

    /// The rules of a plan's table, in the order in which the server judges them: checks by name, unique keys, references.
    ///
    /// Rules that SQL over a stage cannot tell are left out: the server has the last word on every row anyway.
    static func all(of plan: PostgreSQLTablePlan, in connection: PostgreSQLConnection) throws -> [PostgreSQLRule] {
        guard let table = try PostgreSQLTable.read(plan.target, from: connection) else { return [] }
        return try checks(table, plan, connection) + uniques(table, plan) + references(table, plan, connection)
    }

    private static func names(_ json: String?) throws -> [PostgreSQLName] {
        try (JSONValue.parse(json ?? "[]").arrayValue ?? []).compactMap(\.stringValue).map { try PostgreSQLName($0) }
    }

    private static func checks(
        _ table: PostgreSQLTable, _ plan: PostgreSQLTablePlan, _ connection: PostgreSQLConnection
    ) throws -> [PostgreSQLRule] {
        let found = try connection.rows(
            """
            SELECT c.conname, pg_get_expr(c.conbin, c.conrelid),
                (SELECT json_agg(a.attname) FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey))
            FROM pg_constraint c WHERE c.conrelid = $1::oid AND c.contype = 'c' ORDER BY c.conname
            """, ["\(table.oid)"]
        ) { row in (name: row.text(0) ?? "", expression: row.text(1) ?? "true", columns: try names(row.text(2))) }
        return found.compactMap { check in
            // Columns that the rows lack take defaults, which the stage does not know.
            guard !check.columns.isEmpty, check.columns.allSatisfy(plan.names.contains) else { return nil }
            let expression = SQL(writtenByUser: check.expression)
            return PostgreSQLRule(
                name: check.name, violation: "NOT (\(expression))", check: expression, unique: [])
        }
    }

    private static func uniques(_ table: PostgreSQLTable, _ plan: PostgreSQLTablePlan) throws -> [PostgreSQLRule] {
        if plan.mode.isKeyed { return [] }
        return try ([table.primaryKey] + table.uniqueKeys).filter { !$0.isEmpty }.compactMap { names in
            let key = try names.map { try PostgreSQLName($0) }
            guard key.allSatisfy(plan.names.contains) else { return nil }
            let same = key.map { "t.\($0) = s.\($0)" as SQL }.joined(by: " AND ")
            return PostgreSQLRule(
                name: "unique \(names.joined(separator: ", "))",
                violation: "EXISTS (SELECT 1 FROM \(table.name) t WHERE \(same))", unique: key)
        }
    }

    private static func references(
        _ table: PostgreSQLTable, _ plan: PostgreSQLTablePlan, _ connection: PostgreSQLConnection
    ) throws -> [PostgreSQLRule] {
        let found = try connection.rows(
            """
            SELECT c.conname, n.nspname, r.relname,
                (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY k(number, place)
                 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number),
                (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(c.confkey) WITH ORDINALITY k(number, place)
                 JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number)
            FROM pg_constraint c JOIN pg_class r ON r.oid = c.confrelid JOIN pg_namespace n ON n.oid = r.relnamespace
            WHERE c.conrelid = $1::oid AND c.contype = 'f' AND c.confmatchtype = 's' AND c.confrelid <> c.conrelid
            ORDER BY c.conname
            """, ["\(table.oid)"]
        ) { row in
            (
                name: row.text(0) ?? "",
                target: PostgreSQLTableName(
                    schema: try PostgreSQLName(row.text(1) ?? ""), table: try PostgreSQLName(row.text(2) ?? "")),
                own: try names(row.text(3)), others: try names(row.text(4))
            )
        }
        return found.compactMap { reference in
            guard reference.own.allSatisfy(plan.names.contains) else { return nil }
            let there = reference.own.map { "s.\($0) IS NOT NULL" as SQL }.joined(by: " AND ")
            let same = zip(reference.own, reference.others).map { "r.\($1) = s.\($0)" as SQL }.joined(by: " AND ")
            return PostgreSQLRule(
                name: reference.name,
                violation: "\(there) AND NOT EXISTS (SELECT 1 FROM \(reference.target) r WHERE \(same))", unique: [])
        }
    }
}
