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
        case insert(keys: [String])
        case mirror(keys: [String])
        case history(keys: [String], HistoryColumns)
        /// As an upsert, into a table that need not hold its rows apart by the keys.
        case merge(keys: [String])

        /// What a sink's mode asks for.
        init(_ mode: SinkMode) {
            switch mode {
            case .append: self = .append
            case .replace: self = .replace
            case .upsert(let keys): self = .upsert(keys: keys)
            case .insert(let keys): self = .insert(keys: keys)
            case .mirror(let keys): self = .mirror(keys: keys)
            case .history(let keys, let columns): self = .history(keys: keys, columns)
            case .facts: preconditionFailure("a fact load is not planned as one table")
            }
        }

        /// The columns that rows are matched by; nil for a mode without keys.
        var keys: [String]? {
            switch self {
            case .append, .replace: nil
            case .upsert(let keys), .insert(let keys), .mirror(let keys), .history(let keys, _), .merge(let keys): keys
            }
        }

        var isMirror: Bool { if case .mirror = self { true } else { false } }

        var history: HistoryColumns? { if case .history(_, let columns) = self { columns } else { nil } }
    }

    let table: MySQLName
    let mode: Mode
    /// The places of the rows' fields that are written; the others have no column.
    var fields: [Int]
    /// The fields of the rows that are left out, because the table is frozen.
    var ignored: [Field] = []
    /// The names that the table has for the written fields, in their order.
    let columns: [MySQLName]
    let encoders: [MySQLColumnEncoder]
    /// The positions of the key columns among `columns`.
    let keys: [Int]
    /// Makes or changes the table and the unique index that are not there as they must be.
    let definitions: [SQL]
    /// Whether the table is not there and will be made.
    let makesTable: Bool
    /// Whether a replace swaps a new table in; else rows are deleted and inserted in one transaction.
    let swaps: Bool
    /// The fence of the run, which names the table that it swaps in.
    var fence: Int64 = 0
    /// For a history: the type of the columns that bound a version.
    var timeType: MySQLColumnType?

    /// The table that rows are loaded into.
    var into: MySQLName { swaps ? MySQLSwap.newName(of: table.text, fence: fence) : table }

    /// Whether rows go through a staging table, where they are told apart by their keys.
    var isStaged: Bool { mode.keys != nil }

    /// The place of a history's begin among the columns; nil where rows are not dated.
    var begin: Int? { mode.history.flatMap { history in columns.firstIndex { $0.text == history.from } } }

    /// The columns that may hold no null, whatever the table says: keys, and what dates a row.
    var required: [Int] { if case .merge = mode { [] } else { keys + (begin.map { [$0] } ?? []) } }

    /// The columns that are compared and changed where a row of the key is there.
    var valueColumns: [Int] {
        if case .insert = mode { return [] }
        return columns.indices.filter { !keys.contains($0) && $0 != begin }
    }

    /// Says once which of the rows' fields are left out.
    func noteIgnored(in log: EventLog) {
        guard !ignored.isEmpty else { return }
        log.warning(
            "columns that the table lacks are left out",
            [("table", table.text), ("columns", ignored.map(\.name).joined(separator: ", "))])
    }

    /// A name of our own for something of a table, whatever the table's is: never too long, always the same.
    static func shortName(_ prefix: String, of table: String) -> MySQLName {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in table.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return MySQLName(known: prefix + String(hash, radix: 16))
    }

    // MARK: - SQL

    /// The statements that rows will run, one line each, for `plan`.
    /// - Parameter time: the run's, for rows of a history that nothing else dates.
    func statements(at time: Int64) -> [String] {
        let load = MySQLRowLoader(self, into: into).loadSQL.text
        switch mode {
        case .append: return [load]
        case .replace where swaps:
            return [load, "swap \(into.quoted) for \(table.quoted) by RENAME TABLE, with a row in \(MySQLSwap.table)"]
        case .replace: return ["DELETE FROM \(table.quoted)", load]
        case .upsert, .insert, .merge, .mirror, .history:
            let stage = MySQLName(known: "_headrace_stage")
            let merger = MySQLMerger(self, stage: stage, updating: valueColumns, time: time)
            let seen = mode.isMirror ? MySQLSeenKeys(self).statements.map(\.text) : []
            return [MySQLRowLoader(self, into: stage).loadSQL.text] + merger.statements + seen
        }
    }
}
