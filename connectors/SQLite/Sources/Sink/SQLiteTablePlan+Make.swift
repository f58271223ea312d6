import HeadraceColumnar
import HeadraceCore

extension SQLiteTablePlan {
    /// Finds the columns of `table` for `schema`, by name.
    /// - Parameters:
    ///   - connection: nil while the database file is not there.
    ///   - isPartial: whether rows may lack columns that a new row of the table needs.
    /// - Throws: `schemaMismatch` with the valid names for columns that the table lacks, needs or types otherwise.
    static func make(
        _ table: String, schema: Schema, mode: Mode, in connection: SQLiteConnection?,
        policy: SchemaPolicy = .refuse, isPartial: Bool = false
    ) throws -> SQLiteTablePlan {
        guard !table.isEmpty, !table.utf8.contains(0),
            !SQLiteName.folded(table).hasPrefix(ReservedNames.prefix), !SQLiteName.folded(table).hasPrefix("sqlite_")
        else {
            throw HeadraceError(
                .badOption, "\"\(table)\" cannot be the name of a table of rows",
                hint: "names that begin with \(ReservedNames.prefix) or sqlite_ are taken")
        }
        try ReservedNames.check(schema, by: "SQLite")
        var draft = try Draft(schema, mode)
        if let connection, let existing = try SQLiteTable.read(table, from: connection) {
            return try plan(existing, &draft, policy, connection, isPartial)
        }
        draft.dateByRun(as: .instant)
        return try plan(newTable: table, draft)
    }

    /// What is known of the rows before the table is looked at.
    private struct Draft {
        let mode: Mode
        /// The rows' fields as the table's columns are called, with the run's time where nothing else dates a history's rows.
        var schema: Schema
        var fields: [Int?]

        init(_ schema: Schema, _ mode: Mode) throws {
            self.mode = mode
            self.schema = try mode.history?.renaming(schema, keys: mode.keys) ?? schema
            fields = Array(schema.fields.indices)
            if case .append = mode { return }
            if case .replace = mode { return }
            guard !mode.keys.isEmpty else {
                throw HeadraceError(
                    .badOption, "rows cannot be matched without a key column", hint: "name it with key=COLUMN")
            }
            for (index, name) in mode.keys.enumerated() {
                guard schema.index(of: name) != nil else {
                    throw HeadraceError(
                        .schemaMismatch, "key column \"\(name)\" is not among the rows' columns",
                        fields: [("columns", schema.names.joined(separator: ", "))])
                }
                guard !mode.keys[..<index].contains(name) else {
                    throw HeadraceError(.badOption, "key column \"\(name)\" is named twice")
                }
            }
        }

        var keys: [Int] { mode.keys.compactMap { schema.index(of: $0) } }

        /// Whether the run's time has to date the rows.
        var isUndated: Bool { mode.history.map { schema[$0.from] == nil } ?? false }

        mutating func dateByRun(as type: DataType) {
            guard isUndated, let history = mode.history else { return }
            schema = Schema(schema.fields + [Field(history.from, type, nullable: false)])
            fields.append(nil)
        }

        var time: (column: Int, type: DataType)? {
            mode.history.flatMap { history in schema.index(of: history.from).map { ($0, schema.fields[$0].type) } }
        }
    }

    // MARK: - A table that is not there

