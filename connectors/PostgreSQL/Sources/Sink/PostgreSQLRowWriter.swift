import HeadraceColumnar
import HeadraceCore

/// Writes encoded batches into a table and tells what became of each row: counted by the server, never taken from the
/// batch. Every batch is a savepoint of the epoch's transaction, so that a row that is refused takes no other with it.
///
/// A clean batch goes in by COPY. The server names the line of a first few refused rows; after those, the COPY leaves out
/// rows that break a check (`PostgreSQLRowWriter+Checks`). What is refused for another reason goes into a stage, where SQL
/// sorts good rows from bad by the table's constraints. What the server refuses even then is halved until single rows are
/// left.
///
/// - Invariant (`@unchecked Sendable`): used inside calls of its session only.
final class PostgreSQLRowWriter: @unchecked Sendable {
    struct Outcome: Sendable {
        var counts = WriteCounts()
        var refusals: [PostgreSQLRefusal] = []
    }

    /// So many refusals of an epoch are found by writing a batch again without the line that the server named.
    static let namedRefusals = 3

    let plan: PostgreSQLTablePlan
    private let time: PostgreSQLLiteral
    private let log: EventLog
    let stages: PostgreSQLStages
    private var refusals = 0
    private var rules: [PostgreSQLRule]?
    /// Whether a COPY that leaves out what breaks a check leaves out what the server refuses.
    var checksTell = true
    /// Whether the last batch had no refusal.
    private var wasClean = true
    /// What the server says to a row that breaks a rule.
    private var words: [String: PostgreSQLFailure] = [:]

    /// - Parameter time: the run's, for a history whose rows are not dated.
    init(_ plan: PostgreSQLTablePlan, time: PostgreSQLLiteral, log: EventLog) {
        self.plan = plan
        self.log = log
        self.time = time
        // The server learns from it that no number is there twice, without which it guesses thousands.
        stages = PostgreSQLStages(isIndexed: plan.mode.isHistory)
    }

    /// Whether rows go into the table by COPY as long as the server takes them all.
    var takesCopy: Bool { !plan.mode.isKeyed && !plan.needsStage }

    /// Prepares for the rows of another transaction.
    func begin() {
        stages.forget()
        refusals = 0
        (rules, words) = (nil, [:])
    }

    /// Writes the rows of a batch; of rows of one key the last in it stands.
    func write(_ rows: PostgreSQLEncodedRows, to connection: PostgreSQLConnection) throws -> Outcome {
        guard rows.count > 0 else { return Outcome() }
        var done: Outcome?
        if takesCopy {
            if refusals < Self.namedRefusals || wasClean { done = try copied(rows, connection) }
            if done == nil { done = try checked(rows, connection) }
        }
        var outcome = try done ?? staged(rows, connection)
        wasClean = outcome.refusals.isEmpty
        refusals += outcome.refusals.count
        outcome.refusals.sort { $0.row < $1.row }
        return outcome
    }

    /// Runs `body` so that a refusal leaves the transaction as it was.
    /// - Returns: why the server refused, nil when it did not.
    ///   With `takesBadSQL` that may be the statement itself.
    func attempt(
        _ connection: PostgreSQLConnection, takesBadSQL: Bool = false, _ body: () throws -> Void
    ) throws -> PostgreSQLFailure? {
        try connection.attempt(log: log, expecting: { $0.isRefusal || $0.stateClass == "42" && takesBadSQL }, body)
    }

    // MARK: - By COPY

    /// Copies the rows into the table, without those whose lines the server names.
    /// - Returns: nil, with nothing written, when it names too many or none.
    private func copied(_ rows: PostgreSQLEncodedRows, _ connection: PostgreSQLConnection) throws -> Outcome? {
        var outcome = Outcome()
        var left: [Int] = []
        while true {
            var stored = 0
            let failure = try attempt(connection) { stored = try copy(rows, without: left, connection) }
            guard let failure else {
                outcome.counts.inserted = stored
                return outcome
            }
            guard let line = failure.copyLine, refusals + left.count < Self.namedRefusals else { return nil }
            // The line counts the rows that were sent.
            var index = line - 1
            for skipped in left where skipped <= index { index += 1 }
            guard rows.ends.indices.contains(index) else { return nil }
            outcome.refusals.append(PostgreSQLRefusal(row: rows.batchRow(index), failure: failure))
            left.append(index)
            left.sort()
        }
    }

