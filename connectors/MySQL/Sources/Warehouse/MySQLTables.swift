import HeadraceColumnar
import HeadraceCore

/// What a warehouse does with its tables, on one connection. Used inside calls of its session's actor.
///
/// Rows and keys come in by temporary tables, whose columns have the types of the table that they are compared with.
final class MySQLTables {
    private let byFile: Bool
    private var tables: [String: MySQLTable] = [:]
    private var hasWritten = false
    private var temporaries = 0

    init(byFile: Bool) { self.byFile = byFile }

    private func table(_ name: String, _ connection: MySQLConnection) throws -> MySQLTable {
        if let known = tables[name] { return known }
        let found = try MySQLTable.find(name, in: connection)
        tables[name] = found
        return found
    }

    func ensure(_ definition: TableDefinition, in connection: MySQLConnection) throws {
        let missing = try MySQLTableDefinition.missing(definition, in: connection)
        guard !missing.isEmpty else { return }
        guard !hasWritten else {
            throw HeadraceError(
                .unsupported, "table \"\(definition.name)\" cannot be made in the middle of a transaction of MySQL",
                hint: "make all tables before the first row is written")
        }
        for sql in missing { try connection.execute(sql) }
        // The server has committed, and there was nothing to commit.
        try connection.execute("START TRANSACTION")
        tables = [:]
    }

    // MARK: - Rows in temporary tables

    private func plan(
        _ table: String, _ schema: Schema, _ mode: MySQLTablePlan.Mode, _ connection: MySQLConnection
    ) throws -> MySQLTablePlan {
        _ = try self.table(table, connection)
        return try MySQLTablePlan.make(table, schema: schema, mode: mode, in: connection, isPartial: true)
    }

    private func batch(_ rows: RecordBatch, _ table: String) -> Batch {
        Batch(rows, provenance: .derived(table), stream: StreamID(table), sequence: 0, recordsRead: rows.count)
    }

    private func encode(_ rows: RecordBatch, _ plan: MySQLTablePlan) throws -> MySQLEncodedBatch {
        let encoded = MySQLEncodedBatch(batch(rows, plan.table.text), plan: plan)
        if let reject = encoded.rejects.first {
            throw HeadraceError(
                .constraintViolated, "a row does not fit table \"\(plan.table.text)\": \(reject.message)",
                fields: reject.field.map { [("column", $0)] } ?? [])
        }
        return encoded
    }

    private func nextTemporary() -> MySQLName {
        temporaries += 1
        return MySQLName(known: "_headrace_rows_\(temporaries)")
    }

    /// Runs `body` with the rows in a temporary table of their columns in `name`. Rows with a value that a column cannot hold
    /// are left out: nothing equals them.
    private func withRows<R>(
        _ rows: RecordBatch, like name: String, in connection: MySQLConnection,
        _ body: (MySQLName, MySQLTable) throws -> R
    ) throws -> R {
        let table = try table(name, connection)
        let columns = try table.columns(rows.schema.names)
        let fields = rows.schema.fields
        let plan = MySQLTablePlan(
            table: table.name, mode: .merge(keys: rows.schema.names), fields: Array(columns.indices),
            columns: columns.map(\.name),
            encoders: zip(fields, columns).map { MySQLColumnEncoder($0.type, into: $1.type, isNullable: true) },
            keys: Array(columns.indices), definitions: [], makesTable: false, swaps: false)
        for (field, column) in zip(fields, columns)
        where !MySQLCoercion.isPossible(field.type, into: column.type.type) {
            throw HeadraceError(
                .schemaMismatch, "column \"\(column.name.text)\" of table \"\(name)\" cannot hold \(field.type)",
                fields: [("expected", "\(column.type.type)"), ("found", "\(field.type)")])
        }
        let encoded = MySQLEncodedBatch(batch(rows, name), plan: plan)
        let temporary = nextTemporary()
        try connection.execute("DROP TEMPORARY TABLE IF EXISTS \(temporary)")
        // Behind an outer join every column takes nulls, whatever the table's own do.
        let list: [SQL] = columns.map { "t.\($0.name)" }
        try connection.execute(
            """
            CREATE TEMPORARY TABLE \(temporary) (\(MySQLMerger.row) INT UNSIGNED NOT NULL DEFAULT 0 PRIMARY KEY) \
            ENGINE=InnoDB SELECT \(list) FROM (SELECT 1) AS one LEFT JOIN \(table.name) AS t ON FALSE LIMIT 0
            """)
        defer { _ = try? connection.execute("DROP TEMPORARY TABLE IF EXISTS \(temporary)") }
        _ = try MySQLRowLoader(plan, into: temporary).store(encoded, byFile: byFile, in: connection)
        return try body(temporary, table)
    }

