import HeadraceColumnar
import HeadraceCore

extension PostgreSQLTablePlan {
    /// Finds the columns of `name` for `schema`, by name.
    /// - Throws: `schemaMismatch` with the valid names for columns that the table lacks, needs or types otherwise.
    static func make(
        _ name: String, schema: Schema, mode: SinkMode, policy: SchemaPolicy, swaps: Bool = false,
        in connection: PostgreSQLConnection
    ) throws -> PostgreSQLTablePlan {
        let table = try PostgreSQLTableName(name)
        guard !table.table.text.hasPrefix(ReservedNames.prefix) else {
            throw HeadraceError(
                .badOption, "\"\(name)\" cannot be the name of a table of rows",
                hint: "names that begin with \(ReservedNames.prefix) are taken")
        }
        guard schema.count > 0 else {
            throw HeadraceError(.schemaMismatch, "rows without columns cannot go into table \"\(name)\"")
        }
        try ReservedNames.check(schema, taken: systemColumns, by: "PostgreSQL")
        var draft = try Draft(schema, mode)
        if draft.mode == .mirror { try checkKeysCanBeKept(beside: table, connection) }
        if let existing = try PostgreSQLTable.read(table, from: connection) {
            return try plan(existing, &draft, policy, swaps: swaps, connection)
        }
        return try plan(newTable: table, draft, connection)
    }

    /// A mirror keeps the keys that it has seen in a table beside the mirrored one, which the user must be allowed to make.
    private static func checkKeysCanBeKept(
        beside table: PostgreSQLTableName, _ connection: PostgreSQLConnection
    ) throws {
        let found = try connection.first(
            """
            SELECT n.nspname, has_schema_privilege(n.oid, 'CREATE') FROM pg_namespace n WHERE n.nspname = coalesce($1,
                (SELECT m.nspname FROM pg_class c JOIN pg_namespace m ON m.oid = c.relnamespace WHERE c.oid = to_regclass($2)),
                current_schema())
            """, [table.schema?.text, table.quoted]
        ) { (name: $0.text(0) ?? "", mayCreate: $0.bool(1)) }
        guard let found, !found.mayCreate else { return }
        throw HeadraceError(
            .accessDenied,
            "a mirror keeps the keys that it has seen in a table of its own, and this user may make none in schema \(found.name)",
            hint: "grant CREATE on the schema, or write by upsert")
    }

    /// What is known of the rows before the table is looked at.
    private struct Draft {
        let mode: Mode
        /// The fields as the table's columns are called: what dates a history's rows goes by the column's name.
        var schema: Schema
        var fields: [Int]
        let keys: [String]

        init(_ schema: Schema, _ mode: SinkMode) throws {
            self.mode =
                switch mode {
                case .append: .append
                case .replace: .replace
                case .upsert: .upsert
                case .insert: .insert
                case .mirror: .mirror
                case .history(_, let columns): .history(columns)
                case .facts: preconditionFailure("a fact load is not planned as one table")
                }
            keys = mode.keys
            fields = Array(schema.fields.indices)
            self.schema = schema
            if case .history(_, let columns) = mode {
                self.schema = try columns.renaming(schema, keys: keys)
            }
            try checkKeys()
        }

        /// The positions of the keys among the fields.
        var keyPlaces: [Int] { keys.compactMap { schema.index(of: $0) } }

        private func checkKeys() throws(HeadraceError) {
            guard mode.isKeyed else { return }
            guard !keys.isEmpty else {
                throw HeadraceError(
                    .badOption, "rows cannot be matched without a key column", hint: "name it with key=COLUMN")
            }
            for (index, name) in keys.enumerated() {
                guard schema.index(of: name) != nil else {
                    throw HeadraceError(
                        .schemaMismatch, "key column \"\(name)\" is not among the rows' columns",
                        fields: [("columns", schema.names.joined(separator: ", "))])
                }
                guard !keys[..<index].contains(name) else {
                    throw HeadraceError(.badOption, "key column \"\(name)\" is named twice")
                }
            }
        }
    }

    // MARK: - A table that is not there

