import HeadraceColumnar
import HeadraceCore

/// How rows of a schema go into one table: which columns, with which SQL, and what must be made first.
///
/// Made by looking at the database; makes and changes nothing itself.
struct SQLiteTablePlan: Sendable {
    enum Mode: Sendable, Hashable {
        case append
        case replace
        case upsert(keys: [String])
        /// As an upsert, into a table that need not hold its rows apart by the keys.
        case merge(keys: [String])
    }

    let table: String
    let mode: Mode
    /// The names that the table has for the fields of the schema, in their order.
    let columns: [String]
    let encoders: [SQLiteColumnEncoder]
    /// The positions of the key columns among `columns`.
    let keys: [Int]
    /// Makes the table or the unique index that are not there.
    let definitions: [String]

    /// Whether the table is not there and will be made.
    let makesTable: Bool

    /// The prefix of tables that are Headrace's own.
    static let reservedPrefix = "_headrace_"

    /// Finds the columns of `table` for `schema`, by name.
    /// - Parameters:
    ///   - connection: nil while the database file is not there.
    ///   - isPartial: whether rows may lack columns that a new row of the table needs.
    /// - Throws: `schemaMismatch` with the valid names for columns that the table lacks, needs or types otherwise.
    static func make(
        _ table: String, schema: Schema, mode: Mode, in connection: SQLiteConnection?,
        isPartial: Bool = false
    ) throws -> SQLiteTablePlan {
        guard !table.isEmpty, !table.utf8.contains(0),
            !SQLiteName.folded(table).hasPrefix(reservedPrefix), !SQLiteName.folded(table).hasPrefix("sqlite_")
        else {
            throw HeadraceError(
                .badOption, "\"\(table)\" cannot be the name of a table of rows",
                hint: "names that begin with \(reservedPrefix) or sqlite_ are taken")
        }
        let keyIndexes = try keys(of: mode, schema)
        if let connection, let existing = try SQLiteTable.read(table, from: connection) {
            return try plan(existing, schema, mode, keyIndexes, connection, isPartial)
        }
        return try plan(newTable: table, schema, mode, keyIndexes)
    }

    private static func keys(of mode: Mode, _ schema: Schema) throws -> [Int] {
        let names: [String]
        switch mode {
        case .append, .replace: return []
        case .upsert(let keys), .merge(let keys): names = keys
        }
        guard !names.isEmpty else {
            throw HeadraceError(.badOption, "an upsert needs at least one key column", hint: "name it with key=COLUMN")
        }
        var indexes: [Int] = []
        for name in names {
            guard let index = schema.index(of: name) else {
                throw HeadraceError(
                    .schemaMismatch, "key column \"\(name)\" is not among the rows' columns",
                    fields: [("columns", schema.names.joined(separator: ", "))])
            }
            guard !indexes.contains(index) else {
                throw HeadraceError(.badOption, "key column \"\(name)\" is named twice")
            }
            indexes.append(index)
        }
        return indexes
    }

    // MARK: - A table that is not there

    private static func plan(
        newTable table: String, _ schema: Schema, _ mode: Mode, _ keys: [Int]
    ) throws -> SQLiteTablePlan {
        try checkNames(schema.names, of: table)
        var lines = schema.fields.enumerated().map { index, field in
            let isRequired = !field.isNullable || keys.contains(index)
            return "\(SQLiteName.quoted(field.name)) \(SQLiteColumnType.declaration(of: field.type))"
                + (isRequired ? " NOT NULL" : "")
        }
        if !keys.isEmpty { lines.append("PRIMARY KEY (\(SQLiteName.list(keys.map { schema.names[$0] })))") }
        return SQLiteTablePlan(
            table: table, mode: mode, columns: schema.names,
            encoders: schema.fields.map {
                SQLiteColumnEncoder(
                    $0.type, into: SQLiteColumnType(declared: SQLiteColumnType.declaration(of: $0.type)))
            }, keys: keys,
            definitions: ["CREATE TABLE \(SQLiteName.quoted(table)) (\(lines.joined(separator: ", ")))"],
            makesTable: true)
    }

    /// SQLite knows no two columns whose names differ in case only.
    static func checkNames(_ names: [String], of table: String) throws {
        guard !names.isEmpty else {
            throw HeadraceError(.schemaMismatch, "rows without columns cannot go into table \"\(table)\"")
        }
        var seen: [String: String] = [:]
        for name in names {
            guard !name.utf8.contains(0) else {
                throw HeadraceError(.schemaMismatch, "a column name of table \"\(table)\" holds a NUL character")
            }
            if let other = seen.updateValue(name, forKey: SQLiteName.folded(name)) {
                throw HeadraceError(
                    .schemaMismatch, "columns \"\(other)\" and \"\(name)\" are one name to SQLite",
                    hint: "rename one of them")
            }
        }
    }

    // MARK: - A table that is there

