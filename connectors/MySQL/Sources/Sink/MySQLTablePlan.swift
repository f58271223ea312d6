import HeadraceColumnar
import HeadraceCore

/// How rows of a schema go into one table: which columns, with which SQL, and what must be made first.
///
/// Made by looking at the database; makes and changes nothing itself.
struct MySQLTablePlan: Sendable {
    enum Mode: Sendable, Hashable {
        case append
        case replace
        case upsert(keys: [String])
        /// As an upsert, into a table that need not hold its rows apart by the keys.
        case merge(keys: [String])
    }

    let table: MySQLName
    let mode: Mode
    /// The names that the table has for the fields of the schema, in their order.
    let columns: [MySQLName]
    let encoders: [MySQLColumnEncoder]
    /// The positions of the key columns among `columns`.
    let keys: [Int]
    /// Makes the table or the unique index that are not there.
    let definitions: [SQL]
    /// Whether the table is not there and will be made.
    let makesTable: Bool
    /// Whether a replace swaps a new table in; else rows are deleted and inserted in one transaction.
    let swaps: Bool
    /// The fence of the run, which names the table that it swaps in.
    var fence: Int64 = 0

    /// The table that rows are loaded into.
    var into: MySQLName { swaps ? MySQLSwap.newName(of: table.text, fence: fence) : table }

    /// The prefix of tables that are Headrace's own.
    static let reservedPrefix = "_headrace_"

    /// Whether rows go through a staging table, where they are told apart by their keys.
    var isStaged: Bool {
        switch mode {
        case .append, .replace: false
        case .upsert, .merge: true
        }
    }

    /// Finds the columns of `table` for `schema`, by name.
    /// - Parameters:
    ///   - fence: the fence of the run that will write, 0 for none.
    ///   - isPartial: whether rows may lack columns that a new row of the table needs.
    /// - Throws: `schemaMismatch` with the valid names for columns that the table lacks, needs or types otherwise.
    static func make(
        _ table: String, schema: Schema, mode: Mode, fence: Int64 = 0, in connection: MySQLConnection,
        isPartial: Bool = false
    ) throws -> MySQLTablePlan {
        let name = try MySQLName(table)
        guard !MySQLName.folded(table).hasPrefix(reservedPrefix) else {
            throw HeadraceError(
                .badOption, "\"\(table)\" cannot be the name of a table of rows",
                hint: "names that begin with \(reservedPrefix) are taken")
        }
        let keys = try keys(of: mode, schema)
        guard !schema.fields.isEmpty else {
            throw HeadraceError(.schemaMismatch, "rows without columns cannot go into table \"\(table)\"")
        }
        try checkNames(schema.names)
        if let existing = try MySQLTable.read(table, from: connection) {
            var plan = try plan(existing, schema, mode, keys, isPartial)
            plan.fence = fence
            return plan
        }
        return try plan(newTable: name, schema, mode, keys, fence, connection)
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
        let definition = TableDefinition(
            swaps ? MySQLSwap.newName(of: table.text, fence: fence).text : table.text,
            Schema(
                schema.fields.enumerated().map { index, field in
                    Field(field.name, field.type, nullable: field.isNullable && !keys.contains(index))
                }), primaryKey: keys.map { schema.names[$0] })
        let (sql, types) = try MySQLTableDefinition.create(definition, in: connection)
        return MySQLTablePlan(
            table: table, mode: mode, columns: try schema.names.map { try MySQLName($0) },
            encoders: zip(definition.schema.fields, types).map {
                MySQLColumnEncoder($0.type, into: $1, isNullable: $0.isNullable)
            }, keys: keys, definitions: [sql], makesTable: true, swaps: swaps,
            fence: fence)
    }

    // MARK: - A table that is there

    private static func plan(
        _ table: MySQLTable, _ schema: Schema, _ mode: Mode, _ keys: [Int], _ isPartial: Bool
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
        let writable = table.columns.filter { !$0.isGenerated }
        func mismatch(_ message: String, _ fields: [(name: String, value: String)] = []) -> HeadraceError {
            HeadraceError(
                .schemaMismatch, message,
                fields: fields + [("columns of the table", writable.map(\.name.text).joined(separator: ", "))])
        }
        var names: [MySQLName] = []
        var encoders: [MySQLColumnEncoder] = []
        for field in schema.fields {
            guard let column = table.column(field.name) else {
                throw mismatch("table \"\(name)\" has no column \"\(field.name)\"")
            }
            guard !column.isGenerated else {
                throw mismatch("column \"\(column.name.text)\" of table \"\(name)\" is computed by the server")
            }
            guard column.type.kind != .opaque, MySQLCoercion.isPossible(field.type, into: column.type.type) else {
                throw mismatch(
                    "column \"\(column.name.text)\" of table \"\(name)\" cannot hold \(field.type)",
                    [
                        ("expected", "\(column.type.type) (declared \(column.type.declared))"),
                        ("found", "\(field.type)"),
                    ])
            }
            names.append(column.name)
            encoders.append(MySQLColumnEncoder(field.type, into: column.type, isNullable: column.isNullable))
        }
        let missing = writable.filter { !names.contains($0.name) && !$0.isNullable && !$0.hasDefault }
        guard missing.isEmpty || isPartial else {
            throw mismatch(
                "table \"\(name)\" needs a value for "
                    + missing.map { "\"\($0.name.text)\"" }.joined(separator: ", ") + ", which the rows lack")
        }
        var definitions: [SQL] = []
        if case .upsert = mode {
            let wanted = Set(keys.map { MySQLName.folded(names[$0].text) })
            if !table.uniqueKeys.contains(where: { Set($0.map(MySQLName.folded)).isSubset(of: wanted) }) {
                let list = keys.map { names[$0] }
                definitions = [
                    "CREATE UNIQUE INDEX \(shortName("_headrace_key_", of: name)) ON \(table.name) (\(list))"
                ]
            }
        }
        return MySQLTablePlan(
            table: table.name, mode: mode, columns: names, encoders: encoders, keys: keys, definitions: definitions,
            makesTable: false, swaps: mode == .replace && !table.hasTies)
    }

    /// A name of our own for something of a table, whatever the table's is: never too long, always the same.
    static func shortName(_ prefix: String, of table: String) -> MySQLName {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in table.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return MySQLName(known: prefix + String(hash, radix: 16))
    }

    // MARK: - SQL

    /// All columns that are not keys.
    var valueColumns: [Int] { columns.indices.filter { !keys.contains($0) } }

    /// The statements that rows will run, one line each, for `plan`.
    var statements: [String] {
        let load = MySQLRowLoader(self, into: into).loadSQL.text
        switch mode {
        case .append: return [load]
        case .replace where swaps:
            return [load, "swap \(into.quoted) for \(table.quoted) by RENAME TABLE, with a row in \(MySQLSwap.table)"]
        case .replace: return ["DELETE FROM \(table.quoted)", load]
        case .upsert, .merge:
            let merger = MySQLMerger(self, stage: MySQLName(known: "_headrace_stage"), updating: valueColumns)
            return [MySQLRowLoader(self, into: MySQLName(known: "_headrace_stage")).loadSQL.text] + merger.statements
        }
    }
}