    private static func plan(newTable table: String, _ draft: Draft) throws -> SQLiteTablePlan {
        let (schema, keys) = (draft.schema, draft.keys)
        var fields = schema.fields.enumerated().map { index, field in
            Field(field.name, field.type, nullable: field.isNullable && !keys.contains(index))
        }
        var unique = keys.map { schema.names[$0] }
        if let history = draft.mode.history, let time = draft.time {
            fields += [Field(history.until, time.type), Field(history.current, .bool, nullable: false)]
            unique.append(history.from)
        }
        try checkNames(fields.map(\.name), of: table)
        var lines = fields.map { field in
            "\(SQLiteName.quoted(field.name)) \(SQLiteColumnType.declaration(of: field.type))"
                + (field.isNullable ? "" : " NOT NULL")
        }
        if !unique.isEmpty { lines.append("PRIMARY KEY (\(SQLiteName.list(unique)))") }
        return SQLiteTablePlan(
            table: table, mode: draft.mode, fields: draft.fields, ignored: [], columns: schema.names,
            encoders: schema.fields.map { encoder(of: $0.type) }, keys: keys, time: draft.time,
            definitions: ["CREATE TABLE \(SQLiteName.quoted(table)) (\(lines.joined(separator: ", ")))"],
            makesTable: true)
    }

    /// The encoder of a column that is made for values of a type.
    private static func encoder(of type: DataType) -> SQLiteColumnEncoder {
        SQLiteColumnEncoder(type, into: SQLiteColumnType(declared: SQLiteColumnType.declaration(of: type)))
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
        _ table: SQLiteTable, _ draft: inout Draft, _ policy: SchemaPolicy, _ connection: SQLiteConnection,
        _ isPartial: Bool
    ) throws -> SQLiteTablePlan {
        guard !table.isView else {
            throw HeadraceError(.unsupported, "\"\(table.name)\" is a view", hint: "write into the table behind it")
        }
        try checkHistory(&draft, table)
        try checkNames(draft.schema.names, of: table.name)
        let fit = try fit(draft, table, policy)
        draft.schema = draft.schema.picking(fit.written)
        draft.fields = fit.written.map { draft.fields[$0] }
        var names: [String] = []
        var encoders: [SQLiteColumnEncoder] = []
        var definitions: [String] = []
        for field in draft.schema.fields {
            guard let column = table.column(field.name) else {
                let declared = SQLiteColumnType.declaration(of: field.type)
                definitions.append(
                    "ALTER TABLE \(SQLiteName.quoted(table.name)) ADD COLUMN \(SQLiteName.quoted(field.name)) \(declared)"
                )
                names.append(field.name)
                encoders.append(encoder(of: field.type))
                continue
            }
            guard !column.isGenerated else {
                throw mismatch(table, "column \"\(column.name)\" of table \"\(table.name)\" is computed by SQLite")
            }
            if let type = column.type.type, !SQLiteCoercion.isPossible(field.type, into: type) {
                throw mismatch(
                    table, "column \"\(column.name)\" of table \"\(table.name)\" cannot hold \(field.type)",
                    [("expected", "\(type) (declared \(column.type.declared))"), ("found", "\(field.type)")])
            }
            names.append(column.name)
            encoders.append(SQLiteColumnEncoder(field.type, into: column.type))
        }
        try checkNeeds(draft, table, names, isPartial)
        var unique = draft.keys.map { names[$0] }
        if let time = draft.time { unique.append(names[time.column]) }
        if !unique.isEmpty, !isPartial, let index = try uniqueIndex(table.name, unique, connection) {
            definitions.append(index)
        }
        if let history = draft.mode.history { try checkVersions(draft, table, history, connection) }
        return SQLiteTablePlan(
            table: table.name, mode: draft.mode, fields: draft.fields, ignored: fit.ignored, columns: names,
            encoders: encoders, keys: draft.keys, time: draft.time, definitions: definitions, makesTable: false)
    }

    private static func mismatch(
        _ table: SQLiteTable, _ message: String, _ fields: [(name: String, value: String)] = []
    ) -> HeadraceError {
        let names = table.columns.filter { !$0.isGenerated }.map(\.name).joined(separator: ", ")
        return HeadraceError(.schemaMismatch, message, fields: fields + [("columns of the table", names)])
    }

