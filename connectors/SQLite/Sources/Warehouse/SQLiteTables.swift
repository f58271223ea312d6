import HeadraceCSQLite
import HeadraceColumnar
import HeadraceCore

/// What a warehouse does with its tables, on one connection. Used inside calls of its database's actor.
///
/// Descriptions of tables are kept for the connection's transaction, in which only this load changes tables.
final class SQLiteTables {
    private struct PlanKey: Hashable {
        let table: String
        let schema: Schema
        let mode: SQLiteTablePlan.Mode
    }

    private var tables: [String: SQLiteTable] = [:]
    private var plans: [PlanKey: SQLiteTablePlan] = [:]
    private var indexed: [[String]: Bool] = [:]

    init() {}

    private func table(_ name: String, _ connection: SQLiteConnection) throws -> SQLiteTable {
        if let known = tables[name] { return known }
        guard let found = try SQLiteTable.read(name, from: connection) else {
            throw try SQLiteTable.notFound(name, in: connection)
        }
        tables[name] = found
        return found
    }

    private func hasIndex(_ table: SQLiteTable, on columns: [String], _ connection: SQLiteConnection) throws -> Bool {
        if let known = indexed[[table.name] + columns] { return known }
        let answer = try SQLiteKeyTable.hasIndex(table, on: columns, in: connection)
        indexed[[table.name] + columns] = answer
        return answer
    }

    func ensure(_ definition: TableDefinition, in connection: SQLiteConnection) throws {
        try SQLiteTableDefinition.ensure(definition, in: connection)
        (tables, plans, indexed) = ([:], [:], [:])
    }

    // MARK: - Looking up

    func lookup(
        _ name: String, keys: RecordBatch, returning: [String], in connection: SQLiteConnection
    ) throws -> RecordBatch {
        let table = try table(name, connection)
        let names = keys.schema.names
        let keyColumns = try SQLiteKeyTable.columns(names, of: table)
        let columns = keyColumns + (try SQLiteKeyTable.columns(returning, of: table))
        let fields = zip(names + returning, columns).map { name, column in
            Field(name, column.type.type ?? .utf8, nullable: table.isNullable(column))
        }
        guard let schema = Schema(unique: fields), let reader = SQLiteRowReader(schema, columns: Array(fields.indices))
        else { throw HeadraceError(.schemaMismatch, "a lookup in \"\(name)\" names a column twice") }
        let wanted = try SQLiteKeyTable(keys, for: keyColumns, in: connection)
        guard wanted.count > 0 else { return reader.finish(count: 0) }
        let list = columns.map { "t.\(SQLiteName.quoted($0.name))" }.joined(separator: ", ")
        let equal = keyColumns.enumerated().map { "t.\(SQLiteName.quoted($1.name)) = k.c\($0)" }
        let main = "main.\(SQLiteName.quoted(table.name)) AS t"
        // SQLite keeps to the order of a CROSS JOIN: each key is looked up where an index leads to it, else the table is read
        // once and each row looked up among the keys.
        let isIndexed = try hasIndex(table, on: keyColumns.map(\.name), connection)
        let from = isIndexed ? "\(wanted.sql) AS k CROSS JOIN \(main)" : "\(main) CROSS JOIN \(wanted.sql) AS k"
        let statement = try connection.borrow("SELECT \(list) FROM \(from) WHERE \(equal.joined(separator: " AND "))")
        defer { connection.giveBack(statement) }
        var (rows, bytes) = (0, 0)
        while try statement.step() {
            if let misfit = reader.take(statement, bytes: &bytes) {
                throw HeadraceError(
                    .malformedInput, "table \"\(table.name)\": \(misfit.message)",
                    hint: "correct the value in the table, or the column's declared type")
            }
            rows += 1
        }
        return reader.finish(count: rows)
    }

    // MARK: - Writing

    private func plan(
        _ table: String, _ schema: Schema, _ mode: SQLiteTablePlan.Mode, _ connection: SQLiteConnection
    ) throws -> SQLiteTablePlan {
        let key = PlanKey(table: table, schema: schema, mode: mode)
        if let known = plans[key] { return known }
        _ = try self.table(table, connection)
        let plan = try SQLiteTablePlan.make(table, schema: schema, mode: mode, in: connection, isPartial: true)
        plans[key] = plan
        return plan
    }

