import HeadraceColumnar
import HeadraceCore

/// Writes batch after batch by one COPY: a COPY of its own for each would cost the server a quarter more, and a wait.
///
/// The batches stay in hand until the COPY has ended. When the server refuses one of their rows, it stores none, and they
/// are written again one by one, by `PostgreSQLRowWriter`, which finds the row; so are all later ones of the epoch.
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
    /// Off once a row of the epoch was refused.
    private var isOn: Bool

    /// - Parameter hasTimeout: whether the server ends statements that take long. A COPY that waits for the source's next
    ///   batch would be one, so that each batch has its own then.
    init(_ plan: PostgreSQLTablePlan, _ rowWriter: PostgreSQLRowWriter, hasTimeout: Bool) {
        self.plan = plan
        self.rowWriter = rowWriter
        isAllowed = !hasTimeout && rowWriter.takesCopy
        isOn = isAllowed
    }

    /// What became of batches that are not in hand any more.
    struct Outcome: Sendable {
        var counts = WriteCounts()
        var rejects: [Reject] = []
    }

    /// Prepares for the rows of another transaction.
    func begin() {
        isOn = isAllowed
        batches = []
        byteCount = 0
        rowWriter.begin()
    }

    /// Takes the rows of a batch, whose own rejects are not looked at.
    func write(_ batch: PostgreSQLEncodedBatch, to connection: PostgreSQLConnection) throws -> Outcome {
        guard let rows = batch.rows, rows.count > 0 else { return Outcome() }
        guard isOn else { return try alone(batch, rows, connection) }
        if batches.isEmpty {
            try connection.script("SAVEPOINT headrace_span")
            try connection.beginCopyIn(plan.copy)
            try PostgreSQLEncodedRows.header.withUnsafeBytes { try connection.copyIn($0) }
        }
        batches.append(batch)
        try rows.withBytes(of: 0..<rows.count) { bytes in
            byteCount += bytes.count
            try connection.copyIn(bytes)
        }
        return byteCount < Self.byteLimit ? Outcome() : try end(connection)
    }

    /// Ends the COPY that is open, if one is.
    func end(_ connection: PostgreSQLConnection) throws -> Outcome {
        guard !batches.isEmpty else { return Outcome() }
        defer {
            batches = []
            byteCount = 0
        }
        var outcome = Outcome()
        do {
            try PostgreSQLEncodedRows.trailer.withUnsafeBytes { try connection.copyIn($0) }
            outcome.counts.inserted = try connection.endCopyIn()
            try connection.script("RELEASE SAVEPOINT headrace_span")
            return outcome
        } catch let failure as PostgreSQLFailure where failure.isRefusal {
            try connection.script("ROLLBACK TO SAVEPOINT headrace_span; RELEASE SAVEPOINT headrace_span")
        }
        isOn = false
        for batch in batches {
            guard let rows = batch.rows else { continue }
            let found = try alone(batch, rows, connection)
            outcome.counts = outcome.counts + found.counts
            outcome.rejects += found.rejects
        }
        return outcome
    }

    private func alone(
        _ batch: PostgreSQLEncodedBatch, _ rows: PostgreSQLEncodedRows, _ connection: PostgreSQLConnection
    ) throws -> Outcome {
        let found = try rowWriter.write(rows, to: connection)
        return Outcome(counts: found.counts, rejects: found.refusals.map { $0.reject(of: batch.batch, plan: plan) })
    }
}
