import HeadraceCPQ
import HeadraceCore

/// Why the server or libpq refused: the SQLSTATE and the server's own words.
struct PostgreSQLFailure: Error, Sendable {
    /// Five characters of the SQL standard and PostgreSQL's manual; `08006` for a broken connection.
    var state: String
    var message: String
    var detail: String?
    var hint: String?
    /// Where in the server it happened: `COPY t, line 3, column x: "y"`.
    var context: String?
    var table: String?
    var column: String?
    var constraint: String?
    /// What was being run.
    var sql: SQL?

    init(state: String, message: String, detail: String? = nil, hint: String? = nil, sql: SQL? = nil) {
        self.state = state
        self.message = message
        self.detail = detail
        self.hint = hint
        self.sql = sql
    }

    /// The failure that a result reports.
    init(_ result: OpaquePointer, sql: SQL?) {
        func field(_ code: some BinaryInteger) -> String? {
            PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
        }
        state = field(headrace_PG_DIAG_SQLSTATE) ?? "XX000"
        message =
            field(headrace_PG_DIAG_MESSAGE_PRIMARY)
            ?? PostgreSQLFailure.oneLine(PQresultErrorMessage(result).map { String(cString: $0) } ?? "unknown error")
        detail = field(headrace_PG_DIAG_MESSAGE_DETAIL)
        hint = field(headrace_PG_DIAG_MESSAGE_HINT)
        context = field(headrace_PG_DIAG_CONTEXT)
        table = field(headrace_PG_DIAG_TABLE_NAME)
        column = field(headrace_PG_DIAG_COLUMN_NAME)
        constraint = field(headrace_PG_DIAG_CONSTRAINT_NAME)
        self.sql = sql
    }

    /// The first two digits of the SQLSTATE.
    var stateClass: Substring { state.prefix(2) }
    /// A row was refused: a value that does not fit its column, or a constraint.
    var isAboutRows: Bool { stateClass == "22" || stateClass == "23" }
    /// A column's type cannot change because something else is made of it: a view, a rule, a trigger, a policy.
    var isDependence: Bool { state == "0A000" || state == "2BP01" }
    /// Serialization failures and deadlocks: the transaction may work when it is run again.
    var isConflict: Bool { state == "40001" || state == "40P01" }
    /// The connection is gone, with everything that was not committed; whether a commit arrived is not known.
    var isConnectionLoss: Bool { stateClass == "08" || state == "57P01" || state == "57P02" || state == "57P03" }
    /// The statement was cancelled, by us or by an operator.
    var isCancellation: Bool { state == "57014" && !isTimeout }

    private var isTimeout: Bool { message.contains("statement timeout") || message.contains("lock timeout") }

    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { line in
            String(line.drop { $0 == " " || $0 == "\t" })
        }.joined(separator: "; ")
    }

    /// The failure as Headrace's error, with what the reader can do about it.
    ///
    /// The server's detail and context are left out where they repeat a row's values.
    var error: HeadraceError {
        let (code, sentence, advice, retry) = explanation
        var fields: [(name: String, value: String)] = [("postgresql", "\(message) (SQLSTATE \(state))")]
        if let detail, !isAboutRows { fields.append(("detail", PostgreSQLFailure.oneLine(detail))) }
        if let constraint { fields.append(("constraint", constraint)) }
        if let column { fields.append(("column", column)) }
        if let sql { fields.append(("sql", Self.shortened(sql.text))) }
        return HeadraceError(
            code, sentence, fields: fields, hint: advice ?? hint.map(PostgreSQLFailure.oneLine), retry: retry)
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= 600 ? text : String(decoding: text.utf8.prefix(600), as: UTF8.self) + "…"
    }

    private var explanation: (HeadraceError.Code, String, String?, HeadraceError.Retry) {
        switch state {
        case "40001", "40P01":
            return (
                .transactionConflict, "PostgreSQL ended the transaction in favour of another one",
                "run again; it was undone whole", .mayHelp
            )
        case "53100": return (.databaseFull, "the disk of the PostgreSQL server is full", "free space there", .mayHelp)
        case "53300":
            return (
                .connectionFailed, "the PostgreSQL server takes no more connections",
                "close others, use fewer streams, or raise max_connections", .mayHelp
            )
        case "55P03":
            return (
                .databaseBusy, "another transaction holds a lock that is needed",
                "wait for it to end; pg_stat_activity shows who it is", .mayHelp
            )
        case "57014" where isTimeout:
            return (
                .statementTimeout, "PostgreSQL gave up on a statement after its time-out",
                "raise statementTimeout, or look for who holds a lock in pg_stat_activity", .mayHelp
            )
        case "57014": return (.cancelled, "the statement was cancelled", nil, .mayHelp)
        case "42501":
            return (
                .accessDenied, "this user may not do that in PostgreSQL: \(message)",
                "grant it, or connect as another user", .never
            )
        case "42P01", "3F000", "3D000", "42704": return (.notFound, "PostgreSQL: \(message)", hint, .never)
        case "25006": return (.accessDenied, "the PostgreSQL server takes no writes: \(message)", nil, .mayHelp)
        default: break
        }
        if isConnectionLoss {
            return (
                .connectionLost, "the connection to PostgreSQL broke: \(message)",
                "look into the server's log, then run again", .mayHelp
            )
        }
        switch stateClass {
        case "28": return (.accessDenied, "PostgreSQL does not let this user in: \(message)", nil, .never)
        case "22": return (.badValue, "PostgreSQL refuses a value: \(message)", nil, .never)
        case "23": return (.constraintViolated, "PostgreSQL refuses a row: \(message)", nil, .never)
        case "42", "26", "34", "3B", "0A": return (.badQuery, "PostgreSQL refuses a statement: \(message)", nil, .never)
        case "53", "57", "58": return (.inputOutput, "PostgreSQL cannot go on: \(message)", nil, .mayHelp)
        default: return (.unexpected, "PostgreSQL failed: \(message)", nil, .never)
        }
    }
}