    private func encode(_ rows: RecordBatch, _ plan: SQLiteTablePlan) throws -> SQLiteEncodedBatch {
        let batch = Batch(
            rows, provenance: .derived(plan.table), stream: StreamID(plan.table), sequence: 0, recordsRead: rows.count)
        let encoded = SQLiteEncodedBatch(batch, plan: plan)
        if let reject = encoded.rejects.first {
            throw HeadraceError(
                .constraintViolated, "a row does not fit table \"\(plan.table)\": \(reject.message)",
                fields: reject.field.map { [("column", $0)] } ?? [])
        }
        return encoded
    }

    private func refusal(_ failure: String, _ table: String) -> HeadraceError {
        HeadraceError(
            .constraintViolated, "table \"\(table)\" refuses a row of the load", fields: [("sqlite", failure)],
            hint: "nothing of this load was written")
    }

    func insert(_ rows: RecordBatch, into table: String, in connection: SQLiteConnection) throws -> WriteCounts {
        let plan = try plan(table, rows.schema, .append, connection)
        let outcome = try SQLiteRowWriter(inserting: plan).write(try encode(rows, plan), to: connection)
        if let first = outcome.refusals.first { throw refusal(first.message, plan.table) }
        return outcome.counts
    }

    /// Updates before it inserts, because rows that are there may lack columns that a new row would need, and several
    /// rows may have the same keys, such as the versions of a dimension's member.
    func merge(
        _ rows: RecordBatch, into table: String, on keys: [String], updating: [String], in connection: SQLiteConnection
    ) throws -> WriteCounts {
        guard !keys.isEmpty else {
            throw HeadraceError(.badOption, "a merge into \"\(table)\" needs at least one key column")
        }
        let plan = try plan(table, rows.schema, .merge(keys: keys), connection)
        let changing = try updating.map { name in
            guard let index = rows.schema.index(of: name) else {
                throw HeadraceError(
                    .schemaMismatch, "column \"\(name)\" is not among the rows to merge into \"\(plan.table)\"",
                    fields: [("columns", rows.schema.names.joined(separator: ", "))])
            }
            return index
        }
        let outcome = try SQLiteRowWriter(merging: plan, updating: changing).write(
            try encode(rows, plan), to: connection)
        if let first = outcome.refusals.first { throw refusal(first.message, plan.table) }
        return outcome.counts
    }

    // MARK: - Changing

    func delete(from name: String, matching partitions: RecordBatch, in connection: SQLiteConnection) throws -> Int {
        guard partitions.schema.count > 0 else {
            throw HeadraceError(.badOption, "a delete from \"\(name)\" names no column to match")
        }
        let table = try table(name, connection)
        let columns = try SQLiteKeyTable.columns(partitions.schema.names, of: table)
        // IS, because a partition may be the rows that have none.
        if try hasIndex(table, on: columns.map(\.name), connection) || partitions.count <= 4 {
            let condition = columns.enumerated().map { "\(SQLiteName.quoted($1.name)) IS ?\($0 + 1)" }
            return try run(
                "DELETE FROM \(SQLiteName.quoted(table.name)) WHERE \(condition.joined(separator: " AND "))",
                partitions, as: columns, connection)
        }
        let wanted = try SQLiteKeyTable(partitions, for: columns, keepsNulls: true, in: connection)
        let target = SQLiteName.quoted(table.name)
        let condition = columns.enumerated().map { "\(target).\(SQLiteName.quoted($1.name)) IS k.c\($0)" }
        return try connection.run(
            """
            DELETE FROM \(target) WHERE EXISTS
            (SELECT 1 FROM \(wanted.sql) AS k WHERE \(condition.joined(separator: " AND ")))
            """)
    }

