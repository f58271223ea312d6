import HeadraceColumnar
import HeadraceCore

extension MySQLTablePlan {
    /// Finds the columns of `table` for `schema`, by name.
    /// - Parameters:
    ///   - fence: the fence of the run that will write, 0 for none.
    ///   - isPartial: whether rows may lack columns that a new row of the table needs.
    /// - Throws: `schemaMismatch` with the valid names for columns that the table lacks, needs or types otherwise.
    static func make(
        _ table: String, schema: Schema, mode: Mode, policy: SchemaPolicy = .refuse, fence: Int64 = 0,
        in connection: MySQLConnection, isPartial: Bool = false
    ) throws -> MySQLTablePlan {
        let name = try MySQLName(table)
        guard !MySQLName.folded(table).hasPrefix(ReservedNames.prefix) else {
            throw HeadraceError(
                .badOption, "\"\(table)\" cannot be the name of a table of rows",
                hint: "names that begin with \(ReservedNames.prefix) are taken")
        }
        var schema = schema
        if let history = mode.history { schema = try history.renaming(schema, keys: mode.keys ?? []) }
        let keys = try keys(of: mode, schema)
        guard !schema.fields.isEmpty else {
            throw HeadraceError(.schemaMismatch, "rows without columns cannot go into table \"\(table)\"")
        }
        try ReservedNames.check(schema, by: "MySQL")
        try checkNames(schema.names)
        if let existing = try MySQLTable.read(table, from: connection) {
            let options = (policy: policy, isPartial: isPartial, fence: fence)
            return try plan(existing, schema, mode, keys, options, connection)
        }
        return try plan(newTable: name, schema, mode, keys, fence, connection)
    }