    private static func plan(
        _ table: SQLiteTable, _ schema: Schema, _ mode: Mode, _ keys: [Int], _ connection: SQLiteConnection,
        _ isPartial: Bool
    ) throws -> SQLiteTablePlan {
        guard !table.isView else {
            throw HeadraceError(.unsupported, "\"\(table.name)\" is a view", hint: "write into the table behind it")
        }
        try checkNames(schema.names, of: table.name)
        let writable = table.columns.filter { !$0.isGenerated }
        func mismatch(_ message: String, _ fields: [(name: String, value: String)] = []) -> HeadraceError {
            HeadraceError(
                .schemaMismatch, message,
                fields: fields + [("columns of the table", writable.map(\.name).joined(separator: ", "))])
        }
        var names: [String] = []
        var encoders: [SQLiteColumnEncoder] = []
        for field in schema.fields {
            guard let column = table.column(field.name) else {
                throw mismatch("table \"\(table.name)\" has no column \"\(field.name)\"")
            }
            guard !column.isGenerated else {
                throw mismatch("column \"\(column.name)\" of table \"\(table.name)\" is computed by SQLite")
            }
            if let type = column.type.type, !SQLiteCoercion.isPossible(field.type, into: type) {
                throw mismatch(
                    "column \"\(column.name)\" of table \"\(table.name)\" cannot hold \(field.type)",
                    [("expected", "\(type) (declared \(column.type.declared))"), ("found", "\(field.type)")])
            }
            names.append(column.name)
            encoders.append(SQLiteColumnEncoder(field.type, into: column.type))
        }
        let missing = writable.filter { column in
            !names.contains(column.name) && column.isNotNull && !column.hasDefault
                && table.rowidAlias?.name != column.name
        }
        guard missing.isEmpty || isPartial else {
            throw mismatch(
                "table \"\(table.name)\" needs a value for "
                    + missing.map { "\"\($0.name)\"" }.joined(separator: ", ") + ", which the rows lack")
        }
        var index: String?
        if case .upsert = mode { index = try uniqueIndex(table.name, keys.map { names[$0] }, connection) }
        return SQLiteTablePlan(
            table: table.name, mode: mode, columns: names, encoders: encoders, keys: keys,
            definitions: index.map { [$0] } ?? [], makesTable: false)
    }

    /// The index that an upsert needs where no key or unique index of the table covers its keys: SQLite itself says so.
    private static func uniqueIndex(
        _ table: String, _ keys: [String], _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> String? {
        let marks = keys.map { _ in "?" }.joined(separator: ", ")
        let probe =
            "INSERT INTO \(SQLiteName.quoted(table)) (\(SQLiteName.list(keys))) VALUES (\(marks)) "
            + "ON CONFLICT (\(SQLiteName.list(keys))) DO NOTHING"
        do {
            _ = try connection.prepare(probe)
            return nil
        } catch  where failureIsMissingIndex(error) {
            let name = "\(table)_\(keys.joined(separator: "_"))_key"
            return
                "CREATE UNIQUE INDEX \(SQLiteName.quoted(name)) ON \(SQLiteName.quoted(table)) (\(SQLiteName.list(keys)))"
        }
    }

    private static func failureIsMissingIndex(_ failure: SQLiteFailure) -> Bool {
        failure.message.hasPrefix("ON CONFLICT clause does not match")
    }

    // MARK: - SQL

    /// Rows that one statement inserts: several cost a quarter less than one each, more gain nothing.
    var rowsPerStatement: Int { max(1, min(32, 900 / max(1, columns.count))) }

    /// Inserts `rows` rows; a constraint that refuses one refuses them all, whatever the table says to do then.
    func insertSQL(rows: Int) -> String {
        let row = "(" + columns.map { _ in "?" }.joined(separator: ", ") + ")"
        return "INSERT OR ABORT INTO \(SQLiteName.quoted(table)) (\(SQLiteName.list(columns))) VALUES "
            + Array(repeating: row, count: rows).joined(separator: ", ")
    }

    /// Inserts a row whose keys are not there, and does nothing when they are.
    var insertAbsentSQL: String {
        insertSQL(rows: 1) + " ON CONFLICT (\(SQLiteName.list(keys.map { columns[$0] }))) DO NOTHING"
    }

    /// Updates the row of the same keys where one of `updating` differs; parameters are numbered as in an insert.
    /// Nil when nothing but keys could differ.
    func updateSQL(_ updating: [Int]) -> String? {
        guard !updating.isEmpty else { return nil }
        let changes = updating.map { "\(SQLiteName.quoted(columns[$0])) = ?\($0 + 1)" }
        let comparison = if case .merge = mode { "IS" } else { "=" }
        // The table's collation decides which keys are equal, but a change of case is a change of a value.
        let differences = updating.map { "\(SQLiteName.quoted(columns[$0])) COLLATE BINARY IS NOT ?\($0 + 1)" }
        return "UPDATE OR ABORT \(SQLiteName.quoted(table)) SET \(changes.joined(separator: ", ")) "
            + "WHERE \(sameKeys(by: comparison)) AND (\(differences.joined(separator: " OR ")))"
    }

    /// Finds whether a row of the same keys is there; parameters are numbered as in an insert. Nulls are equal.
    var probeSQL: String {
        "SELECT 1 FROM \(SQLiteName.quoted(table)) WHERE \(sameKeys(by: "IS")) LIMIT 1"
    }

    private func sameKeys(by comparison: String) -> String {
        keys.map { "\(SQLiteName.quoted(columns[$0])) \(comparison) ?\($0 + 1)" }.joined(separator: " AND ")
    }

    /// All columns that are not keys.
    var valueColumns: [Int] { columns.indices.filter { !keys.contains($0) } }

    /// The statements that rows will run, one line each, for `plan`.
    var statements: [String] {
        switch mode {
        case .append: [insertSQL(rows: 1)]
        case .replace:
            (makesTable ? [] : ["DELETE FROM \(SQLiteName.quoted(table))"]) + [insertSQL(rows: 1)]
        case .upsert, .merge: [insertAbsentSQL] + (updateSQL(valueColumns).map { [$0] } ?? [])
        }
    }
}