    private static func plan(
        newTable table: PostgreSQLTableName, _ draft: Draft, _ connection: PostgreSQLConnection
    ) throws -> PostgreSQLTablePlan {
        let (schema, keys) = (draft.schema, draft.keyPlaces)
        let declared = schema.fields.map { PostgreSQLDeclaration.type(of: $0, takesText: true) }
        let columns = try zip(schema.fields.indices, declared).map { index, type in
            PostgreSQLColumn(
                name: try PostgreSQLName(schema.fields[index].name), type: try describe(type, connection),
                isNullable: schema.fields[index].isNullable && !keys.contains(index), isGenerated: false,
                isIdentityAlways: false, hasDefault: false
            ).taking(schema.fields[index].type)
        }
        var lines = zip(columns, declared).map { column, type -> SQL in
            column.isNullable ? "\(column.name) \(type)" : "\(column.name) \(type) NOT NULL"
        }
        var unique = keys.map { columns[$0].name }
        var timeType: PostgreSQLType?
        if case .history(let history) = draft.mode {
            let (begin, end, current) = try names(of: history)
            if let place = schema.index(of: history.from) {
                timeType = columns[place].type
            } else {
                timeType = try describe("timestamptz", connection)
                lines.append("\(begin) timestamptz NOT NULL")
            }
            let bound = SQL(writtenByUser: timeType?.name ?? "timestamptz")
            lines += ["\(end) \(bound)", "\(current) boolean NOT NULL"]
            unique.append(begin)
        }
        if !unique.isEmpty { lines.append("PRIMARY KEY (\(unique))") }
        return PostgreSQLTablePlan(
            table: table, mode: draft.mode, fields: draft.fields, ignored: [], columns: columns,
            encoder: try encoder(schema, columns, keys), keys: keys,
            definitions: ["CREATE TABLE \(table) (\(lines))"], makesTable: true, isReferenced: false,
            needsStage: columns.contains(where: \.isReadFromText), isPartitioned: false,
            hasTriggers: false, swap: nil, keyEncoder: try keyEncoder(draft, columns), timeType: timeType)
    }

    private static func names(
        of history: HistoryColumns
    ) throws -> (from: PostgreSQLName, until: PostgreSQLName, current: PostgreSQLName) {
        (
            try PostgreSQLName(history.from), try PostgreSQLName(history.until), try PostgreSQLName(history.current)
        )
    }

    /// What the server makes of a declared type.
    private static func describe(_ declared: SQL, _ connection: PostgreSQLConnection) throws -> PostgreSQLType {
        guard let column = try connection.describe("SELECT NULL::\(declared)").first else {
            throw HeadraceError(.unexpected, "PostgreSQL does not say what \(declared.text) is")
        }
        return try PostgreSQLTypeCatalog(connection).type(
            column.type, modifier: column.modifier, dimensions: declared.text.hasSuffix("]") ? 1 : 0
        ).0
    }

    private static func encoder(
        _ schema: Schema, _ columns: [PostgreSQLColumn], _ keys: [Int]
    ) throws -> PostgreSQLRowEncoder {
        let text = PostgreSQLType(oid: 25, kind: .text(limit: nil), name: "text")
        return try PostgreSQLRowEncoder(
            schema,
            into: columns.enumerated().map { index, column in
                (
                    column.isReadFromText ? text : column.type,
                    column.isNullable && !keys.contains(index) && schema.fields[index].isNullable
                )
            })
    }

    private static func keyEncoder(_ draft: Draft, _ columns: [PostgreSQLColumn]) throws -> PostgreSQLRowEncoder? {
        guard draft.mode == .mirror else { return nil }
        let keys = draft.keyPlaces
        if let column = keys.map({ columns[$0] }).first(where: \.isReadFromText) {
            throw HeadraceError(
                .unsupported,
                "column \"\(column.name.text)\" of type \(column.type.name) cannot be the key of a mirror",
                hint: "write by upsert, or choose another key")
        }
        return try PostgreSQLRowEncoder(draft.schema.picking(keys), into: keys.map { (columns[$0].type, false) })
    }

    // MARK: - A table that is there