    // MARK: - Looking up

    func lookup(
        _ name: String, keys: RecordBatch, returning: [String], in connection: MySQLConnection
    ) throws -> RecordBatch {
        try withRows(keys, like: name, in: connection) { temporary, table in
            let columns = try table.columns(keys.schema.names + returning)
            let fields = zip(keys.schema.names + returning, columns).map {
                Field($0, $1.type.type, nullable: $1.isNullable)
            }
            guard let schema = Schema(unique: fields) else {
                throw HeadraceError(.schemaMismatch, "a lookup in \"\(name)\" names a column twice")
            }
            let keyColumns = columns.prefix(keys.schema.count).map(\.name)
            let list: [SQL] = columns.map {
                $0.type.kind == .float ? "CAST(t.\($0.name) AS DOUBLE)" : "t.\($0.name)"
            }
            let equal: [SQL] = keyColumns.map { "t.\($0) = k.\($0)" }
            let stream = try connection.stream(
                """
                SELECT \(list) FROM (SELECT DISTINCT \(Array(keyColumns)) FROM \(temporary)) AS k \
                JOIN \(table.name) AS t ON \(equal.joined(by: " AND "))
                """)
            var rows = MySQLRows(columnCount: stream.columnCount, bytes: 1 << 16, rows: 1024)
            while try stream.next(into: &rows) {}
            let decoder = MySQLRowDecoder(schema, types: columns.map(\.type), options: MySQLReadingOptions())
            let (records, misfits) = decoder.decode(rows)
            if let misfit = misfits.first {
                throw HeadraceError(.malformedInput, "table \"\(name)\": \(misfit.message)")
            }
            return records
        }
    }

    // MARK: - Writing

    private func refusal(_ message: String, _ table: String) -> HeadraceError {
        HeadraceError(
            .constraintViolated, "table \"\(table)\" refuses a row of the load", fields: [("mysql", message)],
            hint: "nothing of this load was written")
    }

    func insert(_ rows: RecordBatch, into table: String, in connection: MySQLConnection) throws -> WriteCounts {
        hasWritten = true
        let plan = try plan(table, rows.schema, .append, connection)
        let (stored, refusals) = try MySQLRowLoader(plan, into: plan.table).store(
            try encode(rows, plan), byFile: byFile, in: connection)
        if let first = refusals.first { throw refusal(first.message, table) }
        return WriteCounts(inserted: stored)
    }

    func merge(
        _ rows: RecordBatch, into table: String, on keys: [String], updating: [String], in connection: MySQLConnection
    ) throws -> WriteCounts {
        hasWritten = true
        let plan = try plan(table, rows.schema, .merge(keys: keys), connection)
        let changing = try updating.map { name in
            guard let index = rows.schema.index(of: name) else {
                throw HeadraceError(
                    .schemaMismatch, "column \"\(name)\" is not among the rows to merge into \"\(table)\"",
                    fields: [("columns", rows.schema.names.joined(separator: ", "))])
            }
            return index
        }
        let stage = nextTemporary()
        let merger = MySQLMerger(plan, stage: stage, updating: changing)
        try merger.makeStage(in: connection)
        defer { _ = try? connection.execute("DROP TEMPORARY TABLE IF EXISTS \(stage)") }
        let (counts, refusals) = try merger.merge(try encode(rows, plan), byFile: byFile, in: connection)
        if let first = refusals.first { throw refusal(first.message, table) }
        return counts
    }

