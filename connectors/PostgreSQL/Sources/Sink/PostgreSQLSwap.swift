import HeadraceCore

/// A replace that fills a new table beside the old one and puts it in its place with the commit, so that readers of the old
/// one never wait for the rows.
///
/// The new table gets the old one's columns, defaults, constraints, indexes, owner and grants; indexes and constraints get
/// their names back. All of it is one transaction: a load that dies leaves the old table, and nothing else.
struct PostgreSQLSwap: Sendable {
    private let table: PostgreSQLTableName
    /// Where rows go until the swap.
    let fresh: PostgreSQLTableName
    private let isUnlogged: Bool

    init(_ table: PostgreSQLTable) {
        self.table = table.name
        isUnlogged = table.isUnlogged
        let name = PostgreSQLSeenKeys.name(of: table.name.table.text, after: "new_")
        guard let fresh = try? PostgreSQLName(name) else { preconditionFailure("\(name) is no name") }
        self.fresh = PostgreSQLTableName(schema: table.name.schema, table: fresh)
    }

    private var create: SQL {
        let kind: SQL = isUnlogged ? "UNLOGGED TABLE" : "TABLE"
        return "CREATE \(kind) \(fresh) (LIKE \(table) INCLUDING ALL)"
    }
    private var drop: SQL { "DROP TABLE \(table)" }
    private var rename: SQL { "ALTER TABLE \(fresh) RENAME TO \(table.table)" }

    /// What happens before and after the rows, for `plan`.
    var before: [SQL] { [create] }
    var after: [SQL] { [drop, rename] }

    /// Refuses what a new table in the place of the old would break.
    static func check(_ table: PostgreSQLTable, in connection: PostgreSQLConnection) throws {
        let oid = "\(table.oid)"
        func any(_ query: SQL) throws -> [String] { try connection.rows(query, [oid]) { $0.text(0) ?? "" } }
        var reasons: [String] = []
        if table.kind != .table { reasons.append("it is no plain table") }
        reasons += try any(
            """
            SELECT DISTINCT 'view ' || r.ev_class::regclass FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
            WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = $1::oid AND r.ev_class <> $1::oid ORDER BY 1
            """)
        reasons += try any(
            """
            SELECT DISTINCT 'references of table ' || conrelid::regclass FROM pg_constraint
            WHERE contype = 'f' AND confrelid = $1::oid ORDER BY 1
            """)
        reasons += try any(
            "SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal ORDER BY 1")
        reasons += try any("SELECT 'policy ' || polname FROM pg_policy WHERE polrelid = $1::oid ORDER BY 1")
        reasons += try any(
            """
            SELECT 'publication ' || p.pubname FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
            WHERE r.prrelid = $1::oid ORDER BY 1
            """)
        reasons += try any(
            """
            SELECT 'inheritance of ' || inhrelid::regclass || ' from ' || inhparent::regclass FROM pg_inherits
            WHERE $1::oid IN (inhrelid, inhparent) ORDER BY 1
            """)
        guard reasons.isEmpty else {
            throw HeadraceError(
                .unsupported, "another table cannot take the place of \(table.name)",
                fields: [("in its way", reasons.joined(separator: ", "))],
                hint: "leave replace=swap out: the table is emptied and filled then, and all of that stays")
        }
    }

    // MARK: - In the rows' transaction

    /// Makes the new table. Other writers of the old one wait from here on, because their rows would be lost.
    func begin(in connection: PostgreSQLConnection) throws {
        try connection.script("LOCK TABLE \(table) IN SHARE ROW EXCLUSIVE MODE; \(create)")
        // LIKE leaves out references to other tables.
        for (name, definition) in try names(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = $1::regclass",
            of: table, connection)
        {
            try connection.script(
                "ALTER TABLE \(fresh) ADD CONSTRAINT \(try PostgreSQLName(name)) \(SQL(writtenByUser: definition))")
        }
    }

    /// Puts the new table in the place of the old, under its name, owner and grants.
    func end(in connection: PostgreSQLConnection) throws {
        try keepSequences(connection)
        try keepRights(connection)
        let indexes = try matchingIndexes(connection)
        try connection.script("\(drop); \(rename)")
        for (made, kept) in indexes where made != kept {
            let (made, kept) = (try PostgreSQLName(made), try PostgreSQLName(kept))
            let index = PostgreSQLTableName(schema: table.schema, table: made)
            try connection.script("ALTER INDEX \(index) RENAME TO \(kept)")
        }
    }

    private func names(
        _ query: SQL, of table: PostgreSQLTableName, _ connection: PostgreSQLConnection
    ) throws -> [(String, String)] {
        try connection.rows(query, [table.quoted]) { ($0.text(0) ?? "", $0.text(1) ?? "") }
    }

    /// Sequences that belong to a column of the old table would go with it.
    private func keepSequences(_ connection: PostgreSQLConnection) throws {
        let owned = try names(
            """
            SELECT d.objid::regclass::text, a.attname FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.refobjid = $1::regclass AND d.deptype = 'a'
                AND (SELECT relkind FROM pg_class WHERE oid = d.objid) = 'S'
            """, of: table, connection)
        for (sequence, column) in owned {
            // The server has quoted the sequence's name itself.
            try connection.script(
                "ALTER SEQUENCE \(SQL(writtenByUser: sequence)) OWNED BY \(fresh).\(try PostgreSQLName(column))")
        }
    }

    private func keepRights(_ connection: PostgreSQLConnection) throws {
        let statements = try connection.rows(
            """
            SELECT format('GRANT %s ON TABLE %s TO %s%s', string_agg(a.privilege_type, ', '), $2::text,
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM pg_class c CROSS JOIN aclexplode(c.relacl) a WHERE c.oid = $1::regclass AND a.grantee <> c.relowner
            GROUP BY a.grantee, a.is_grantable
            UNION ALL
            SELECT format('GRANT %s (%I) ON TABLE %s TO %s%s', a.privilege_type, c.attname, $2::text,
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM pg_attribute c CROSS JOIN aclexplode(c.attacl) a WHERE c.attrelid = $1::regclass AND NOT c.attisdropped
            UNION ALL
            SELECT format('ALTER TABLE %s OWNER TO %I', $2::text, pg_get_userbyid(relowner)) FROM pg_class
            WHERE oid = $1::regclass AND pg_get_userbyid(relowner) <> current_user
            """, [table.quoted, fresh.quoted]
        ) { $0.text(0) ?? "" }
        for statement in statements { try connection.script(SQL(writtenByUser: statement)) }
    }

    /// Indexes of the new table with the names of the old one's that are alike.
    private func matchingIndexes(_ connection: PostgreSQLConnection) throws -> [(String, String)] {
        let query: SQL = """
            SELECT c.relname, concat_ws('|', i.indkey, i.indisunique, i.indisprimary, i.indisexclusion, c.relam, i.indclass,
                i.indcollation, i.indoption, i.indnkeyatts, pg_get_expr(i.indexprs, i.indrelid),
                pg_get_expr(i.indpred, i.indrelid))
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::regclass ORDER BY c.oid
            """
        var old = try names(query, of: table, connection)
        var pairs: [(String, String)] = []
        for (name, shape) in try names(query, of: fresh, connection) {
            guard let index = old.firstIndex(where: { $0.1 == shape }) else { continue }
            pairs.append((name, old.remove(at: index).0))
        }
        return pairs
    }
}