    private static func plan(
        _ table: PostgreSQLTable, _ draft: inout Draft, _ policy: SchemaPolicy, swaps: Bool,
        _ connection: PostgreSQLConnection
    ) throws -> PostgreSQLTablePlan {
        guard table.kind != .view, table.kind != .materializedView else {
            throw HeadraceError(.unsupported, "\(table.name) is a view", hint: "write into the table behind it")
        }
        let fit = try fit(draft, table, policy)
        draft.schema = draft.schema.picking(fit.written)
        draft.fields = fit.written.map { draft.fields[$0] }
        var definitions: [SQL] = []
        let columns = try draft.schema.fields.map { field in
            try column(of: field, in: table, fit, connection, &definitions).taking(field.type)
        }
        let timeType = try history(draft, table)
        if case .history(let history) = draft.mode { try checkOpen(history, table, connection) }
        try checkNeeds(draft, table, columns)
        definitions += try uniqueIndex(draft, table, columns, connection)
        let isReferenced =
            try connection.first(
                "SELECT 1 FROM pg_constraint WHERE contype = 'f' AND confrelid = $1::oid AND conrelid <> confrelid",
                ["\(table.oid)"]
            ) { _ in true } ?? false
        let swap = swaps && draft.mode == .replace ? PostgreSQLSwap(table) : nil
        if swap != nil { try PostgreSQLSwap.check(table, in: connection) }
        let keys = draft.keyPlaces
        return PostgreSQLTablePlan(
            table: table.name, mode: draft.mode, fields: draft.fields, ignored: fit.ignored, columns: columns,
            encoder: try encoder(draft.schema, columns, keys), keys: keys,
            definitions: definitions, makesTable: false, isReferenced: isReferenced,
            needsStage: table.hasRowSecurity || columns.contains(where: \.isReadFromText),
            isPartitioned: table.kind == .partitioned, hasTriggers: table.hasTriggers, swap: swap,
            keyEncoder: try keyEncoder(draft, columns), timeType: timeType)
    }

    /// What the policy makes of the differences. Columns that the server computes count as missing nowhere.
    private static func fit(_ draft: Draft, _ table: PostgreSQLTable, _ policy: SchemaPolicy) throws -> SchemaFit {
        for name in draft.schema.names where table.column(name)?.isGenerated == true {
            throw mismatch(table, "column \"\(name)\" of table \(table.name) is computed by PostgreSQL")
        }
        var needed = draft.keys
        if case .history(let history) = draft.mode, draft.schema[history.from] != nil { needed.append(history.from) }
        return try SchemaFit(
            rows: draft.schema, table: table.schema, called: "\(table.name)", keys: needed, policy: policy)
    }

    /// The column that a field goes to, as it will be, and what has to be done to it first.
    private static func column(
        of field: Field, in table: PostgreSQLTable, _ fit: SchemaFit, _ connection: PostgreSQLConnection,
        _ definitions: inout [SQL]
    ) throws -> PostgreSQLColumn {
        guard let column = table.column(field.name) else {
            let declared = PostgreSQLDeclaration.type(of: field, takesText: true)
            let name = try PostgreSQLName(field.name)
            definitions.append("ALTER TABLE \(table.name) ADD COLUMN \(name) \(declared)")
            return PostgreSQLColumn(
                name: name, type: try describe(declared, connection), isNullable: true, isGenerated: false,
                isIdentityAlways: false, hasDefault: false)
        }
        // A domain's rules would go with its name.
        guard let wide = fit.widened.first(where: { $0.column == field.name })?.to, column.type.isOfTheServer else {
            return column
        }
        let declared = PostgreSQLDeclaration.type(of: wide)
        definitions.append("ALTER TABLE \(table.name) ALTER COLUMN \(column.name) TYPE \(declared)")
        return PostgreSQLColumn(
            name: column.name, type: try describe(declared, connection), isNullable: column.isNullable,
            isGenerated: false, isIdentityAlways: column.isIdentityAlways, hasDefault: column.hasDefault)
    }

    private static func checkNeeds(_ draft: Draft, _ table: PostgreSQLTable, _ columns: [PostgreSQLColumn]) throws {
        var filled = Set(columns.map(\.name.text))
        if case .history(let history) = draft.mode { filled.formUnion([history.from, history.until, history.current]) }
        let needed = table.columns.filter { column in
            !column.isNullable && !column.hasDefault && !column.isGenerated && !filled.contains(column.name.text)
        }
        guard needed.isEmpty else {
            throw mismatch(
                table,
                "table \(table.name) needs a value for "
                    + needed.map { "\"\($0.name.text)\"" }.joined(separator: ", ") + ", which the rows lack")
        }
    }