    func markLatest(
        in name: String, flag: String, by order: String, for keys: RecordBatch, in connection: SQLiteConnection
    ) throws -> Int {
        let table = try table(name, connection)
        let keyColumns = try SQLiteKeyTable.columns(keys.schema.names, of: table)
        let flagColumn = SQLiteName.quoted(try SQLiteKeyTable.columns([flag], of: table)[0].name)
        let rank = try Self.rank(try SQLiteKeyTable.columns([order], of: table)[0], of: table)
        let wanted = try SQLiteKeyTable(keys, for: keyColumns, in: connection)
        guard wanted.count > 0 else { return 0 }
        let names = keyColumns.map { SQLiteName.quoted($0.name) }
        let target = SQLiteName.quoted(table.name)
        let isIndexed = try hasIndex(table, on: keyColumns.map(\.name), connection)
        let from =
            isIndexed
            ? "\(wanted.sql) AS k CROSS JOIN main.\(target) AS t" : "main.\(target) AS t CROSS JOIN \(wanted.sql) AS k"
        let found = names.enumerated().map { "t.\($1) = k.c\($0)" }.joined(separator: " AND ")
        let same = names.enumerated().map { "\(target).\($1) = m.c\($0)" }.joined(separator: " AND ")
        let list = names.indices.map { "k.c\($0) AS c\($0)" }.joined(separator: ", ")
        let group = names.indices.map { "k.c\($0)" }.joined(separator: ", ")
        let isTop = "coalesce(\(rank(target)) = m.top, 0)"
        return try connection.run(
            """
            UPDATE \(target) SET \(flagColumn) = \(isTop)
            FROM (SELECT \(list), max(\(rank("t"))) AS top FROM \(from) WHERE \(found) GROUP BY \(group)) AS m
            WHERE \(same) AND \(target).\(flagColumn) IS NOT \(isTop)
            """)
    }

    /// The expression by which rows are ranked: the column as it is stored where SQLite orders that as its type is
    /// ordered. A time with zone ends in `Z`, which would come after the point of a fraction.
    private static func rank(_ column: SQLiteTable.Column, of table: SQLiteTable) throws -> (String) -> String {
        let name = SQLiteName.quoted(column.name)
        switch column.type.type {
        case .timestamp(.some): return { "rtrim(\($0).\(name), 'Z')" }
        case .decimal where column.type.affinity == .text, .uint64?, nil, .json?, .binary?:
            throw HeadraceError(
                .unsupported, "SQLite cannot order \"\(column.name)\" of table \"\(table.name)\" by its values",
                fields: [("declared", column.type.declared)],
                hint: "rank by a date, a time, an integer, a decimal of up to 15 digits or text")
        default: return { "\($0).\(name)" }
        }
    }

    func closeIntervals(
        in name: String, keys: [String], until: String, flag: String?, rows: RecordBatch,
        in connection: SQLiteConnection
    ) throws -> Int {
        let table = try table(name, connection)
        let columns = try SQLiteKeyTable.columns(keys + [until], of: table)
        let values = try (keys + [until]).map { name in
            guard let column = rows[name] else {
                throw HeadraceError(
                    .schemaMismatch, "column \"\(name)\" is not among the rows that end intervals of \"\(table.name)\"")
            }
            return column
        }
        let fields = zip(keys + [until], values).map { Field($0, $1.type) }
        let picked = RecordBatch(schema: Schema(fields), columns: values, count: rows.count)
        let end = SQLiteName.quoted(columns[keys.count].name)
        var change = "\(end) = ?\(keys.count + 1)"
        if let flag {
            change += ", \(SQLiteName.quoted(try SQLiteKeyTable.columns([flag], of: table)[0].name)) = 0"
        }
        let same = columns.prefix(keys.count).enumerated().map { "\(SQLiteName.quoted($1.name)) = ?\($0 + 1)" }
        return try run(
            "UPDATE \(SQLiteName.quoted(table.name)) SET \(change) WHERE \((same + ["\(end) IS NULL"]).joined(separator: " AND "))",
            picked, as: columns, connection)
    }

    /// Runs a statement once for each row, bound as the columns store its values.
    /// - Returns: the rows it changed in all.
    private func run(
        _ sql: String, _ rows: RecordBatch, as columns: [SQLiteTable.Column], _ connection: SQLiteConnection
    ) throws -> Int {
        var misfits: [SQLiteMisfit] = []
        let encoded = zip(rows.columns, columns).map { column, target in
            SQLiteColumnEncoder(column.type, into: target.type).encode(column, misfits: &misfits)
        }
        let excluded = Set(misfits.map(\.row))
        let binder = SQLiteBinder(encoded)
        let statement = try connection.borrow(sql)
        defer {
            connection.giveBack(statement)
            withExtendedLifetime(encoded) {}
        }
        var changed = 0
        for row in 0..<rows.count where !excluded.contains(row) {
            guard binder.bind(row, from: 1, to: statement.handle) == SQLITE_OK else { throw connection.failure(sql) }
            _ = try statement.step()
            statement.reset()
            changed += connection.changes
        }
        return changed
    }
}