    private static func keys(of mode: Mode, _ schema: Schema) throws -> [Int] {
        guard let names = mode.keys else { return [] }
        guard !names.isEmpty else {
            throw HeadraceError(
                .badOption, "rows cannot be matched without a key column", hint: "name it with key=COLUMN")
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

    /// MySQL knows no two columns whose names differ in case only.
    private static func checkNames(_ names: [String]) throws {
        var seen: [String: String] = [:]
        for name in names {
            _ = try MySQLName(name)
            if let other = seen.updateValue(name, forKey: MySQLName.folded(name)) {
                throw HeadraceError(
                    .schemaMismatch, "columns \"\(other)\" and \"\(name)\" are one name to MySQL",
                    hint: "rename one of them")
            }
        }
    }

    // MARK: - A table that is not there

    private static func plan(
        newTable table: MySQLName, _ schema: Schema, _ mode: Mode, _ keys: [Int], _ fence: Int64,
        _ connection: MySQLConnection
    ) throws -> MySQLTablePlan {
        let swaps = mode == .replace
        var fields = schema.fields.enumerated().map { index, field in
            Field(field.name, field.type, nullable: field.isNullable && !keys.contains(index))
        }
        var primaryKey = keys.map { schema.names[$0] }
        if let history = mode.history {
            let bound = schema[history.from]?.type ?? .instant
            if schema[history.from] == nil { fields.append(Field(history.from, bound, nullable: false)) }
            fields += [Field(history.until, bound), Field(history.current, .bool, nullable: false)]
            primaryKey.append(history.from)
        }
        let definition = TableDefinition(
            swaps ? MySQLSwap.newName(of: table.text, fence: fence).text : table.text, Schema(fields),
            primaryKey: primaryKey)
        try checkNames(fields.map(\.name))
        let (sql, types) = try MySQLTableDefinition.create(definition, in: connection)
        let count = schema.count
        return MySQLTablePlan(
            table: table, mode: mode, fields: Array(0..<count), columns: try schema.names.map { try MySQLName($0) },
            encoders: zip(fields[..<count], types).map {
                MySQLColumnEncoder($0.type, into: $1, isNullable: $0.isNullable)
            }, keys: keys, definitions: [sql], makesTable: true, swaps: swaps, fence: fence,
            timeType: mode.history.flatMap { history in fields.firstIndex { $0.name == history.from } }.map {
                types[$0]
            })
    }

    // MARK: - A table that is there

    private static func mismatch(
        _ table: MySQLTable, _ message: String, _ fields: [(name: String, value: String)] = []
    ) -> HeadraceError {
        let writable = table.columns.filter { !$0.isGenerated }
        return HeadraceError(
            .schemaMismatch, message,
            fields: fields + [("columns of the table", writable.map(\.name.text).joined(separator: ", "))])
    }

    private static func plan(
        _ table: MySQLTable, _ schema: Schema, _ mode: Mode, _ keys: [Int],
        _ options: (policy: SchemaPolicy, isPartial: Bool, fence: Int64), _ connection: MySQLConnection
    ) throws -> MySQLTablePlan {
        let name = table.name.text
        guard !table.isView else {
            throw HeadraceError(.unsupported, "\"\(name)\" is a view", hint: "write into the table behind it")
        }
        guard table.engine.lowercased() == "innodb" else {
            throw HeadraceError(
                .unsupported, "table \"\(name)\" is kept by \(table.engine), which knows no transactions",
                hint: "ALTER TABLE … ENGINE=InnoDB")
        }
        let swaps = mode == .replace && !table.hasTies
        let fit = try fit(schema, mode, keys, table, options.policy)
        var definitions: [SQL] = []
        let changes = MySQLColumnChanges(
            table: table, into: swaps ? MySQLSwap.newName(of: name, fence: options.fence) : table.name, fit: fit,
            connection: connection)
        let columns = try fit.written.map { place in
            let field = schema.fields[place]
            let column = try changes.column(of: field, &definitions)
            guard column.type.kind != .opaque, MySQLCoercion.isPossible(field.type, into: column.type.type) else {
                throw mismatch(
                    table, "column \"\(column.name.text)\" of table \"\(name)\" cannot hold \(field.type)",
                    [
                        ("expected", "\(column.type.type) (declared \(column.type.declared))"),
                        ("found", "\(field.type)"),
                    ])
            }
            return column
        }
        let encoders = zip(fit.written, columns).map { place, column in
            MySQLColumnEncoder(schema.fields[place].type, into: column.type, isNullable: column.isNullable)
        }
        let timeType = try mode.history.map { try checkHistory($0, schema, table) }
        let names = columns.map(\.name)
        if !options.isPartial { try checkNeeds(table, mode, names) }
        let keyPlaces = keys.compactMap { fit.written.firstIndex(of: $0) }
        definitions += try uniqueIndex(table, mode, keyPlaces.map { names[$0] })
        return MySQLTablePlan(
            table: table.name, mode: mode, fields: fit.written, ignored: fit.ignored, columns: names,
            encoders: encoders, keys: keyPlaces, definitions: definitions, makesTable: false, swaps: swaps,
            fence: options.fence, timeType: timeType)
    }

    /// What the policy makes of the differences; columns go by the table's spelling of their names.
    private static func fit(
        _ schema: Schema, _ mode: Mode, _ keys: [Int], _ table: MySQLTable, _ policy: SchemaPolicy
    ) throws -> SchemaFit {
        for name in schema.names {
            guard let column = table.column(name), column.isGenerated else { continue }
            throw mismatch(
                table, "column \"\(column.name.text)\" of table \"\(table.name.text)\" is computed by the server")
        }
        let rows = Schema(
            schema.fields.map { field in
                Field(
                    table.column(field.name)?.name.text ?? field.name, field.type, nullable: field.isNullable,
                    metadata: field.metadata)
            })
        // Only plain numbers are widened: years, bits and the like stay what they are.
        let own = Schema(
            table.columns.map { column in
                let isPlain = column.type.kind == .plain || column.type.kind == .float
                let type = isPlain ? column.type.type : rows[column.name.text]?.type ?? column.type.type
                return Field(column.name.text, type, nullable: column.isNullable)
            })
        var needed = keys.map { rows.names[$0] }
        if let history = mode.history, rows[history.from] != nil { needed.append(history.from) }
        return try SchemaFit(rows: rows, table: own, called: "\"\(table.name.text)\"", keys: needed, policy: policy)
    }

    private static func checkNeeds(_ table: MySQLTable, _ mode: Mode, _ names: [MySQLName]) throws {
        var filled = Set(names.map(\.text))
        if let history = mode.history { filled.formUnion([history.from, history.until, history.current]) }
        let missing = table.columns.filter { column in
            !column.isGenerated && !filled.contains(column.name.text) && !column.isNullable && !column.hasDefault
        }
        guard missing.isEmpty else {
            throw mismatch(
                table,
                "table \"\(table.name.text)\" needs a value for "
                    + missing.map { "\"\($0.name.text)\"" }.joined(separator: ", ") + ", which the rows lack")
        }
    }

    /// The unique index that rows are matched by, where it is not there.
    private static func uniqueIndex(_ table: MySQLTable, _ mode: Mode, _ keys: [MySQLName]) throws -> [SQL] {
        let wanted = Set(keys.map { MySQLName.folded($0.text) })
        let unique = table.uniqueKeys.map { Set($0.map(MySQLName.folded)) }
        var names = keys
        switch mode {
        case .append, .replace, .merge: return []
        case .upsert, .insert, .mirror:
            if unique.contains(where: { $0.isSubset(of: wanted) }) { return [] }
        case .history(_, let history):
            if let narrow = table.uniqueKeys.first(where: { wanted.isSuperset(of: $0.map(MySQLName.folded)) }) {
                let list = narrow.joined(separator: ", ")
                throw HeadraceError(
                    .schemaMismatch,
                    "table \"\(table.name.text)\" takes one row of each \(list), so that it cannot hold versions",
                    hint: "make the key \(list), \(history.from) instead")
            }
            names.append(try MySQLName(history.from))
            if unique.contains(wanted.union([MySQLName.folded(history.from)])) { return [] }
        }
        return [
            "CREATE UNIQUE INDEX \(shortName("_headrace_key_", of: table.name.text)) ON \(table.name) (\(names))"
        ]
    }

    /// The type of a history's bounds in a table that is there.
    /// - Throws: `schemaMismatch` where the table lacks one of its columns, or has it in a type of no use.
    private static func checkHistory(
        _ history: HistoryColumns, _ schema: Schema, _ table: MySQLTable
    ) throws -> MySQLColumnType {
        let found = [history.from, history.until, history.current].map { table.column($0) }
        for (name, column) in zip([history.from, history.until, history.current], found)
        where column?.name.text != name {
            throw mismatch(table, "table \"\(table.name.text)\" has no column \"\(name)\" to keep a history by")
        }
        guard let begin = found[0], let end = found[1], let current = found[2] else {
            throw mismatch(table, "table \"\(table.name.text)\" cannot keep a history")
        }
        let isTime: Bool =
            switch begin.type.type {
            case .date32, .timestamp: true
            case let type: schema[history.from] != nil && type.isInteger
            }
        guard begin.type.declared == end.type.declared, begin.type.type == end.type.type, isTime, end.isNullable,
            current.type.type == .bool
        else {
            throw mismatch(
                table,
                """
                "\(history.from)" and "\(history.until)" of table "\(table.name.text)" must be dates or timestamps of one type, \
                the latter nullable, and "\(history.current)" a boolean
                """)
        }
        return begin.type
    }
}
