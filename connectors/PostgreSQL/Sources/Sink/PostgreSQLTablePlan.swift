import HeadraceColumnar
import HeadraceCore

/// How rows of a schema go into one table: which columns, with which SQL, and what must be made first.
///
/// Made by looking at the catalog; makes and changes nothing itself.
struct PostgreSQLTablePlan: Sendable {
    enum Mode: Sendable, Hashable {
        case append
        case replace
        case upsert(keys: [String])
    }

    /// The table, with its schema where the catalog knows it.
    let table: PostgreSQLTableName
    let mode: Mode
    /// The columns of the table for the fields of the rows, in their order, with their types.
    let columns: [PostgreSQLColumn]
    let encoder: PostgreSQLRowEncoder
    /// The positions of the key columns among `columns`.
    let keys: [Int]
    /// Makes the table or the unique index that are not there.
    let definitions: [SQL]
    /// Whether the table is not there and will be made.
    let makesTable: Bool
    /// Other tables refer to this one, so that it cannot be truncated.
    let isReferenced: Bool
    /// COPY cannot write into the table: row security decides row by row.
    let needsStage: Bool

    /// The prefix of tables that are Headrace's own.
    static let reservedPrefix = "_headrace_"

    var names: [PostgreSQLName] { columns.map(\.name) }
    var keyNames: [PostgreSQLName] { keys.map { columns[$0].name } }
    var valueNames: [PostgreSQLName] { columns.indices.filter { !keys.contains($0) }.map { columns[$0].name } }

    /// Finds the columns of `name` for `schema`, by name.
    /// - Throws: `schemaMismatch` with the valid names for columns that the table lacks, needs or types otherwise.
    static func make(
        _ name: String, schema: Schema, mode: Mode, in connection: PostgreSQLConnection
    ) throws -> PostgreSQLTablePlan {
        let table = try PostgreSQLTableName(name)
        guard !table.table.text.hasPrefix(reservedPrefix) else {
            throw HeadraceError(
                .badOption, "\"\(name)\" cannot be the name of a table of rows",
                hint: "names that begin with \(reservedPrefix) are taken")
        }
        guard schema.count > 0 else {
            throw HeadraceError(.schemaMismatch, "rows without columns cannot go into table \"\(name)\"")
        }
        let keys = try keys(of: mode, schema)
        if let existing = try PostgreSQLTable.read(table, from: connection) {
            return try plan(existing, schema, mode, keys, connection)
        }
        return try plan(newTable: table, schema, mode, keys, connection)
    }

    private static func keys(of mode: Mode, _ schema: Schema) throws -> [Int] {
        guard case .upsert(let names) = mode else { return [] }
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
        newTable table: PostgreSQLTableName, _ schema: Schema, _ mode: Mode, _ keys: [Int],
        _ connection: PostgreSQLConnection
    ) throws -> PostgreSQLTablePlan {
        let declared = schema.fields.map { PostgreSQLDeclaration.type(of: $0) }
        let columns = try zip(schema.fields.indices, declared).map { index, type in
            PostgreSQLColumn(
                name: try PostgreSQLName(schema.fields[index].name), type: try describe(type, connection),
                isNullable: schema.fields[index].isNullable && !keys.contains(index), isGenerated: false,
                isIdentityAlways: false, hasDefault: false)
        }
        var lines = zip(columns, declared).map { column, type -> SQL in
            column.isNullable ? "\(column.name) \(type)" : "\(column.name) \(type) NOT NULL"
        }
        if !keys.isEmpty { lines.append("PRIMARY KEY (\(keys.map { columns[$0].name }))") }
        return PostgreSQLTablePlan(
            table: table, mode: mode, columns: columns, encoder: try encoder(schema, columns, keys), keys: keys,
            definitions: ["CREATE TABLE \(table) (\(lines))"], makesTable: true, isReferenced: false, needsStage: false)
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
        try PostgreSQLRowEncoder(
            schema,
            into: columns.enumerated().map { ($1.type, $1.isNullable && !keys.contains($0)) })
    }

    // MARK: - A table that is there

