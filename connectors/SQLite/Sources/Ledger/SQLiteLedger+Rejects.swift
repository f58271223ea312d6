public import HeadraceCore

extension SQLiteLedger {
    public func add(_ rejects: [Reject], run: String, epoch: Int) async throws {
        if rejects.isEmpty { return }
        try await database.use { connection in
            try connection.transaction {
                for reject in rejects {
                    try connection.run(
                        """
                        INSERT INTO rejects (run, epoch, step, rule, code, field, value, message, source, file, line,
                            byte_offset, source_row, original, row, state, is_committed)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)
                        """,
                        [
                            .text(run), SQLiteValue(epoch), .text(reject.step), .text(reject.rule), .text(reject.code),
                            SQLiteValue(reject.field), SQLiteValue(reject.value), .text(reject.message),
                            .text(reject.place.source), SQLiteValue(reject.place.file), SQLiteValue(reject.place.line),
                            SQLiteValue(reject.place.byteOffset), SQLiteValue(reject.place.row),
                            SQLiteValue(reject.original), SQLiteValue(reject.row), SQLiteValue(epoch == 0 ? 1 : 0),
                        ])
                }
            }
        }
    }

    public func rejects(of run: String, after: Int64, limit: Int) async throws -> [RejectRecord] {
        try await database.use { connection in
            try connection.rows(
                """
                SELECT number, run, step, rule, code, field, value, message, source, file, line, byte_offset,
                    source_row, original, row, state, replayed_by, is_committed
                FROM rejects WHERE \(Self.isListed) AND number > ?2 ORDER BY number LIMIT ?3
                """, [.text(run), .integer(after), SQLiteValue(max(0, limit))], Self.rejectRecord)
        }
    }

    private static func rejectRecord(_ row: SQLiteStatement) -> RejectRecord {
        let place = Place(
            source: row.text(8) ?? "", file: row.text(9), line: row.optionalInteger(10).map { Int($0) },
            byteOffset: row.optionalInteger(11).map { Int($0) }, row: Int(row.integer(12)))
        let reject = Reject(
            rule: row.text(3) ?? "", code: row.text(4) ?? "", field: row.text(5), value: row.text(6),
            message: row.text(7) ?? "", place: place, original: row.blob(13), row: row.text(14), step: row.text(2) ?? ""
        )
        let state: RejectState =
            switch row.text(15) {
            case "replayed": .replayed(run: row.text(16) ?? "")
            case "discarded": .discarded
            default: .open
            }
        return RejectRecord(
            number: row.integer(0), run: row.text(1) ?? "", reject: reject, state: state,
            isCommitted: row.integer(17) != 0)
    }

    public func rejectSummary(of run: String) async throws -> [(step: String, rule: String, code: String, count: Int)] {
        try await database.use { connection in
            try connection.rows(
                """
                SELECT step, rule, code, count(*) FROM rejects WHERE \(Self.isListed) GROUP BY step, rule, code
                ORDER BY step, rule, code
                """, [.text(run)]
            ) { ($0.text(0) ?? "", $0.text(1) ?? "", $0.text(2) ?? "", Int($0.integer(3))) }
        }
    }

    public func mark(_ rejects: [Int64], as state: RejectState) async throws {
        let (word, run): (String, String?) =
            switch state {
            case .open: ("open", nil)
            case .replayed(let run): ("replayed", run)
            case .discarded: ("discarded", nil)
            }
        try await database.use { connection in
            try connection.transaction {
                for number in rejects {
                    try connection.run(
                        "UPDATE rejects SET state = ?, replayed_by = ? WHERE number = ?",
                        [.text(word), SQLiteValue(run), .integer(number)])
                }
            }
        }
    }

    /// Whether a reject is listed under run `?1`: its own, or one of a run that it goes on after.
    private static var isListed: String {
        """
        rejects.run IN (SELECT ?1 UNION SELECT earlier FROM adoptions WHERE run = ?1) AND (rejects.run = ?1 OR EXISTS (
            SELECT 1 FROM adoptions AS a WHERE a.run = ?1 AND a.earlier = rejects.run
                AND rejects.epoch BETWEEN 1 AND a.epoch AND \(isInSteps("a.steps"))))
        """
    }
}
