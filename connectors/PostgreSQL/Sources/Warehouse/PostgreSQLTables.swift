import HeadraceColumnar
import HeadraceCore

/// What a warehouse does with its tables, on one connection: rows go into a stage by COPY, one statement does the rest.
///
/// Descriptions of tables are kept for the connection's transaction, in which only this load changes tables.
///
/// - Invariant (`@unchecked Sendable`): used inside calls of its session only.
final class PostgreSQLTables: @unchecked Sendable {
    private struct EncoderKey: Hashable {
        let table: String
        let schema: Schema
        let isLenient: Bool
    }

    private var tables: [String: PostgreSQLTable] = [:]
    private var encoders: [EncoderKey: PostgreSQLRowEncoder] = [:]
    private let stages = PostgreSQLStages(isIndexed: false)

    private func table(_ name: String, _ connection: PostgreSQLConnection) throws -> PostgreSQLTable {
        if let known = tables[name] { return known }
        let parsed = PostgreSQLTableName(schema: nil, table: try PostgreSQLName(name))
        guard let found = try PostgreSQLTable.read(parsed, from: connection) else {
            throw try PostgreSQLTable.notFound(parsed, in: connection)
        }
        tables[name] = found
        return found
    }

    func ensure(_ definition: TableDefinition, in connection: PostgreSQLConnection) throws {
        try PostgreSQLTableDefinition.ensure(definition, in: connection)
        (tables, encoders) = ([:], [:])
    }

    private static func column(_ name: String, of table: PostgreSQLTable) throws -> PostgreSQLColumn {
        guard let column = table.column(name) else {
            throw HeadraceError(
                .schemaMismatch, "table \(table.name) has no column \"\(name)\"",
                fields: [("columns of the table", table.columns.map(\.name.text).joined(separator: ", "))])
        }
        return column
    }

    /// Puts rows into a stage with the types of the table's columns of the same names.
    /// - Parameter isLenient: leaves out rows that do not fit, because nothing equals them; else they are an error.
    private func stage(
        _ rows: RecordBatch, for table: PostgreSQLTable, isLenient: Bool, _ connection: PostgreSQLConnection
    ) throws -> (name: PostgreSQLTableName, columns: [PostgreSQLColumn]) {
        let columns = try PostgreSQLTablePlan.columns(of: table, for: rows.schema)
        let key = EncoderKey(table: table.name.quoted, schema: rows.schema, isLenient: isLenient)
        let encoder =
            try encoders[key]
            ?? PostgreSQLRowEncoder(rows.schema, into: columns.map { ($0.type, isLenient || $0.isNullable) })
        encoders[key] = encoder
        let encoded = encoder.encode(rows)
        if !isLenient, let (column, misfit) = encoded.misfits.first {
            throw HeadraceError(
                .constraintViolated, "a row does not fit table \(table.name): \(misfit.message)",
                fields: [("column", column)])
        }
        return (try stages.fill(columns, encoded, in: connection), columns)
    }

    /// Whether `left` and `right` agree in columns. Nulls are equal where the batch holds any; an index is of no use then.
    private static func same(
        _ columns: [PostgreSQLColumn], _ rows: RecordBatch, _ left: SQL, _ right: SQL, nullsAreEqual: Bool
    ) -> SQL {
        columns.map { column -> SQL in
            let hasNulls = nullsAreEqual && (rows[column.name.text]?.nullCount ?? 0) > 0
            let (mine, other): (SQL, SQL) = ("\(left).\(column.name)", "\(right).\(column.name)")
            return hasNulls ? "(\(mine) = \(other) OR (\(mine) IS NULL AND \(other) IS NULL))" : "\(mine) = \(other)"
        }.joined(by: " AND ")
    }

    // MARK: - Looking up

