import HeadraceColumnar
import HeadraceCore

/// Writes batch after batch by one `LOAD DATA LOCAL`, which the server works on while later ones are encoded: with one for each
/// batch it would wait for the client a fifth of the time.
///
/// The batches stay in hand until the statement has ended. When the server has altered or skipped one of their rows, all are
/// undone and written again one by one, by `MySQLRowLoader`, which finds the row; so are all later ones of the epoch.
///
/// - Invariant (`@unchecked Sendable`): used inside calls of its session only, `giveUp` after the last of them.
final class MySQLLoadSpan: @unchecked Sendable {
    /// So many bytes go into one statement, about.
    static let byteLimit = 4 << 20
    private static let point = MySQLName(known: "headrace_span")

    /// What became of batches that are not in hand any more.
    struct Outcome: Sendable {
        var stored = 0
        var rejects: [Reject] = []
    }

    private let plan: MySQLTablePlan
    private let loader: MySQLRowLoader
    private let byFile: Bool
    private let isAllowed: Bool
    /// Off once the server has altered or skipped a row of the epoch.
    private var isOn: Bool
    private var batches: [MySQLEncodedBatch] = []
    private var byteCount = 0
    private var load: MySQLInfileLoad?

    /// - Parameter hasTimeout: whether the server ends statements that take long. A load that waits for the source's next
    ///   batch would be one, so that each batch has its own then.
    init(_ plan: MySQLTablePlan, byFile: Bool, hasTimeout: Bool) {
        self.plan = plan
        self.byFile = byFile
        loader = MySQLRowLoader(plan, into: plan.into)
        isAllowed = byFile && !hasTimeout
        isOn = isAllowed
    }

    /// Prepares for the rows of another transaction.
    func begin() { isOn = isAllowed }

    /// Takes the rows of a batch, whose own rejects are not looked at.
    func write(_ batch: MySQLEncodedBatch, to connection: MySQLConnection) throws -> Outcome {
        guard batch.count > 0 else { return Outcome() }
        guard isOn else { return try alone(batch, connection) }
        let load: MySQLInfileLoad
        if let open = self.load {
            load = open
        } else {
            try connection.execute("SAVEPOINT \(Self.point)")
            load = MySQLInfileLoad(loader.loadSQL, on: connection)
            self.load = load
        }
        batches.append(batch)
        byteCount += batch.lines.count
        load.add(batch.lines[...])
        return byteCount < Self.byteLimit && !load.hasEnded ? Outcome() : try end(connection)
    }

    /// Ends the statement that is open, if one is.
    func end(_ connection: MySQLConnection) throws -> Outcome {
        guard let load else { return Outcome() }
        let inHand = batches
        (self.load, batches, byteCount) = (nil, [], 0)
        do {
            let stored = try load.end()
            if connection.warningCount == 0, stored == inHand.reduce(0, { $0 + $1.count }) {
                try connection.execute("RELEASE SAVEPOINT \(Self.point)")
                return Outcome(stored: stored)
            }
        } catch {
            guard error.isAboutRows else { throw error }
        }
        try connection.execute("ROLLBACK TO SAVEPOINT \(Self.point)")
        isOn = false
        var outcome = Outcome()
        for batch in inHand {
            let found = try alone(batch, connection)
            outcome.stored += found.stored
            outcome.rejects += found.rejects
        }
        return outcome
    }

    /// Ends the connection where a statement is open on it.
    func giveUp() {
        load?.giveUp()
        load = nil
    }

    private func alone(_ batch: MySQLEncodedBatch, _ connection: MySQLConnection) throws -> Outcome {
        let (stored, refusals) = try loader.store(batch, byFile: byFile, in: connection)
        return Outcome(stored: stored, rejects: refusals.map { $0.reject(of: batch, plan: plan) })
    }
}