    /// The unique index that rows are matched by, where it is not there.
    private static func uniqueIndex(
        _ draft: Draft, _ table: PostgreSQLTable, _ columns: [PostgreSQLColumn], _ connection: PostgreSQLConnection
    ) throws -> [SQL] {
        guard draft.mode.isKeyed else { return [] }
        var names = draft.keyPlaces.map { columns[$0].name }
        let unique = [table.primaryKey] + table.uniqueKeys
        if case .history(let history) = draft.mode {
            let keys = Set(draft.keys)
            if let narrow = unique.first(where: { !$0.isEmpty && keys.isSuperset(of: $0) }) {
                throw HeadraceError(
                    .schemaMismatch,
                    "table \(table.name) takes one row of each \(narrow.joined(separator: ", ")), so that it cannot hold versions",
                    hint: "make the key \(narrow.joined(separator: ", ")), \(history.from) instead")
            }
            names.append(try PostgreSQLName(history.from))
        }
        let wanted = Set(names.map(\.text))
        if unique.contains(where: { Set($0) == wanted }) { return [] }
        if table.kind == .partitioned, try !partitionColumns(of: table, connection).isSubset(of: wanted) {
            guard draft.mode != .insert else {
                throw HeadraceError(
                    .unsupported, "no unique index of the partitioned table \(table.name) can hold its key",
                    hint: "take the columns that it is partitioned by into the key, or write by upsert")
            }
            return []
        }
        return ["CREATE UNIQUE INDEX ON \(table.name) (\(names))"]
    }

    /// The columns that a table is partitioned by; one that no table has stands for an expression.
    private static func partitionColumns(
        of table: PostgreSQLTable, _ connection: PostgreSQLConnection
    ) throws -> Set<String> {
        let names = try connection.rows(
            """
            SELECT coalesce(a.attname, '') FROM pg_partitioned_table p CROSS JOIN unnest(p.partattrs::int2[]) k(number)
            LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.number AND k.number > 0
            WHERE p.partrelid = $1::oid
            """, ["\(table.oid)"]
        ) { $0.text(0) ?? "" }
        return Set(names)
    }

    /// The type of a history's bounds in a table that is there.
    /// - Throws: `schemaMismatch` where the table lacks one of its columns, or has it in a type of no use.
    private static func history(_ draft: Draft, _ table: PostgreSQLTable) throws -> PostgreSQLType? {
        guard case .history(let history) = draft.mode else { return nil }
        for name in [history.from, history.until, history.current] where table.column(name) == nil {
            throw mismatch(table, "table \(table.name) has no column \"\(name)\" to keep a history by")
        }
        guard let begin = table.column(history.from), let end = table.column(history.until),
            let current = table.column(history.current)
        else { return nil }
        let isDated = draft.schema[history.from] != nil
        let isTime = [.date32, .timestamp(zone: nil), .instant].contains(begin.type.dataType)
        guard begin.type.oid == end.type.oid, isTime || isDated && begin.type.dataType.isInteger, end.isNullable,
            current.type.kind == .bool
        else {
            throw mismatch(
                table,
                "\"\(history.from)\" and \"\(history.until)\" of table \(table.name) must be dates or timestamps of one type, the latter nullable, and \"\(history.current)\" a boolean"
            )
        }
        return begin.type
    }

    /// A version that is open has no end here.
    private static func checkOpen(
        _ history: HistoryColumns, _ table: PostgreSQLTable, _ connection: PostgreSQLConnection
    ) throws {
        let (_, until, current) = try names(of: history)
        let ended = try connection.first(
            "SELECT 1 FROM \(table.name) WHERE \(current) AND \(until) IS NOT NULL LIMIT 1"
        ) { _ in true }
        if ended != nil { throw history.endedError(in: "\(table.name)") }
    }

    private static func mismatch(_ table: PostgreSQLTable, _ message: String) -> HeadraceError {
        let names = table.columns.filter { !$0.isGenerated }.map(\.name.text)
        return HeadraceError(
            .schemaMismatch, message, fields: [("columns of the table", names.joined(separator: ", "))],
            hint: "names are case-sensitive here")
    }

    /// The columns of a table for the fields of rows, by name.
    static func columns(of table: PostgreSQLTable, for schema: Schema) throws -> [PostgreSQLColumn] {
        try schema.names.map { name in
            guard let column = table.column(name) else {
                throw mismatch(table, "table \(table.name) has no column \"\(name)\"")
            }
            guard !column.isGenerated else {
                throw mismatch(table, "column \"\(name)\" of table \(table.name) is computed by PostgreSQL")
            }
            return column
        }
    }
}
