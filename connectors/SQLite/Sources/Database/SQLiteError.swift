import Glibc
import HeadraceCSQLite
public import HeadraceCore

extension HeadraceError.Code {
    /// The file is damaged.
    public static let databaseCorrupt = Self("databaseCorrupt")
    /// The file, its folder or its file system cannot be written.
    public static let databaseReadOnly = Self("databaseReadOnly")
    /// The file is something else than an SQLite database.
    public static let notADatabase = Self("notADatabase")
}

/// Why a call to SQLite failed: its extended code and its own words.
struct SQLiteFailure: Error {
    let code: Int32
    let message: String
    /// The SQL that ran; values are bound, so it holds none of ours.
    let sql: String?
    let path: String

    var primary: Int32 { code & 0xff }
    var isConstraint: Bool { primary == SQLITE_CONSTRAINT }
    var isBusy: Bool { primary == SQLITE_BUSY || primary == SQLITE_LOCKED }

    /// The failure as Headrace's error, with what the reader can do about it.
    var error: HeadraceError {
        if primary == SQLITE_INTERRUPT { return .cancelled }
        let (kind, sentence, hint, retry) = explanation
        var fields: [(name: String, value: String)] = [("sqlite", "\(message) (code \(code))")]
        if let sql { fields.append(("sql", sql)) }
        return HeadraceError(kind, sentence, fields: fields, hint: hint, retry: retry)
    }

    private var explanation: (HeadraceError.Code, String, String?, HeadraceError.Retry) {
        switch primary {
        case SQLITE_BUSY, SQLITE_LOCKED:
            (
                .databaseBusy, "\(path) is locked by another connection",
                "wait for the other writer to end; rows for one database need one sink at a time", .mayHelp
            )
        case SQLITE_FULL:
            (.databaseFull, "\(path) cannot grow: the disk is full", "free space, then run again", .mayHelp)
        case SQLITE_CORRUPT:
            (.databaseCorrupt, "\(path) is damaged", "restore it, or save what is left with sqlite3's .recover", .never)
        case SQLITE_NOTADB:
            (
                .notADatabase, "\(path) is not an SQLite database", "check the path, or whether the file is encrypted",
                .never
            )
        case SQLITE_READONLY:
            (.databaseReadOnly, "\(path) cannot be written", "check the permissions of the file and its folder", .never)
        case SQLITE_CONSTRAINT: (.constraintViolated, "\(path) refuses a row", nil, .never)
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH:
            (.inputOutput, "\(path) cannot be opened", "check the permissions of the file and its folder", .never)
        case SQLITE_IOERR: (.inputOutput, "\(path) cannot be read or written", nil, .mayHelp)
        case SQLITE_NOMEM: (.outOfBudget, "SQLite ran out of memory with \(path)", nil, .mayHelp)
        case SQLITE_TOOBIG:
            (
                .unsupported, "a value or statement is longer than SQLite takes",
                "SQLite takes up to 1,000,000,000 bytes", .never
            )
        case SQLITE_ERROR: (.badQuery, "SQLite refuses a statement: \(message)", nil, .never)
        default: (.unexpected, "SQLite failed with \(path): \(message)", nil, .never)
        }
    }
}
