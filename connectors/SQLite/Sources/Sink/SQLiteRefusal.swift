import HeadraceCSQLite
import HeadraceColumnar
import HeadraceCore

/// A row that a constraint of the table refused, in SQLite's own words.
struct SQLiteRefusal: Sendable {
    let row: Int
    let code: String
    let message: String
    /// The table's column where SQLite names one.
    let column: String?

    init(row: Int, _ failure: SQLiteFailure) {
        self.row = row
        message = failure.message
        code =
            switch Int(failure.code) {
            case headrace_SQLITE_CONSTRAINT_NOTNULL: "missing"
            case headrace_SQLITE_CONSTRAINT_CHECK: "check"
            case headrace_SQLITE_CONSTRAINT_UNIQUE, headrace_SQLITE_CONSTRAINT_PRIMARYKEY,
                headrace_SQLITE_CONSTRAINT_ROWID:
                "notUnique"
            case headrace_SQLITE_CONSTRAINT_FOREIGNKEY: "foreignKey"
            case headrace_SQLITE_CONSTRAINT_DATATYPE: "doesNotFit"
            case headrace_SQLITE_CONSTRAINT_TRIGGER: "trigger"
            default: "constraint"
            }
        // "NOT NULL constraint failed: table.column"; a unique key of several columns lists them all.
        let names = failure.message.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? ""
        let isOneColumn = code == "missing" || code == "notUnique"
        column = isOneColumn && !names.contains(", ") ? names.split(separator: ".").last.map(String.init) : nil
    }

    func reject(of batch: Batch, plan: SQLiteTablePlan) -> Reject {
        let field = column.flatMap { plan.columns.firstIndex(of: $0) }
            .map { plan.fieldName($0, of: batch.records.schema) }
        return batch.reject(
            row: row, rule: "table \(plan.table)", code: code, field: field, message: message)
    }
}
