import HeadraceColumnar
import HeadraceCore

/// A row that the server refused, in its own words.
struct MySQLRefusal: Sendable {
    let line: Int
    let number: UInt32
    let message: String

    private var code: String {
        switch number {
        case 1048, 1263, 1364: "missing"
        case 1062, 1169, 1586: "notUnique"
        case 1216, 1217, 1451, 1452: "foreignKey"
        case 3819, 4025, 1369: "check"
        case 1644: "trigger"
        case 1264, 1690: "outOfRange"
        case 1406: "tooLong"
        default: "doesNotFit"
        }
    }

    func reject(of batch: MySQLEncodedBatch, plan: MySQLTablePlan) -> Reject {
        // "Out of range value for column 'n' at row 1", "Incorrect string value: … for column `shop`.`t`.`n` at row 1".
        let column = plan.columns.firstIndex { name in
            message.contains("column '\(name.text)'") || message.contains(".\(name.quoted) at row")
        }
        return batch.batch.reject(
            row: batch.rows[line], rule: "table \(plan.table.text)", code: code,
            field: column.map { batch.batch.records.schema.fields[plan.fields[$0]].name }, message: message)
    }
}

/// Stores encoded rows in a table: by `LOAD DATA LOCAL` from memory where the server takes it, else by prepared inserts of many
/// rows.
///
/// `LOAD DATA LOCAL` alters what does not fit and skips what it may not store, with a warning only. So a load that altered rows is
/// undone; the rows that it warned of are tried one by one, strictly, and the others loaded again. One that only skipped
/// rows stands, once each of them is refused again: to undo it and load the others again takes many times as long.
struct MySQLRowLoader: Sendable {
    let loadSQL: SQL
    private let table: MySQLName
    private let columns: [MySQLName]
    private let marks: [SQL]

    init(_ plan: MySQLTablePlan, into table: MySQLName) {
        self.table = table
        let stageColumns = plan.isStaged ? [MySQLMerger.row] : []
        let forms: [MySQLColumnEncoder.Form] = stageColumns.map { _ in .plain } + plan.encoders.map(\.form)
        columns = stageColumns + plan.columns
        marks = forms.map { form in
            switch form {
            case .plain: "?"
            case .hexadecimal: "UNHEX(?)"
            case .number: "CAST(? AS UNSIGNED)"
            }
        }
        var targets: [SQL] = []
        var assignments: [SQL] = []
        for (index, (column, form)) in zip(columns, forms).enumerated() {
            switch form {
            case .plain:
                targets.append("\(column)")
                continue
            case .hexadecimal: assignments.append("\(column) = UNHEX(@v\(index))")
            case .number: assignments.append("\(column) = CAST(@v\(index) AS UNSIGNED)")
            }
            targets.append("@v\(index)")
        }
        let set: SQL = assignments.isEmpty ? "" : " SET \(assignments)"
        loadSQL = """
            LOAD DATA LOCAL INFILE 'headrace' INTO TABLE \(table) CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' \
            ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' (\(targets))\(set)
            """
    }

    private static let point = MySQLName(known: "headrace_load")

    /// Stores lines of a batch in order.
    /// - Returns: how many the server stored, and those that it refused.
    func store(
        _ batch: MySQLEncodedBatch, byFile: Bool, in connection: MySQLConnection
    ) throws -> (stored: Int, refusals: [MySQLRefusal]) {
        var refusals: [MySQLRefusal] = []
        let lines = Array(0..<batch.count)
        guard !lines.isEmpty else { return (0, []) }
        let stored =
            byFile
            ? try load(batch, lines, round: 0, &refusals, connection) : try insert(batch, lines, &refusals, connection)
        return (stored, refusals.sorted { $0.line < $1.line })
    }

    // MARK: - From memory

    private func load(
        _ batch: MySQLEncodedBatch, _ lines: [Int], round: Int, _ refusals: inout [MySQLRefusal],
        _ connection: MySQLConnection
    ) throws -> Int {
        guard !lines.isEmpty else { return 0 }
        try connection.execute("SAVEPOINT \(Self.point)")
        var suspects: [Int]?
        let known = refusals.count
        do {
            let file = MySQLInfile()
            for range in batch.pieces(of: lines) { file.add(batch.lines[range]) }
            file.end()
            let stored = try connection.load(loadSQL, file)
            if connection.warningCount == 0, stored == lines.count {
                try connection.execute("RELEASE SAVEPOINT \(Self.point)")
                return stored
            }
            let warned = try warned(of: lines, connection)
            if let warned, warned.isOnlySkipped, stored + warned.lines.count == lines.count,
                try refuses(batch, warned.skipped, &refusals, connection)
            {
                try connection.execute("RELEASE SAVEPOINT \(Self.point)")
                return stored
            }
            suspects = warned?.lines
        } catch let failure as MySQLFailure where failure.isAboutRows {
            suspects = nil
        }
        try connection.execute("ROLLBACK TO SAVEPOINT \(Self.point)")
        refusals.removeSubrange(known...)
        guard let suspects, !suspects.isEmpty, suspects.count * 2 < lines.count, round < 3 else {
            return try insert(batch, lines, &refusals, connection)
        }
        let suspected = Set(suspects)
        let rest = try load(batch, lines.filter { !suspected.contains($0) }, round: round + 1, &refusals, connection)
        // The server's word is not taken for which row it was: each is tried alone, and stored when nothing is wrong with it.
        return try rest + insert(batch, suspects, rowsPerStatement: 1, &refusals, connection)
    }

