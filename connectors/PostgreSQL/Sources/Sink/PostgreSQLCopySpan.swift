import HeadraceColumnar
import HeadraceCore

/// Writes batch after batch by one COPY: a COPY of its own for each would cost the server a quarter more, and a wait.
///
/// The batches stay in hand until the COPY has ended. When the server refuses one of their rows, it stores none. Then those that
/// break a check are found together, and so are those of the batches that follow, until a COPY's worth of them has none.
/// What is refused for another reason is found batch by batch, by `PostgreSQLRowWriter`; so is all that follows in the epoch.
///
/// - Invariant (`@unchecked Sendable`): used inside calls of its session only.
final class PostgreSQLCopySpan: @unchecked Sendable {
    /// So many bytes go into one COPY, about.
    static let byteLimit = 4 << 20

    private let plan: PostgreSQLTablePlan
    private let rowWriter: PostgreSQLRowWriter
    private var batches: [PostgreSQLEncodedBatch] = []
    private var byteCount = 0
    private let isAllowed: Bool
    /// Off while rows are refused.
    private var isOn: Bool
    /// Whether every batch of the epoch is written alone from now on.
    private var isAlone: Bool

    /// - Parameter hasTimeout: whether the server ends statements that take long. A COPY that waits for the source's next
    ///   batch would be one, so that each batch has its own then.
    init(_ plan: PostgreSQLTablePlan, _ rowWriter: PostgreSQLRowWriter, hasTimeout: Bool) {
        self.plan = plan
        self.rowWriter = rowWriter
        isAllowed = !hasTimeout && rowWriter.takesCopy
        isOn = isAllowed
        isAlone = !isAllowed
    }

    /// What became of batches that are not in hand any more.
    struct Outcome: Sendable {
        var counts = WriteCounts()
        var rejects: [Reject] = []
    }

    /// Prepares for the rows of another transaction.
    func begin() {
        isOn = isAllowed
        isAlone = !isAllowed
        batches = []
        byteCount = 0
        rowWriter.begin()
    }

    /// Takes the rows of a batch, whose own rejects are not looked at.
    func write(_ batch: PostgreSQLEncodedBatch, to connection: PostgreSQLConnection) throws -> Outcome {
        guard let rows = batch.rows, rows.count > 0 else { return Outcome() }
        guard !isAlone else { return try alone(batch, rows, connection) }
        if isOn, batches.isEmpty {
            try connection.script("SAVEPOINT headrace_span")
            try connection.beginCopyIn(plan.copy)
            try PostgreSQLEncodedRows.header.withUnsafeBytes { try connection.copyIn($0) }
        }
        batches.append(batch)
        try rows.withBytes(of: 0..<rows.count) { bytes in
            byteCount += bytes.count
            if isOn { try connection.copyIn(bytes) }
        }
        return byteCount < Self.byteLimit ? Outcome() : try end(connection)
    }

    /// Writes what is in hand, and ends the COPY where one is open.
    func end(_ connection: PostgreSQLConnection) throws -> Outcome {
        guard !batches.isEmpty else { return Outcome() }
        let inHand = batches
        (batches, byteCount) = ([], 0)
        if isOn, let outcome = try endCopy(connection) { return outcome }
        if let outcome = try together(inHand, connection) { return outcome }
        isAlone = true
        var outcome = Outcome()
        for batch in inHand {
            guard let rows = batch.rows else { continue }
            let found = try alone(batch, rows, connection)
            outcome.counts = outcome.counts + found.counts
            outcome.rejects += found.rejects
        }
        return outcome
    }

    /// Ends the open COPY.
    /// - Returns: nil, with nothing written, when the server refuses a row.
    private func endCopy(_ connection: PostgreSQLConnection) throws -> Outcome? {
        do {
            var outcome = Outcome()
            try PostgreSQLEncodedRows.trailer.withUnsafeBytes { try connection.copyIn($0) }
            outcome.counts.inserted = try connection.endCopyIn()
            try connection.script("RELEASE SAVEPOINT headrace_span")
            return outcome
        } catch let failure as PostgreSQLFailure where failure.isRefusal {
            try connection.script("ROLLBACK TO SAVEPOINT headrace_span; RELEASE SAVEPOINT headrace_span")
            return nil
        }
    }

    /// Writes the rows of several batches but for those that break a check.
    /// - Returns: nil, with nothing written, when checks do not tell which rows are refused.
    private func together(
        _ inHand: [PostgreSQLEncodedBatch], _ connection: PostgreSQLConnection
    ) throws -> Outcome? {
        let pieces = inHand.compactMap(\.rows)
        guard let found = try rowWriter.checked(.joined(pieces), connection) else { return nil }
        isOn = found.refusals.isEmpty
        var (piece, first) = (0, 0)
        let rejects = found.refusals.sorted { $0.row < $1.row }.map { refusal in
            while refusal.row - first >= pieces[piece].count {
                first += pieces[piece].count
                piece += 1
            }
            let own = PostgreSQLRefusal(row: pieces[piece].batchRow(refusal.row - first), failure: refusal.failure)
            return own.reject(of: inHand[piece].batch, plan: plan)
        }
        return Outcome(counts: found.counts, rejects: rejects)
    }

    private func alone(
        _ batch: PostgreSQLEncodedBatch, _ rows: PostgreSQLEncodedRows, _ connection: PostgreSQLConnection
    ) throws -> Outcome {
        let found = try rowWriter.write(rows, to: connection)
        return Outcome(counts: found.counts, rejects: found.refusals.map { $0.reject(of: batch.batch, plan: plan) })
    }
}