    func lookup(
        _ name: String, keys: RecordBatch, returning: [String], in connection: PostgreSQLConnection
    ) throws -> RecordBatch {
        let table = try table(name, connection)
        let columns = try (keys.schema.names + returning).map { try Self.column($0, of: table) }
        guard let schema = Schema(unique: columns.map { $0.field() }) else {
            throw HeadraceError(.schemaMismatch, "a lookup in \"\(name)\" names a column twice")
        }
        guard keys.count > 0 else { return RecordBatch(empty: schema) }
        let (stage, keyColumns) = try stage(keys, for: table, isLenient: true, connection)
        let list = keyColumns.map(\.name)
        let same = Self.same(keyColumns, keys, "t", "k", nullsAreEqual: false)
        let selection = columns.map { column -> SQL in
            column.type.isCastToText ? "t.\(column.name)::text" : "t.\(column.name)"
        }
        let query: SQL =
            "SELECT \(selection) FROM (SELECT DISTINCT \(list) FROM \(stage)) k JOIN \(table.name) t ON \(same)"
        try connection.beginCopyOut("COPY (\(query)) TO STDOUT (FORMAT binary)")
        var bytes: [UInt8] = []
        var pieces = 0
        while try connection.copyOut({
            bytes += $0
            pieces += 1
            return true
        }) {}
        // The header comes with the first row, the trailer as the last piece.
        let header = PostgreSQLEncodedRows.header.count
        guard bytes.count >= header + 2 else { return RecordBatch(empty: schema) }
        let body = header..<bytes.count - PostgreSQLEncodedRows.trailer.count
        let count = bytes.withUnsafeBytes { Self.rows(in: UnsafeRawBufferPointer(rebasing: $0[body])) }
        let decoder = PostgreSQLRowDecoder(schema, types: columns.map(\.type), checksText: false)
        let (found, misfits) = try bytes.withUnsafeBytes {
            try decoder.decode(UnsafeRawBufferPointer(rebasing: $0[body]), rows: count)
        }
        if let (column, misfit) = misfits.first {
            throw HeadraceError(
                .malformedInput, "table \(table.name): \(misfit.message)", fields: [("column", column)])
        }
        return found
    }