    func copy(
        _ rows: PostgreSQLEncodedRows, without left: [Int], _ connection: PostgreSQLConnection
    ) throws -> Int {
        try connection.beginCopyIn(plan.copy)
        try PostgreSQLEncodedRows.header.withUnsafeBytes { try connection.copyIn($0) }
        var start = 0
        for end in left + [rows.count] {
            if start < end { try rows.withBytes(of: start..<end) { try connection.copyIn($0) } }
            start = end + 1
        }
        try PostgreSQLEncodedRows.trailer.withUnsafeBytes { try connection.copyIn($0) }
        return try connection.endCopyIn()
    }

    // MARK: - Through a stage

    private func numbers(
        _ sql: SQL, _ connection: PostgreSQLConnection
    ) throws -> (Int, Int, Int, Int) {
        let found = try connection.first(sql) { row in (0..<4).map { Int(row.integer($0) ?? 0) } }
        guard let found else { throw HeadraceError(.unexpected, "PostgreSQL does not count what it wrote") }
        return (found[0], found[1], found[2], found[3])
    }

    private func staged(_ rows: PostgreSQLEncodedRows, _ connection: PostgreSQLConnection) throws -> Outcome {
        var outcome = Outcome()
        let stage = try stages.fill(plan.columns, rows, in: connection)
        if refusals < Self.namedRefusals, try move(stage, "true", connection, &outcome) == nil { return outcome }
        // Rows of one unique key wait for the first of them, which may be refused for another reason. Every round moves
        // or refuses the first row at least.
        var isOver = false
        while !isOver {
            try sort(stage, by: knownRules(connection), connection, &outcome)
            let waiting = try repeated(in: stage, connection)
            let free: SQL = "\(PostgreSQLStages.row) <> ALL ('\(list(waiting))'::integer[])"
            if let failure = try move(stage, free, connection, &outcome) {
                let all = 0..<rows.batchRow(rows.count - 1) + 1
                try halve(stage, all, refusedWith: failure, free, connection, &outcome)
            }
            isOver = waiting.isEmpty
            if !isOver { try connection.run("DELETE FROM \(stage) WHERE \(free)") }
        }
        return outcome
    }

    private func list(_ rows: [Int]) -> SQL {
        "{\(rows.map { "\($0)" as SQL }.joined(by: ","))}"
    }

    /// Moves the rows that `condition` picks from the stage into the table.
    /// - Returns: why the server refused them all, nil when it took them.
    private func move(
        _ stage: PostgreSQLTableName, _ condition: SQL, _ connection: PostgreSQLConnection, _ outcome: inout Outcome
    ) throws -> PostgreSQLFailure? {
        var counts = WriteCounts()
        var keptOut: [PostgreSQLRefusal] = []
        let failure = try attempt(connection) {
            keptOut = []
            switch plan.mode {
            case .append, .replace:
                counts.inserted = try connection.run(plan.append(from: stage, where: condition))
            case .upsert, .mirror, .insert:
                let (picked, keys, inserted, updated) = try numbers(
                    plan.merge(from: stage, where: condition), connection)
                // A row that a later one of its key follows in the batch has been updated by that one; of rows that are
                // only inserted, the first stands.
                let followed = plan.mode == .insert ? 0 : picked - keys
                counts = WriteCounts(
                    inserted: inserted, updated: updated + followed, unchanged: picked - inserted - updated - followed)
                keptOut = try self.keptOut(of: stage, condition, &counts, connection)
            case .history(let columns):
                let history = PostgreSQLHistory(plan, columns, time: time)
                counts = try history.move(from: stage, where: condition, in: connection)
            }
        }
        if failure == nil {
            outcome.counts = outcome.counts + counts
            outcome.refusals += keptOut
        }
        return failure
    }

    /// The rows that a trigger kept out of the table: they are no rows that were there already. Where a trigger gives rows
    /// other keys, nobody can tell, and the counts stay.
    private func keptOut(
        of stage: PostgreSQLTableName, _ condition: SQL, _ counts: inout WriteCounts, _ connection: PostgreSQLConnection
    ) throws -> [PostgreSQLRefusal] {
        guard plan.hasTriggers, counts.unchanged > 0 else { return [] }
        var keys = 0
        let rows = try connection.rows(plan.keptOut(from: stage, where: condition)) { row in
            keys = max(keys, Int(row.integer(1) ?? 0))
            return Int(row.integer(0) ?? -1)
        }
        // Of an upsert's rows of one key all but the last have been counted as updated by the one that follows.
        let followed = plan.mode == .insert ? 0 : rows.count - keys
        guard rows.count - followed <= counts.unchanged, followed <= counts.updated else { return [] }
        counts.unchanged -= rows.count - followed
        counts.updated -= followed
        let failure = PostgreSQLFailure(state: "P0000", message: "a trigger of table \(plan.table) kept the row out")
        return rows.map { PostgreSQLRefusal(row: $0, failure: failure) }
    }

