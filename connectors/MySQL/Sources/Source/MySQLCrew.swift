import HeadraceCore
import Synchronization

/// The connections of one reader, which end together and stop when the run is asked to.
final class MySQLCrew: Sendable {
    let configuration: MySQLConfiguration
    private let cancellation: Cancellation
    private let known = Mutex<[(interrupter: MySQLInterrupter, key: Int)]>([])

    init(_ configuration: MySQLConfiguration, _ cancellation: Cancellation) {
        self.configuration = configuration
        self.cancellation = cancellation
    }

    /// A connection on the calling thread, which may block; the reader's thread takes it over.
    func connect() throws -> MySQLMember {
        try cancellation.check()
        let interrupter = MySQLInterrupter()
        let key = cancellation.onCancel { interrupter.interrupt() }
        known.withLock { $0.append((interrupter, key)) }
        return MySQLMember(
            connection: try MySQLConnection(configuration, interrupter: interrupter), interrupter: interrupter)
    }

    /// Makes every call on every connection fail at once.
    func interrupt() {
        for member in known.withLock({ $0 }) { member.interrupter.interrupt() }
    }

    /// Forgets the connections, which close with their last use.
    func release() {
        let all = known.withLock { known in
            defer { known = [] }
            return known
        }
        for member in all { cancellation.remove(member.key) }
    }

    /// What a call on a connection failed with, `cancelled` where it was interrupted; the server stops too then.
    func error(_ error: any Error, on member: MySQLMember) -> any Error {
        if member.interrupter.isInterrupted {
            // The server may still be at work on a statement that nobody waits for.
            member.connection.killOnServer()
            return HeadraceError.cancelled
        }
        return (error as? MySQLFailure)?.error ?? error
    }
}

/// One connection of a crew.
///
/// - Invariant (`@unchecked Sendable`): one thread at a time uses the connection: the one that opens the reader, then
///   the one that reads.
struct MySQLMember: @unchecked Sendable {
    let connection: MySQLConnection
    let interrupter: MySQLInterrupter
}

/// Connections that see one moment of the database.
struct MySQLOpened: Sendable {
    let members: [MySQLMember]

    /// Makes one connection or several see one moment.
    ///
    /// Several begin while no transaction can commit rows of the table: under `LOCK TABLES … READ`, or `FLUSH TABLES WITH READ LOCK`
    /// where that is not granted or other transactions are slow to end. Where neither is to be had one connection reads
    /// all parts.
    /// - Parameter leader: a connection that is in no transaction and is used up.
    static func begin(
        _ leader: MySQLMember, _ table: MySQLTable, count: Int, _ crew: MySQLCrew, _ log: EventLog
    ) throws -> MySQLOpened {
        guard count > 1 else {
            try begin(leader.connection)
            return MySQLOpened(members: [leader])
        }
        guard table.engine == "InnoDB" else {
            log.info("table \(table.name.text) is read over one connection: \(table.engine) has no snapshots")
            try begin(leader.connection)
            return MySQLOpened(members: [leader])
        }
        let members = try (0..<count).map { _ in try crew.connect() }
        guard let failure = try lock(table, leader.connection) else {
            do { for member in members { try begin(member.connection) } } catch {
                unlock(leader.connection)
                throw error
            }
            unlock(leader.connection)
            return MySQLOpened(members: members)
        }
        log.info(
            """
            table \(table.name.text) is read over one connection: several see one moment only under a short lock, and the \
            server refuses it (grant LOCK TABLES on the database, or RELOAD): \(failure.message)
            """)
        try begin(leader.connection)
        return MySQLOpened(members: [leader])
    }

    /// All that is read from here on is of one moment.
    static func begin(_ connection: MySQLConnection) throws {
        try connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    }

    /// Holds commits to the table back; nil where that worked.
    private static func lock(_ table: MySQLTable, _ connection: MySQLConnection) throws -> MySQLFailure? {
        var last: MySQLFailure?
        // Whoever wants to write waits as long as the lock is waited for.
        let ways: [(sql: SQL, seconds: Int)] = [
            ("LOCK TABLES \(table.name) READ", 1), ("FLUSH TABLES WITH READ LOCK", 3),
        ]
        for way in ways {
            do {
                try connection.execute("SET SESSION lock_wait_timeout = \(way.seconds)")
                try connection.execute(way.sql)
                return nil
            } catch {
                if error.isConnectionLoss { throw error }
                last = error
            }
        }
        return last
    }

    private static func unlock(_ connection: MySQLConnection) { _ = try? connection.execute("UNLOCK TABLES") }
}
