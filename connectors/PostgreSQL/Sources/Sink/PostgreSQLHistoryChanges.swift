import HeadraceCore

/// What rows make of the versions of a table, as the server takes it.
struct PostgreSQLHistoryChanges {
    private(set) var batch = HistoryBatch()
    /// Where versions lie: part and place.
    private var places: [(part: String, place: String)] = []
    /// Times by their rank.
    private var times: [Int: String] = [:]

    /// Takes a row of what `PostgreSQLHistory.look` finds.
    mutating func see(_ found: borrowing PostgreSQLRow) {
        func number(_ column: Int) -> Int? { found.integer(column).map { Int($0) } }
        let (key, value, from) = (number(3) ?? 0, number(4) ?? 0, number(5) ?? 0)
        times[from] = found.text(7)
        if let row = number(0) { return batch.add(row: row, key: key, value: value, at: from) }
        let until = number(6)
        if let until { times[until] = found.text(8) }
        batch.add(version: places.count, key: key, value: value, from: from, until: until)
        places.append((found.text(1) ?? "", found.text(2) ?? ""))
    }

    /// Reckons what comes of the last key's rows.
    mutating func finish() { batch.finish() }

    /// The values of the statement that writes all this.
    var parameters: [String?] {
        func array<Value>(_ values: [Value], _ text: (Value) -> String?) -> String {
            "{" + values.map { text($0).map { "\"\($0)\"" } ?? "NULL" }.joined(separator: ",") + "}"
        }
        func time(_ rank: Int?) -> String? { rank.flatMap { times[$0] } }
        let (changed, begun) = (batch.changed, batch.begun)
        return [
            array(changed) { places[$0.place].part }, array(changed) { places[$0.place].place },
            array(changed) { "\($0.keyRow)" }, array(changed) { $0.row.map { "\($0)" } },
            array(changed) { time($0.from) }, array(changed) { time($0.until) },
            array(begun) { "\($0.row)" }, array(begun) { time($0.from) }, array(begun) { time($0.until) },
        ]
    }
}