    /// The constraints of the table that SQL can tell.
    func knownRules(_ connection: PostgreSQLConnection) throws -> [PostgreSQLRule] {
        if let rules { return rules }
        let found = try PostgreSQLRule.all(of: plan, in: connection)
        rules = found
        return found
    }

    /// Refuses the rows of the stage that break a rule, and takes them out of it.
    func sort(
        _ stage: PostgreSQLTableName, by rules: [PostgreSQLRule], _ connection: PostgreSQLConnection,
        _ outcome: inout Outcome
    ) throws {
        for rule in rules {
            var rows: [Int] = []
            // An expression that a stage's plain columns do not suit is left to the server.
            let problem = try attempt(connection, takesBadSQL: true) {
                rows = try connection.rows(
                    "SELECT s.\(PostgreSQLStages.row) FROM \(stage) s WHERE \(rule.violation) ORDER BY 1"
                ) { Int($0.integer(0) ?? -1) }
            }
            guard problem == nil, let first = rows.first else {
                if problem != nil { self.rules?.removeAll { $0.name == rule.name } }
                continue
            }
            guard let failure = try words(for: rule, row: first, of: stage, connection) else { continue }
            outcome.refusals += rows.map { PostgreSQLRefusal(row: $0, failure: failure) }
            try connection.run(
                "DELETE FROM \(stage) WHERE \(PostgreSQLStages.row) = ANY ($1::integer[])", [list(rows).text])
        }
    }

    /// What the server says to a row that breaks a rule. Where it takes the row after all, because a trigger or a default
    /// changes it, the rule is not used any more.
    private func words(
        for rule: PostgreSQLRule, row: Int, of stage: PostgreSQLTableName, _ connection: PostgreSQLConnection
    ) throws -> PostgreSQLFailure? {
        if let known = words[rule.name] { return known }
        try connection.script("SAVEPOINT headrace_probe")
        var ignored = Outcome()
        let said = try move(stage, "\(PostgreSQLStages.row) = \(row)", connection, &ignored)
        try connection.script("ROLLBACK TO SAVEPOINT headrace_probe; RELEASE SAVEPOINT headrace_probe")
        words[rule.name] = said
        if said == nil { rules?.removeAll { $0.name == rule.name } }
        return said
    }

    /// The rows of the stage that have a unique key of an earlier row.
    private func repeated(in stage: PostgreSQLTableName, _ connection: PostgreSQLConnection) throws -> [Int] {
        var found: Set<Int> = []
        for rule in rules ?? [] where !rule.unique.isEmpty {
            let there = rule.unique.map { "\($0) IS NOT NULL" as SQL }.joined(by: " AND ")
            let rows = try connection.rows(
                """
                SELECT n.number FROM (SELECT \(PostgreSQLStages.row) AS number,
                    row_number() OVER (PARTITION BY \(rule.unique) ORDER BY \(PostgreSQLStages.row)) AS place
                    FROM \(stage) WHERE \(there)) n WHERE n.place > 1
                """
            ) { Int($0.integer(0) ?? -1) }
            found.formUnion(rows)
        }
        return found.sorted()
    }

    /// Moves the rows of a range that was refused in halves, until those that the server refuses stand alone.
    private func halve(
        _ stage: PostgreSQLTableName, _ range: Range<Int>, refusedWith failure: PostgreSQLFailure, _ condition: SQL,
        _ connection: PostgreSQLConnection, _ outcome: inout Outcome
    ) throws {
        guard range.count > 1 else {
            outcome.refusals.append(PostgreSQLRefusal(row: range.lowerBound, failure: failure))
            return
        }
        let middle = range.lowerBound + range.count / 2
        for half in [range.lowerBound..<middle, middle..<range.upperBound] {
            let picked: SQL =
                "\(condition) AND \(PostgreSQLStages.row) >= \(half.lowerBound) AND \(PostgreSQLStages.row) < \(half.upperBound)"
            guard let failure = try move(stage, picked, connection, &outcome) else { continue }
            try halve(stage, half, refusedWith: failure, condition, connection, &outcome)
        }
    }
}