    /// Whether the server refuses each line when it is alone, in the words in which it warned of it; adds them. Where it
    /// takes one or says something else, nothing that it has said of any is sure.
    private func refuses(
        _ batch: MySQLEncodedBatch, _ skipped: [Int: String], _ refusals: inout [MySQLRefusal],
        _ connection: MySQLConnection
    ) throws -> Bool {
        let sql: SQL = "INSERT INTO \(table) (\(columns)) VALUES (\(marks))"
        for (line, message) in skipped {
            guard case .failure(let failure) = Self.run(sql, batch.values(of: line), connection) else { return false }
            guard failure.isAboutRows else { throw failure }
            guard failure.message == message else { return false }
            refusals.append(MySQLRefusal(line: line, number: failure.number, message: failure.message))
        }
        return true
    }

    /// What the last load warned of.
    private struct Warned {
        /// The lines to try alone. Rows that were altered come before rows that were skipped: what was altered may be why
        /// another was skipped.
        var lines: [Int]
        /// What was said of the lines that were skipped.
        var skipped: [Int: String]
        /// Whether no row was altered, and each that was skipped has one warning.
        var isOnlySkipped: Bool
    }

    /// What the last load warned of; nil where the server does not say.
    private func warned(of lines: [Int], _ connection: MySQLConnection) throws -> Warned? {
        guard connection.isMariaDB, connection.knowsRowNumbers else { return nil }
        let count = connection.warningCount
        _ = try connection.execute(
            """
            BEGIN NOT ATOMIC
              DECLARE i, n, r, e INT DEFAULT 0;
              DECLARE t, m LONGTEXT DEFAULT '';
              GET DIAGNOSTICS n = NUMBER;
              WHILE i < n DO
                SET i = i + 1;
                GET DIAGNOSTICS CONDITION i r = ROW_NUMBER, e = MYSQL_ERRNO, m = MESSAGE_TEXT;
                SET t = CONCAT(t, e, ' ', r, ' ', m, '\\0');
              END WHILE;
              SET @headrace_warned = t;
            END
            """)
        guard let text = try connection.rows("SELECT @headrace_warned").first?[0] else { return nil }
        var altered: Set<Int> = []
        var skipped: [Int: String] = [:]
        // The server does not count the rows that a check made it skip.
        var uncounted = 0
        for item in text.split(separator: "\0") {
            let parts = item.split(separator: " ", maxSplits: 2)
            guard parts.count == 3, let number = Int(parts[0]), let row = Int(parts[1]) else { return nil }
            guard row >= 1, row + uncounted <= lines.count else { return nil }
            let line = lines[row + uncounted - 1]
            if [1062, 1452, 4025, 1369, 1586].contains(number) {
                skipped[line] = String(parts[2])
                if number == 4025 || number == 1369 { uncounted += 1 }
            } else {
                altered.insert(line)
            }
        }
        return Warned(
            lines: altered.isEmpty ? skipped.keys.sorted() : altered.sorted(), skipped: skipped,
            isOnlySkipped: altered.isEmpty && skipped.count == count)
    }

    // MARK: - By inserts

    private func insert(
        _ batch: MySQLEncodedBatch, _ lines: [Int], rowsPerStatement: Int? = nil, _ refusals: inout [MySQLRefusal],
        _ connection: MySQLConnection
    ) throws -> Int {
        let size = max(1, min(rowsPerStatement ?? 64, 60_000 / max(1, columns.count)))
        var stored = 0
        var next = 0
        while next < lines.count {
            let piece = Array(lines[next..<min(next + size, lines.count)])
            next += piece.count
            if let failure = try insertTogether(batch, piece, &stored, connection) {
                guard piece.count > 1 else {
                    refusals.append(MySQLRefusal(line: piece[0], number: failure.number, message: failure.message))
                    continue
                }
                for line in piece {
                    if let failure = try insertTogether(batch, [line], &stored, connection) {
                        refusals.append(MySQLRefusal(line: line, number: failure.number, message: failure.message))
                    }
                }
            }
        }
        return stored
    }

    /// Inserts lines with one statement.
    /// - Returns: why the server refused them, and then none is stored.
    private func insertTogether(
        _ batch: MySQLEncodedBatch, _ lines: [Int], _ stored: inout Int, _ connection: MySQLConnection
    ) throws -> MySQLFailure? {
        let row: SQL = "(\(marks))"
        let sql: SQL = "INSERT INTO \(table) (\(columns)) VALUES \(lines.map { _ in row })"
        try connection.execute("SAVEPOINT \(Self.point)")
        let failure: MySQLFailure
        switch Self.run(sql, lines.flatMap { batch.values(of: $0) }, connection) {
        case .success((let count, warnings: 0)):
            stored += count
            return nil
        case .success:
            let warning = try connection.warnings().first
            failure = MySQLFailure(
                number: warning?.number ?? 1265, state: "01000",
                message: warning?.message ?? "the server would alter the row")
        case .failure(let found):
            guard found.isAboutRows else { throw found }
            failure = found
        }
        try connection.execute("ROLLBACK TO SAVEPOINT \(Self.point)")
        return failure
    }

    private static func run(
        _ sql: SQL, _ values: [[UInt8]?], _ connection: MySQLConnection
    ) -> Result<(count: Int, warnings: Int), MySQLFailure> {
        Result { () throws(MySQLFailure) in
            let statement = try connection.prepared(sql)
            let count = try statement.run(texts: values)
            return (count, statement.warningCount)
        }
    }
}