    private static func plan(
        _ table: PostgreSQLTable, _ schema: Schema, _ mode: Mode, _ keys: [Int], _ connection: PostgreSQLConnection
    ) throws -> PostgreSQLTablePlan {
        guard table.kind != .view, table.kind != .materializedView else {
            throw HeadraceError(.unsupported, "\(table.name) is a view", hint: "write into the table behind it")
        }
        let columns = try self.columns(of: table, for: schema)
        let needed = table.columns.filter { column in
            !column.isNullable && !column.hasDefault && !column.isGenerated && !columns.contains(column)
        }
        guard needed.isEmpty else {
            throw mismatch(
                table,
                "table \(table.name) needs a value for "
                    + needed.map { "\"\($0.name.text)\"" }.joined(separator: ", ") + ", which the rows lack")
        }
        var definitions: [SQL] = []
        if case .upsert = mode {
            guard table.kind != .partitioned else {
                throw HeadraceError(
                    .unsupported, "an upsert into the partitioned table \(table.name) is not possible",
                    hint: "write into one of its partitions")
            }
            let wanted = Set(keys.map { columns[$0].name.text })
            if !([table.primaryKey] + table.uniqueKeys).contains(where: { Set($0) == wanted }) {
                let names = keys.map { columns[$0].name }
                definitions.append("CREATE UNIQUE INDEX ON \(table.name) (\(names))")
            }
        }
        let isReferenced =
            try connection.first(
                "SELECT 1 FROM pg_constraint WHERE contype = 'f' AND confrelid = $1::oid AND conrelid <> confrelid",
                ["\(table.oid)"]
            ) { _ in true } ?? false
        return PostgreSQLTablePlan(
            table: table.name, mode: mode, columns: columns, encoder: try encoder(schema, columns, keys), keys: keys,
            definitions: definitions, makesTable: false, isReferenced: isReferenced, needsStage: table.hasRowSecurity)
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

    // MARK: - SQL

    /// Takes rows as the encoder lays them out.
    var copy: SQL { "COPY \(table) (\(names)) FROM STDIN (FORMAT binary)" }

    /// Empties the table for a replace, in the rows' transaction.
    var clear: SQL { isReferenced ? "DELETE FROM \(table)" : "TRUNCATE \(table)" }

    private var overriding: SQL { columns.contains(where: \.isIdentityAlways) ? " OVERRIDING SYSTEM VALUE" : "" }

    /// Moves the rows of `stage` that `condition` picks into the table.
    func insert(from stage: PostgreSQLTableName, where condition: SQL) -> SQL {
        "INSERT INTO \(table) (\(names))\(overriding) SELECT \(names) FROM \(stage) WHERE \(condition) ORDER BY \(PostgreSQLStages.row)"
    }

    /// Upserts the rows of `stage` that `condition` picks, the last of each key, and gives one row: rows picked, keys among
    /// them, rows inserted and rows updated.
    func upsert(from stage: PostgreSQLTableName, where condition: SQL) -> SQL {
        let values = valueNames
        let changes = values.map { "\($0) = excluded.\($0)" as SQL }
        let old = values.map { "t.\($0)" as SQL }
        let new = values.map { "excluded.\($0)" as SQL }
        // Images differ wherever anything differs: json, digits behind the point, case under any collation.
        let action: SQL =
            values.isEmpty ? "DO NOTHING" : "DO UPDATE SET \(changes) WHERE ROW(\(old))::record *<> ROW(\(new))::record"
        return """
            WITH picked AS (SELECT * FROM \(stage) WHERE \(condition)),
            last AS (SELECT DISTINCT ON (\(keyNames)) \(names) FROM picked
                ORDER BY \(keyNames), \(PostgreSQLStages.row) DESC),
            written AS (INSERT INTO \(table) AS t (\(names))\(overriding) SELECT \(names) FROM last
                ON CONFLICT (\(keyNames)) \(action) RETURNING t.xmax = 0 AS is_new)
            SELECT (SELECT count(*) FROM picked), (SELECT count(*) FROM last),
                (SELECT count(*) FROM written WHERE is_new), (SELECT count(*) FROM written WHERE NOT is_new)
            """
    }

    /// The statements that rows will run, one line each, for `plan`.
    var statements: [String] {
        switch mode {
        case .append: [copy.text]
        case .replace: (makesTable ? [] : [clear.text]) + [copy.text]
        case .upsert:
            [
                "COPY \(PostgreSQLStages.name(1).quoted) FROM STDIN (FORMAT binary)",
                upsert(from: PostgreSQLStages.name(1), where: "true").text
                    .split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }.joined(separator: " "),
            ]
        }
    }
}
