import HeadraceColumnar
import HeadraceCore

/// How rows of a schema go into one table: which columns, with which SQL, and what must be made first.
///
/// Made by looking at the catalog; makes and changes nothing itself.
struct PostgreSQLTablePlan: Sendable {
    enum Mode: Sendable, Hashable {
        case append, replace, upsert, insert, mirror
        case history(HistoryColumns)

        /// Whether rows find their equals by key, so that a row that is there is no mistake.
        var isKeyed: Bool { self != .append && self != .replace }

        var isHistory: Bool { if case .history = self { true } else { false } }
    }

    /// The table, with its schema where the catalog knows it.
    let table: PostgreSQLTableName
    let mode: Mode
    /// The places of the rows' fields that are written; the others have no column.
    let fields: [Int]
    /// The fields of the rows that are left out, because the table is frozen.
    let ignored: [Field]
    /// The columns of the table for the fields of the rows, in their order, with their types.
    let columns: [PostgreSQLColumn]
    let encoder: PostgreSQLRowEncoder
    /// The positions of the key columns among `columns`.
    let keys: [Int]
    /// Makes or changes the table and the unique index that are not there as they must be.
    let definitions: [SQL]
    /// Whether the table is not there and will be made.
    let makesTable: Bool
    /// Other tables refer to this one, so that it cannot be truncated.
    let isReferenced: Bool
    /// COPY cannot write into the table: row security decides row by row, or a column takes text that the server reads.
    let needsStage: Bool
    /// Whether the table is partitioned: the server does not say there whether a conflicting row was inserted or updated.
    let isPartitioned: Bool
    /// Whether the table has triggers, which may keep a row out without a word.
    let hasTriggers: Bool
    /// For a replace that puts a new table in the place of the old.
    let swap: PostgreSQLSwap?
    /// For a mirror: encodes the key columns alone.
    let keyEncoder: PostgreSQLRowEncoder?
    /// For a history: the type of the columns that bound a version.
    let timeType: PostgreSQLType?

    /// Columns that every table has, so that none can be made of that name.
    static let systemColumns: Set<String> = ["ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"]

    /// Where rows are written to: the table, or what takes its place.
    var target: PostgreSQLTableName { swap?.fresh ?? table }

    var names: [PostgreSQLName] { columns.map(\.name) }
    var keyNames: [PostgreSQLName] { keys.map { columns[$0].name } }
    /// The columns that are compared and changed, keys and a version's begin left out.
    var valueNames: [PostgreSQLName] {
        columns.indices.filter { !keys.contains($0) && !isTime(columns[$0]) }.map { columns[$0].name }
    }

    /// Whether a column holds the time since when a version holds.
    private func isTime(_ column: PostgreSQLColumn) -> Bool {
        if case .history(let history) = mode { column.name.text == history.from } else { false }
    }

    /// Whether no other writer may be let in: rows are looked up before they are inserted.
    var locks: Bool {
        switch mode {
        case .history: true
        case .upsert, .mirror: isPartitioned
        case .append, .replace, .insert: false
        }
    }

    /// The name of the rows' field that goes into a column.
    func fieldName(_ column: String, of schema: Schema) -> String {
        columns.firstIndex { $0.name.text == column }.map { schema.fields[fields[$0]].name } ?? column
    }
}
