import HeadraceColumnar
import HeadraceCore

/// A column of a table as the catalog describes it.
struct PostgreSQLColumn: Sendable, Hashable {
    let name: PostgreSQLName
    let type: PostgreSQLType
    /// False for NOT NULL columns, primary keys and domains that forbid nulls.
    let isNullable: Bool
    /// Computed by the server: a generated column, which nothing can be written into.
    let isGenerated: Bool
    /// An identity that takes values only with OVERRIDING SYSTEM VALUE (COPY may write it).
    let isIdentityAlways: Bool
    /// The server fills the column when it is left out.
    let hasDefault: Bool
    /// Values come as text, which the server reads on its way from a stage into the table.
    var isReadFromText = false
    /// How its texts are compared, quoted; nil for what is no text.
    var collation: String?

    /// A column of a table beside this one in which every value is, and compares, as here; a domain's rules are left out.
    var likeness: SQL {
        if isReadFromText { return "\(name) text" }
        let collate: SQL = collation.map { " COLLATE \(SQL(writtenByUser: $0))" } ?? ""
        return "\(name) \(SQL(writtenByUser: type.stored))\(collate)"
    }

    /// `value`, of a stage's column, in the type that this column declares.
    func read(from value: SQL) -> SQL {
        let declared = SQL(writtenByUser: type.name)
        return isReadFromText && type.name == "money" ? "\(value)::numeric::money" : "\(value)::\(declared)"
    }

    /// This column as it takes values of `source`.
    func taking(_ source: DataType) -> PostgreSQLColumn {
        var column = self
        column.isReadFromText = PostgreSQLColumnEncoder.needsText(source, into: type)
        return column
    }

    /// The field of a batch that the column becomes.
    /// - Parameter keyPlace: its place in the primary key, from 1.
    func field(keyPlace: Int? = nil) -> Field {
        var metadata: [String: String] = [:]
        if type.needsAnnotation { metadata[Field.postgreSQLTypeKey] = type.name }
        if let keyPlace { metadata[Field.primaryKeyKey] = "\(keyPlace)" }
        return Field(name.text, type.dataType, nullable: isNullable, metadata: metadata)
    }

    /// The column in a select list, printed by the server where its type is read so.
    var selection: SQL {
        guard type.isCastToText else { return "\(name)" }
        return type.name == "money" ? "\(name)::numeric::text" : "\(name)::text"
    }
}

