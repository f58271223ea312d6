import HeadraceCMariaDB
import HeadraceCore

/// Why the server or libmariadb refused: its number, the SQLSTATE and its own words.
struct MySQLFailure: Error, Sendable {
    let number: UInt32
    let state: String
    let message: String
    let sql: SQL?

    init(number: UInt32, state: String, message: String, sql: SQL? = nil) {
        self.number = number
        self.state = state
        self.message = message
        self.sql = sql
    }

    /// What the last call on a connection failed with.
    init(_ handle: UnsafeMutablePointer<MYSQL>, sql: SQL?) {
        self.init(
            number: mysql_errno(handle), state: String(cString: mysql_sqlstate(handle)),
            message: String(cString: mysql_error(handle)), sql: sql)
    }

    private static let aboutRows: Set<UInt32> = [
        1048, 1062, 1169, 1216, 1217, 1263, 1264, 1265, 1292, 1364, 1366, 1369, 1406, 1411, 1425, 1441, 1451, 1452,
        1525, 1526, 1586, 1644, 1690, 1736, 1748, 1761, 1762, 3140, 3156, 3819, 4025, 4078,
    ]

    /// A row was refused: a value that does not fit its column, a constraint or a trigger.
    var isAboutRows: Bool {
        Self.aboutRows.contains(number) || state.hasPrefix("22") || state.hasPrefix("23") || state == "45000"
    }
    /// The transaction may work when it is run again.
    var isConflict: Bool { number == 1213 }
    /// A statement waited too long for a row's lock; it was undone alone, unless the server is told otherwise.
    var isLockTimeout: Bool { number == 1205 }
    /// A column's type cannot change because something else is made of it: a foreign key, a generated column, a check.
    var isDependence: Bool { [1832, 1833, 1834, 3106, 3855, 3959, 1901].contains(number) }
    /// The connection is gone, with everything that was not committed; whether a commit arrived is not known.
    var isConnectionLoss: Bool { [2006, 2013, 2055, 1927, 1053, 1152, 1159, 1161].contains(number) }
    /// The server or the client does not take `LOAD DATA LOCAL`.
    var isLocalInfileRefused: Bool { [1148, 3948, 4166, 2068].contains(number) }

    /// The failure as Headrace's error, with what the reader can do about it.
    var error: HeadraceError {
        let (code, sentence, hint, retry) = explanation
        var fields: [(name: String, value: String)] = [("mysql", "\(message) (error \(number), SQLSTATE \(state))")]
        if let sql { fields.append(("sql", Self.shortened(sql.text))) }
        return HeadraceError(code, sentence, fields: fields, hint: hint, retry: retry)
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= 600 ? text : String(decoding: text.utf8.prefix(600), as: UTF8.self) + "…"
    }

    private var explanation: (HeadraceError.Code, String, String?, HeadraceError.Retry) {
        switch number {
        case 1213:
            return (
                .transactionConflict, "MySQL ended the transaction in favour of another one",
                "run again; it was undone whole", .mayHelp
            )
        case 1205:
            return (
                .databaseBusy, "another transaction holds a lock that is needed",
                "wait for it to end; information_schema.innodb_trx shows who it is", .mayHelp
            )
        case 1969, 3024:
            return (
                .statementTimeout, "MySQL gave up on a statement after its time-out", "raise statementTimeout", .mayHelp
            )
        case 1317: return (.cancelled, "the statement was cancelled", nil, .mayHelp)
        case 1021, 1041, 1114:
            return (.databaseFull, "the MySQL server has no more room: \(message)", "free space there", .mayHelp)
        case 1040, 1203, 1226:
            return (
                .connectionFailed, "the MySQL server takes no more connections",
                "close others, or raise max_connections",
                .mayHelp
            )
        case 2002, 2003, 2005, 2007, 2012:
            return (
                .connectionFailed, "the MySQL server cannot be reached: \(message)",
                "check host, port and socket, and whether it runs", .mayHelp
            )
        case 2026:
            return (
                .connectionFailed, "no encrypted connection to the MySQL server: \(message)",
                "check sslmode and sslrootcert, and whether the server offers TLS", .never
            )
        case 1044, 1045, 1130, 1698:
            return (
                .accessDenied, "MySQL does not let this user in: \(message)",
                "check user and password (MYSQL_PWD, defaultsFile)", .never
            )
        case 1142, 1143, 1227, 1370, 1290, 1836:
            return (
                .accessDenied, "this user may not do that in MySQL: \(message)",
                "grant it, or connect as another user", .never
            )
        case 1049, 1051, 1146: return (.notFound, "MySQL: \(message)", nil, .never)
        default: break
        }
        if isConnectionLoss {
            return (
                .connectionLost, "the connection to MySQL broke: \(message)",
                "look into the server's log, then run again",
                .mayHelp
            )
        }
        if isAboutRows {
            return state.hasPrefix("23") || [3819, 4025].contains(number)
                ? (.constraintViolated, "MySQL refuses a row: \(message)", nil, .never)
                : (.badValue, "MySQL refuses a value: \(message)", nil, .never)
        }
        if state.hasPrefix("42") { return (.badQuery, "MySQL refuses a statement: \(message)", nil, .never) }
        return (.unexpected, "MySQL failed: \(message)", nil, .never)
    }
}