    /// What the policy makes of the differences. A type is never widened: SQLite cannot change a column's, and a column takes
    /// whatever fits it.
    private static func fit(_ draft: Draft, _ table: SQLiteTable, _ policy: SchemaPolicy) throws -> SchemaFit {
        // Under the names that the rows have for them, since SQLite takes names of another case for the same.
        let columns = table.columns.map { column in
            let field = draft.schema.fields.first { table.column($0.name)?.name == column.name }
            return Field(field?.name ?? column.name, field?.type ?? column.type.type ?? .utf8)
        }
        let needed = draft.mode.keys + (draft.time.map { [draft.schema.names[$0.column]] } ?? [])
        return try SchemaFit(
            rows: draft.schema, table: Schema(columns), called: "\"\(table.name)\"", keys: needed, policy: policy)
    }

    private static func checkNeeds(
        _ draft: Draft, _ table: SQLiteTable, _ names: [String], _ isPartial: Bool
    ) throws {
        let kept = draft.mode.history.map { [$0.until, $0.current].map(SQLiteName.folded) } ?? []
        let missing = table.columns.filter { column in
            !column.isGenerated && !names.contains(column.name) && column.isNotNull && !column.hasDefault
                && table.rowidAlias?.name != column.name && !kept.contains(SQLiteName.folded(column.name))
        }
        guard missing.isEmpty || isPartial else {
            throw mismatch(
                table,
                "table \"\(table.name)\" needs a value for "
                    + missing.map { "\"\($0.name)\"" }.joined(separator: ", ") + ", which the rows lack")
        }
    }

    /// Finds the columns of a history, and dates rows by the run where nothing else does.
    private static func checkHistory(_ draft: inout Draft, _ table: SQLiteTable) throws {
        guard let history = draft.mode.history else { return }
        for name in [history.from, history.until, history.current] where table.column(name) == nil {
            throw mismatch(table, "table \"\(table.name)\" has no column \"\(name)\" to keep a history by")
        }
        let (begin, end) = (table.column(history.from)?.type.type, table.column(history.until)?.type.type)
        let isTime =
            switch begin {
            case .date32?, .timestamp?: true
            default: false
            }
        guard begin == end, isTime || !draft.isUndated && begin?.isInteger == true else {
            throw mismatch(
                table,
                "\"\(history.from)\" and \"\(history.until)\" of table \"\(table.name)\" must be dates or timestamps of one type"
            )
        }
        if let begin { draft.dateByRun(as: begin) }
    }

    /// A table whose keys are unique holds no versions; in one whose open versions have an end, none would be found open.
    private static func checkVersions(
        _ draft: Draft, _ table: SQLiteTable, _ history: HistoryColumns, _ connection: SQLiteConnection
    ) throws {
        let found = try connection.rows(
            """
            SELECT l.name, i.name FROM pragma_index_list(?, 'main') l, pragma_index_info(l.name, 'main') i
            WHERE l."unique" AND NOT l.partial
            """, [.text(table.name)]
        ) { (index: $0.text(0) ?? "", column: $0.text(1) ?? "") }
        var unique = Dictionary(grouping: found, by: \.index).values.map { $0.map(\.column) }
        if let alias = table.rowidAlias { unique.append([alias.name]) }
        let keys = Set(draft.mode.keys.map(SQLiteName.folded))
        if let narrow = unique.first(where: { keys.isSuperset(of: $0.map(SQLiteName.folded)) }) {
            throw HeadraceError(
                .schemaMismatch,
                "table \"\(table.name)\" takes one row of each \(narrow.joined(separator: ", ")), so that it cannot hold versions",
                hint: "make the key \(narrow.joined(separator: ", ")), \(history.from) instead")
        }
        let ended = try connection.rows(
            """
            SELECT 1 FROM \(SQLiteName.quoted(table.name)) WHERE \(SQLiteName.quoted(history.current)) \
            AND \(SQLiteName.quoted(history.until)) IS NOT NULL LIMIT 1
            """
        ) { _ in true }
        if !ended.isEmpty { throw history.endedError(in: "\"\(table.name)\"") }
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
}