/// A table or view as the catalog describes it: columns, types, nullability and keys.
struct PostgreSQLTable: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable {
        case table = "r"
        case partitioned = "p"
        case view = "v"
        case materializedView = "m"
        case foreign = "f"
    }

    let oid: UInt32
    /// With its schema, always.
    let name: PostgreSQLTableName
    let kind: Kind
    let columns: [PostgreSQLColumn]
    /// The columns of the primary key in its order, empty without one.
    let primaryKey: [String]
    /// The columns of other unique constraints and full unique indexes that take part in conflicts.
    let uniqueKeys: [[String]]
    /// Tables with rules, triggers or row security treat COPY or TRUNCATE differently.
    let hasTriggers: Bool
    let hasRowSecurity: Bool
    let isUnlogged: Bool

    /// The column called `name`, case included.
    func column(_ name: String) -> PostgreSQLColumn? { columns.first { $0.name.text == name } }

    /// The fields of all columns, keys and nullability included.
    var schema: Schema {
        Schema(
            columns.map { column in column.field(keyPlace: primaryKey.firstIndex(of: column.name.text).map { $0 + 1 }) }
        )
    }

    /// Reads a table from the catalog, nil when there is none of that name.
    static func read(_ name: PostgreSQLTableName, from connection: PostgreSQLConnection) throws -> PostgreSQLTable? {
        let found = try connection.first(
            """
            SELECT c.oid, n.nspname, c.relname, c.relkind, c.relhastriggers, c.relrowsecurity, c.relpersistence = 'u'
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)
            """, [name.quoted]
        ) { row in
            (
                oid: UInt32(truncatingIfNeeded: row.integer(0) ?? 0), schema: row.text(1) ?? "",
                table: row.text(2) ?? "", kind: Kind(rawValue: row.text(3) ?? ""), hasTriggers: row.bool(4),
                hasRowSecurity: row.bool(5), isUnlogged: row.bool(6)
            )
        }
        guard let found, let kind = found.kind else { return nil }
        let columns = try readColumns(found.oid, connection)
        let keys = try connection.rows(
            """
            SELECT i.indisprimary, (SELECT json_agg(a.attname ORDER BY k.place)
                FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number WHERE k.place <= i.indnkeyatts)
            FROM pg_index i WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY i.indisprimary DESC, i.indexrelid
            """, ["\(found.oid)"]
        ) { row in
            (isPrimary: row.bool(0), columns: try JSONValue.parse(row.text(1) ?? "[]").arrayValue ?? [])
        }
        func names(_ values: [JSONValue]) -> [String] { values.compactMap(\.stringValue) }
        return PostgreSQLTable(
            oid: found.oid,
            name: PostgreSQLTableName(schema: try PostgreSQLName(found.schema), table: try PostgreSQLName(found.table)),
            kind: kind, columns: columns, primaryKey: keys.first { $0.isPrimary }.map { names($0.columns) } ?? [],
            uniqueKeys: keys.filter { !$0.isPrimary }.map { names($0.columns) }, hasTriggers: found.hasTriggers,
            hasRowSecurity: found.hasRowSecurity, isUnlogged: found.isUnlogged)
    }

    private static func readColumns(_ oid: UInt32, _ connection: PostgreSQLConnection) throws -> [PostgreSQLColumn] {
        let rows = try connection.rows(
            """
            SELECT a.attname, a.atttypid, a.atttypmod, a.attndims, a.attnotnull, a.attgenerated <> '',
                a.attidentity = 'a', a.atthasdef OR a.attidentity <> '',
                (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.collname) FROM pg_collation c
                 JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation)
            FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """, ["\(oid)"]
        ) { row in
            (
                name: row.text(0) ?? "", type: UInt32(truncatingIfNeeded: row.integer(1) ?? 0),
                modifier: Int32(truncatingIfNeeded: row.integer(2) ?? -1), dimensions: Int(row.integer(3) ?? 0),
                isNotNull: row.bool(4), isGenerated: row.bool(5), isIdentityAlways: row.bool(6),
                hasDefault: row.bool(7), collation: row.text(8)
            )
        }
        let catalog = PostgreSQLTypeCatalog(connection)
        return try rows.map { row in
            let (type, isNotNull) = try catalog.type(row.type, modifier: row.modifier, dimensions: row.dimensions)
            return PostgreSQLColumn(
                name: try PostgreSQLName(row.name), type: type, isNullable: !(row.isNotNull || isNotNull),
                isGenerated: row.isGenerated, isIdentityAlways: row.isIdentityAlways, hasDefault: row.hasDefault,
                collation: row.collation)
        }
    }

    /// The tables and views that a user could mean, for messages and `check`.
    static func names(in connection: PostgreSQLConnection) throws -> [String] {
        try connection.rows(
            """
            SELECT n.nspname, c.relname, pg_table_is_visible(c.oid)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
                AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
            ORDER BY 1, 2 LIMIT 200
            """
        ) { row in
            let table = try PostgreSQLName(row.text(1) ?? "?")
            let schema = row.bool(2) ? nil : try PostgreSQLName(row.text(0) ?? "?")
            return PostgreSQLTableName(schema: schema, table: table).description
        }
    }

    /// There is no table of that name.
    static func notFound(_ name: PostgreSQLTableName, in connection: PostgreSQLConnection) throws -> HeadraceError {
        HeadraceError(
            .notFound, "there is no table \(name.quoted) in \(connection.configuration)",
            fields: [("tables", try names(in: connection).joined(separator: ", "))],
            hint: "names are case-sensitive here; write schema.table for a table outside the search path")
    }
}
