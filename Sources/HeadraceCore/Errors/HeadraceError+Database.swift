extension HeadraceError.Code {
    /// The server cannot be reached, or not within the connect time-out.
    public static let connectionFailed = Self("connectionFailed")
    /// The connection broke while it was used.
    public static let connectionLost = Self("connectionLost")
    /// SQL that the database cannot prepare or run.
    public static let badQuery = Self("badQuery")
    /// Rows that a constraint of the table refuses.
    public static let constraintViolated = Self("constraintViolated")
    /// A value that the database cannot store in its column.
    public static let badValue = Self("badValue")
    /// The disk under the database, or its own limit, is full.
    public static let databaseFull = Self("databaseFull")
    /// Another connection or transaction holds a lock that is needed, and has held it for the whole time-out.
    public static let databaseBusy = Self("databaseBusy")
    /// The database gave up on a statement after its time-out.
    public static let statementTimeout = Self("statementTimeout")
    /// Two transactions that could not both go on; the same again may work.
    public static let transactionConflict = Self("transactionConflict")
}