    /// How many rows of a binary COPY there are in `bytes`.
    private static func rows(in bytes: UnsafeRawBufferPointer) -> Int {
        var (place, count) = (0, 0)
        while place + 2 <= bytes.count {
            let fields = Int(Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: Int16.self)))
            place += 2
            for _ in 0..<max(fields, 0) where place + 4 <= bytes.count {
                let length = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: Int32.self))
                place += 4 + Int(max(length, 0))
            }
            count += 1
        }
        return count
    }

    // MARK: - Writing

    /// Turns a refused row into the load's error.
    private func refusing<R>(_ table: PostgreSQLTable, _ body: () throws -> R) throws -> R {
        do { return try body() } catch let failure as PostgreSQLFailure where failure.isRefusal {
            throw HeadraceError(
                .constraintViolated, "table \(table.name) refuses a row of the load",
                fields: [("postgresql", failure.message)], hint: "nothing of this load was written")
        }
    }

    func insert(_ rows: RecordBatch, into name: String, in connection: PostgreSQLConnection) throws -> WriteCounts {
        let table = try table(name, connection)
        guard rows.count > 0 else { return WriteCounts() }
        let columns = try PostgreSQLTablePlan.columns(of: table, for: rows.schema)
        let encoder = try PostgreSQLRowEncoder(rows.schema, into: columns.map { ($0.type, $0.isNullable) })
        let encoded = encoder.encode(rows)
        if let (column, misfit) = encoded.misfits.first {
            throw HeadraceError(
                .constraintViolated, "a row does not fit table \(table.name): \(misfit.message)",
                fields: [("column", column)])
        }
        return try refusing(table) {
            try connection.beginCopyIn("COPY \(table.name) (\(columns.map(\.name))) FROM STDIN (FORMAT binary)")
            try PostgreSQLEncodedRows.header.withUnsafeBytes { try connection.copyIn($0) }
            try encoded.withBytes(of: 0..<encoded.count) { try connection.copyIn($0) }
            try PostgreSQLEncodedRows.trailer.withUnsafeBytes { try connection.copyIn($0) }
            return WriteCounts(inserted: try connection.endCopyIn())
        }
    }

    /// Updates before it inserts, because rows that are there may lack columns that a new row would need, and several
    /// rows may have the same keys, such as the versions of a dimension's member.
    func merge(
        _ rows: RecordBatch, into name: String, on keys: [String], updating: [String],
        in connection: PostgreSQLConnection
    ) throws -> WriteCounts {
        guard !keys.isEmpty else {
            throw HeadraceError(.badOption, "a merge into \"\(name)\" needs at least one key column")
        }
        let table = try table(name, connection)
        for name in keys + updating where rows.schema[name] == nil {
            throw HeadraceError(
                .schemaMismatch, "column \"\(name)\" is not among the rows to merge into \(table.name)",
                fields: [("columns", rows.schema.names.joined(separator: ", "))])
        }
        guard rows.count > 0 else { return WriteCounts() }
        let (stage, columns) = try stage(rows, for: table, isLenient: false, connection)
        let keyColumns = try keys.map { try Self.column($0, of: table) }
        let keyNames = keyColumns.map(\.name)
        let same = Self.same(keyColumns, rows, "t", "s", nullsAreEqual: true)
        // Of rows of one key the last stands, as if they had come one after another.
        let last: SQL =
            "(SELECT DISTINCT ON (\(keyNames)) * FROM \(stage) ORDER BY \(keyNames), \(PostgreSQLStages.row) DESC) s"
        return try refusing(table) {
            var counts = WriteCounts()
            if !updating.isEmpty {
                let names = try updating.map { try PostgreSQLName($0) }
                let changes = names.map { "\($0) = s.\($0)" as SQL }
                let (old, new) = (names.map { "t.\($0)" as SQL }, names.map { "s.\($0)" as SQL })
                counts.updated =
                    try connection.first(
                        """
                        WITH changed AS (UPDATE \(table.name) t SET \(changes) FROM \(last)
                            WHERE \(same) AND ROW(\(old))::record *<> ROW(\(new))::record RETURNING s.\(PostgreSQLStages.row) AS number)
                        SELECT count(DISTINCT number) FROM changed
                        """
                    ) { Int($0.integer(0) ?? 0) } ?? 0
            }
            let names = columns.map(\.name)
            counts.inserted = try connection.run(
                """
                INSERT INTO \(table.name) (\(names)) SELECT \(names) FROM \(last)
                WHERE NOT EXISTS (SELECT 1 FROM \(table.name) t WHERE \(same)) ORDER BY \(PostgreSQLStages.row)
                """)
            let distinct = try connection.first("SELECT count(*) FROM \(last)") { Int($0.integer(0) ?? 0) } ?? 0
            counts.unchanged = distinct - counts.updated - counts.inserted
            counts.updated += rows.count - distinct
            return counts
        }
    }

    // MARK: - Changing

    func delete(from name: String, matching partitions: RecordBatch, in connection: PostgreSQLConnection) throws -> Int
    {
        guard partitions.schema.count > 0 else {
            throw HeadraceError(.badOption, "a delete from \"\(name)\" names no column to match")
        }
        let table = try table(name, connection)
        let (stage, columns) = try stage(partitions, for: table, isLenient: true, connection)
        let same = Self.same(columns, partitions, "t", "s", nullsAreEqual: true)
        return try refusing(table) {
            try connection.run("DELETE FROM \(table.name) t USING \(stage) s WHERE \(same)")
        }
    }

    func markLatest(
        in name: String, flag: String, by order: String, for keys: RecordBatch, in connection: PostgreSQLConnection
    ) throws -> Int {
        let table = try table(name, connection)
        let (flag, order) = (try Self.column(flag, of: table).name, try Self.column(order, of: table).name)
        guard keys.count > 0 else { return 0 }
        let (stage, columns) = try stage(keys, for: table, isLenient: true, connection)
        let names = columns.map(\.name)
        let asked = Self.same(columns, keys, "r", "k", nullsAreEqual: false)
        let same = Self.same(columns, keys, "t", "m", nullsAreEqual: false)
        let group = names.map { "r.\($0)" as SQL }
        return try connection.run(
            """
            UPDATE \(table.name) t SET \(flag) = coalesce(t.\(order) = m._top, false)
            FROM (SELECT \(group), max(r.\(order)) AS _top FROM \(table.name) r
                JOIN (SELECT DISTINCT \(names) FROM \(stage)) k ON \(asked) GROUP BY \(group)) m
            WHERE \(same) AND t.\(flag) IS DISTINCT FROM coalesce(t.\(order) = m._top, false)
            """)
    }

    func closeIntervals(
        in name: String, keys: [String], until: String, flag: String?, rows: RecordBatch,
        in connection: PostgreSQLConnection
    ) throws -> Int {
        let table = try table(name, connection)
        let values = try (keys + [until]).map { name in
            guard let column = rows[name] else {
                throw HeadraceError(
                    .schemaMismatch, "column \"\(name)\" is not among the rows that end intervals of \(table.name)")
            }
            return column
        }
        guard rows.count > 0 else { return 0 }
        let fields = zip(keys + [until], values).map { Field($0, $1.type) }
        let picked = RecordBatch(schema: Schema(fields), columns: values, count: rows.count)
        let (stage, columns) = try stage(picked, for: table, isLenient: true, connection)
        let same = Self.same(Array(columns.prefix(keys.count)), picked, "t", "s", nullsAreEqual: false)
        let end = columns[keys.count].name
        var change: SQL = "\(end) = s.\(end)"
        if let flag { change = "\(change), \(try Self.column(flag, of: table).name) = false" }
        // Of several ends for one key the first stands: it leaves no open interval for the others.
        return try refusing(table) {
            try connection.run(
                """
                UPDATE \(table.name) t SET \(change)
                FROM (SELECT DISTINCT ON (\(columns.prefix(keys.count).map(\.name))) * FROM \(stage)
                    ORDER BY \(columns.prefix(keys.count).map(\.name)), \(PostgreSQLStages.row)) s
                WHERE \(same) AND t.\(end) IS NULL
                """)
        }
    }
}
