import HeadraceColumnar
import HeadraceCore

/// The statements by which one row of a history (type 2) takes effect. Their parameters are numbered as in an insert; one
/// behind those is a time that another statement found.
struct SQLiteHistorySQL: Sendable {
    /// The newest begin of the key and whether it is later than the run; nil where rows say themselves since when they hold.
    let newest: String?
    /// The type of the bounds.
    let bound: DataType
    /// Whether the version of the very same time differs; no row where there is none.
    let same: String
    /// Puts the version of the same time right; nil where nothing but keys could differ.
    let correct: String?
    /// Whether the version that held differs, when it ended and when it began; no row where none did.
    let holding: String
    /// When the next version begins.
    let next: String
    /// Ends the version that began at the parameter behind the row's.
    let end: String
    /// Begins a version that ends at the parameter behind the row's, or has not ended.
    let begin: String
    /// The number of the parameter behind the row's.
    let extra: Int
    /// The number of the row's parameter that says since when it holds.
    let time: Int

    /// Nil for a plan of another mode.
    init?(_ plan: SQLiteTablePlan) {
        guard let history = plan.mode.history, let time = plan.time else { return nil }
        let table = SQLiteName.quoted(plan.table)
        let (from, until, current) = (
            SQLiteName.quoted(history.from), SQLiteName.quoted(history.until), SQLiteName.quoted(history.current)
        )
        extra = plan.columns.count + 1
        let keys = plan.sameKeys(by: "=")
        // Texts of instants order as their times do once the Z is gone: ".5Z" is before "Z".
        func order(_ time: String, _ type: DataType) -> String {
            if case .timestamp(_?) = type { "rtrim(\(time), 'Z')" } else { time }
        }
        func inOrder(_ text: String) -> String { order(text, time.type) }
        bound = time.type
        let isDated = plan.fields[time.column] != nil
        self.time = time.column + 1
        let moment = "?\(time.column + 1)"
        newest =
            isDated
            ? nil
            : """
            SELECT \(from), \(inOrder(from)) > \(inOrder(moment)) FROM \(table) WHERE \(keys) \
            ORDER BY \(inOrder(from)) DESC LIMIT 1
            """
        let differs = "(\(plan.difference(in: plan.valueColumns)))"
        same = "SELECT \(differs) FROM \(table) WHERE \(keys) AND \(from) = \(moment)"
        let changes = plan.valueColumns.map { "\(SQLiteName.quoted(plan.columns[$0])) = ?\($0 + 1)" }
        correct =
            changes.isEmpty
            ? nil
            : "UPDATE OR ABORT \(table) SET \(changes.joined(separator: ", ")) WHERE \(keys) AND \(from) = \(moment)"
        holding = """
            SELECT \(differs), \(until), \(from) FROM \(table) WHERE \(keys) AND \(inOrder(from)) < \(inOrder(moment)) \
            AND (\(until) IS NULL OR \(inOrder(until)) > \(inOrder(moment))) ORDER BY \(inOrder(from)) DESC LIMIT 1
            """
        next = """
            SELECT \(from) FROM \(table) WHERE \(keys) AND \(inOrder(from)) > \(inOrder(moment)) \
            ORDER BY \(inOrder(from)) LIMIT 1
            """
        end = "UPDATE OR ABORT \(table) SET \(until) = \(moment), \(current) = 0 WHERE \(keys) AND \(from) = ?\(extra)"
        let values = plan.columns.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
        begin = """
            INSERT OR ABORT INTO \(table) (\(SQLiteName.list(plan.columns)), \(until), \(current)) \
            VALUES (\(values), ?\(extra), ?\(extra) IS NULL)
            """
    }

    /// What a row runs, for `plan`.
    var statements: [String] {
        (newest.map { [$0] } ?? []) + [same] + (correct.map { [$0] } ?? []) + [holding, next, end, begin]
    }

    /// The shortest time after one that a column holds.
    /// - Throws: `schemaMismatch` where the column holds something else than a time of its type.
    func time(after text: String) throws(HeadraceError) -> SQLiteValue {
        var text = text
        let next: String? = text.withUTF8 { bytes in
            guard let base = UnsafeRawPointer(bytes.baseAddress) else { return nil }
            if bound == .date32 {
                return DateText.parse(base, count: bytes.count).valid.map { Temporal.formatDate($0 + 1) }
            }
            let parsed = TimestampText.parse(base, count: bytes.count)
            return parsed.isValid
                ? Temporal.formatTimestamp(parsed.microseconds + 1, hasZone: bound != .timestamp(zone: nil)) : nil
        }
        guard let next else {
            throw HeadraceError(
                .schemaMismatch, "a version begins at \"\(text)\", which is no \(bound)",
                hint: "put the history's bounds right")
        }
        return .text(next)
    }
}
