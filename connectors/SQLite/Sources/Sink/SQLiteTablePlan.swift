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
        case insert(keys: [String])
        case mirror(keys: [String])
        case history(keys: [String], HistoryColumns)
        /// As an upsert, into a table that need not hold its rows apart by the keys.
        case merge(keys: [String])

        /// The names of the columns that rows are matched by.
        var keys: [String] {
            switch self {
            case .append, .replace: []
            case .upsert(let keys), .insert(let keys), .mirror(let keys), .history(let keys, _), .merge(let keys): keys
            }
        }

        /// The columns of a history, nil for other modes.
        var history: HistoryColumns? {
            if case .history(_, let columns) = self { columns } else { nil }
        }
    }

    let table: String
    let mode: Mode
    /// The place of each column's field among those of the rows; nil for the run's time.
    let fields: [Int?]
    /// The fields of the rows that are left out, because the table is frozen.
    let ignored: [Field]
    /// The names that the table has for the fields of the schema, in their order.
    let columns: [String]
    let encoders: [SQLiteColumnEncoder]
    /// The positions of the key columns among `columns`.
    let keys: [Int]
    /// For a history: the position of the column that says since when a row holds, and its type.
    let time: (column: Int, type: DataType)?
    /// Makes the table or the unique index that are not there.
    let definitions: [String]

    /// Whether the table is not there and will be made.
    let makesTable: Bool

    /// The name of the rows' field that goes into a column; the column's own where the run dates it.
    func fieldName(_ column: Int, of schema: Schema) -> String {
        fields[column].map { schema.fields[$0].name } ?? columns[column]
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
        return "UPDATE OR ABORT \(SQLiteName.quoted(table)) SET \(changes.joined(separator: ", ")) "
            + "WHERE \(sameKeys(by: comparison)) AND (\(difference(in: updating)))"
    }

    /// Whether one of `columns` differs from the parameter; false for none.
    func difference(in columns: [Int]) -> String {
        // The table's collation decides which keys are equal, but a change of case is a change of a value.
        let parts = columns.map { "\(SQLiteName.quoted(self.columns[$0])) COLLATE BINARY IS NOT ?\($0 + 1)" }
        return parts.isEmpty ? "0" : parts.joined(separator: " OR ")
    }

    /// Finds whether a row of the same keys is there; parameters are numbered as in an insert. Nulls are equal.
    var probeSQL: String {
        "SELECT 1 FROM \(SQLiteName.quoted(table)) WHERE \(sameKeys(by: "IS")) LIMIT 1"
    }

    func sameKeys(by comparison: String) -> String {
        keys.map { "\(SQLiteName.quoted(columns[$0])) \(comparison) ?\($0 + 1)" }.joined(separator: " AND ")
    }

    /// All columns that are not keys and do not date the row.
    var valueColumns: [Int] { columns.indices.filter { !keys.contains($0) && $0 != time?.column } }

    /// The statements that rows will run, one line each, for `plan`.
    var statements: [String] {
        switch mode {
        case .append: [insertSQL(rows: 1)]
        case .replace:
            (makesTable ? [] : ["DELETE FROM \(SQLiteName.quoted(table))"]) + [insertSQL(rows: 1)]
        case .upsert, .merge: [insertAbsentSQL] + (updateSQL(valueColumns).map { [$0] } ?? [])
        case .insert: [insertAbsentSQL]
        case .mirror:
            [insertAbsentSQL] + (updateSQL(valueColumns).map { [$0] } ?? []) + SQLiteSeenKeys(self).statements
        case .history: SQLiteHistorySQL(self).map(\.statements) ?? []
        }
    }
}