    // MARK: - Changing

    func delete(from name: String, matching partitions: RecordBatch, in connection: MySQLConnection) throws -> Int {
        guard partitions.schema.count > 0 else {
            throw HeadraceError(.badOption, "a delete from \"\(name)\" names no column to match")
        }
        hasWritten = true
        return try withRows(partitions, like: name, in: connection) { temporary, table in
            let columns = try table.columns(partitions.schema.names).map(\.name)
            // Nulls are equal, because a partition may be the rows that have none.
            let same: [SQL] = columns.map { "t.\($0) <=> k.\($0)" }
            return try connection.execute(
                """
                DELETE t FROM \(table.name) AS t JOIN (SELECT DISTINCT \(columns) FROM \(temporary)) AS k \
                ON \(same.joined(by: " AND "))
                """)
        }
    }

    func markLatest(
        in name: String, flag: String, by order: String, for keys: RecordBatch, in connection: MySQLConnection
    ) throws -> Int {
        hasWritten = true
        return try withRows(keys, like: name, in: connection) { temporary, table in
            let columns = try table.columns(keys.schema.names).map(\.name)
            let (mark, rank) = (try table.columns([flag])[0].name, try table.columns([order])[0].name)
            let found: [SQL] = columns.map { "t.\($0) = k.\($0)" }
            let same: [SQL] = columns.map { "t.\($0) = m.\($0)" }
            let list: [SQL] = columns.map { "t.\($0)" }
            // Alone in a table of its own, because a table that is updated cannot be read from.
            let tops = nextTemporary()
            try connection.execute(
                """
                CREATE TEMPORARY TABLE \(tops) ENGINE=InnoDB SELECT \(list), MAX(t.\(rank)) AS _headrace_top \
                FROM (SELECT DISTINCT \(columns) FROM \(temporary)) AS k JOIN \(table.name) AS t \
                ON \(found.joined(by: " AND ")) GROUP BY \(list)
                """)
            defer { _ = try? connection.execute("DROP TEMPORARY TABLE IF EXISTS \(tops)") }
            let isTop: SQL = "COALESCE(t.\(rank) = m._headrace_top, 0)"
            return try connection.execute(
                """
                UPDATE \(table.name) AS t JOIN \(tops) AS m ON \(same.joined(by: " AND ")) SET t.\(mark) = \(isTop) \
                WHERE NOT (t.\(mark) <=> \(isTop))
                """)
        }
    }

    func closeIntervals(
        in name: String, keys: [String], until: String, flag: String?, rows: RecordBatch, in connection: MySQLConnection
    ) throws -> Int {
        hasWritten = true
        let values = try (keys + [until]).map { name -> ColumnVector in
            guard let column = rows[name] else {
                throw HeadraceError(
                    .schemaMismatch, "column \"\(name)\" is not among the rows that end intervals of \"\(name)\"")
            }
            return column
        }
        let fields = zip(keys + [until], values).map { Field($0, $1.type) }
        let picked = RecordBatch(schema: Schema(fields), columns: values, count: rows.count)
        return try withRows(picked, like: name, in: connection) { temporary, table in
            let columns = try table.columns(keys).map(\.name)
            let end = try table.columns([until])[0].name
            let same: [SQL] = columns.map { "t.\($0) = k.\($0)" }
            let clear: SQL = if let flag { ", t.\(try table.columns([flag])[0].name) = 0" } else { "" }
            return try connection.execute(
                """
                UPDATE \(table.name) AS t JOIN \(temporary) AS k ON \(same.joined(by: " AND ")) \
                SET t.\(end) = k.\(end)\(clear) WHERE t.\(end) IS NULL
                """)
        }
    }
}
