import Glibc
import HeadraceCore
import Synchronization

/// The write transaction of one load on one database file, shared by the load's sinks on that file: SQLite takes one writer
/// at a time, so they write together and become visible together.
///
/// It commits when its last writer does. A writer that aborts undoes it for all; the engine aborts them all then.
final class SQLiteTransaction: Sendable {
    private struct Key: Hashable {
        let file: String
        let run: String
    }

    private struct Entry {
        weak var transaction: SQLiteTransaction?
    }

    private struct State {
        /// The writers that have not let go, by what they write to.
        var writers: Set<String> = []
        /// Those of them whose rows of this epoch are complete, and those that have asked for the commit.
        var settled: Set<String> = []
        var committing: Set<String> = []
        /// Those that write nothing after this commit.
        var finishing: Set<String> = []
        var isOpen = false
        var isUndone = false
        /// Set once the database is closed or about to be.
        var isOver = false
    }

    private static let shared = Mutex<[Key: Entry]>([:])

    let database: SQLiteDatabase
    private let state = Mutex(State())

    private init(_ database: SQLiteDatabase) { self.database = database }

    /// The transaction of a run on a file, made where there is none.
    /// - Throws: `badOption` when `writer` takes part in it already.
    static func join(_ writer: String, sink: SQLiteSink, run: String) throws -> SQLiteTransaction {
        let key = Key(file: realPath(sink.path), run: run)
        return try shared.withLock { entries in
            entries = entries.filter { $0.value.transaction != nil }
            var transaction = SQLiteTransaction(sink.openDatabase(.create))
            if let known = entries[key]?.transaction, !known.isOver { transaction = known }
            guard transaction.state.withLock({ $0.writers.insert(writer).inserted }) else {
                throw HeadraceError(
                    .badOption, "two sinks of this run write into \(sink.name) at once",
                    hint: "merge the rows before one sink, or name another table")
            }
            entries[key] = Entry(transaction: transaction)
            return transaction
        }
    }

    private var isOver: Bool { state.withLock { $0.isUndone || $0.isOver } }

    /// The file's own path, whatever links and dots lead to it; the file may not be there yet.
    private static func realPath(_ path: String) -> String {
        func resolved(_ path: String) -> String? {
            guard let real = realpath(path, nil) else { return nil }
            defer { free(real) }
            return String(cString: real)
        }
        if let file = resolved(path) { return file }
        guard let slash = path.lastIndex(of: "/") else { return (resolved(".") ?? ".") + "/" + path }
        let folder = String(path[..<slash])
        return (resolved(folder.isEmpty ? "/" : folder) ?? folder) + path[slash...]
    }

    private static var undone: HeadraceError {
        HeadraceError(
            .unexpected, "another sink of this run undid the transaction that they share",
            hint: "see the first error of the run")
    }

    // MARK: - Inside calls of the database's actor

    /// Begins the transaction where it is not open.
    /// - Throws: `databaseBusy`; `unexpected` when it was undone since, by SQLite or another writer.
    func begin(_ connection: SQLiteConnection) throws {
        let isOpen = try state.withLock { state in
            if state.isUndone { throw Self.undone }
            return state.isOpen
        }
        guard isOpen else {
            try connection.execute("BEGIN IMMEDIATE")
            state.withLock { $0.isOpen = true }
            return
        }
        // SQLite undoes a transaction by itself when the disk is full or fails: its rows must not be forgotten.
        guard connection.isInTransaction else {
            throw HeadraceError(.unexpected, "SQLite has undone the transaction on \(connection.path)")
        }
    }

    /// Notes that all rows of a writer's epoch are there.
    func settle(_ writer: String) { state.withLock { _ = $0.settled.insert(writer) } }

    /// Commits when every writer has asked for it; until then a writer's rows wait for the others'.
    /// - Parameter isFinal: whether the writer writes nothing more.
    /// - Returns: whether nobody needs the database any more.
    func commit(
        _ writer: String, isFinal: Bool, _ connection: SQLiteConnection, faults: any FaultPoints
    ) throws -> Bool {
        let isLast = try state.withLock { state in
            guard state.writers.isSubset(of: state.settled) else {
                throw HeadraceError(
                    .unsupported, "two loads of one run write to \(connection.path) at once",
                    hint: "let one begin after the other")
            }
            state.committing.insert(writer)
            if isFinal { state.finishing.insert(writer) }
            return state.writers.isSubset(of: state.committing)
        }
        guard isLast else { return false }
        try faults.reach("sqlite.beforeCommit")
        try connection.execute("COMMIT")
        let isUnused = state.withLock { state in
            state.isOpen = false
            state.writers.subtract(state.finishing)
            (state.settled, state.committing, state.finishing) = ([], [], [])
            state.isOver = state.writers.isEmpty
            return state.isOver
        }
        try faults.reach("sqlite.afterCommit")
        return isUnused
    }

    // MARK: - Letting go

    /// Undoes the transaction for all its writers, unless it has been committed, and closes the database when nobody
    /// needs it any more. Does nothing for a writer that has finished.
    func abort(_ writer: String) async {
        let closes = state.withLock { state in
            guard state.writers.remove(writer) != nil else { return state.writers.isEmpty }
            if state.isOpen { state.isUndone = true }
            if state.isOpen || state.writers.isEmpty { state.isOver = true }
            return state.isOver
        }
        if closes { await database.close() }
    }
}
