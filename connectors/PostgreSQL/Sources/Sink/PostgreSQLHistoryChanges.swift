import HeadraceCore

/// What rows make of the versions of a table, as the server takes it.
struct PostgreSQLHistoryChanges {
    private(set) var batch = HistoryBatch()
    /// Where versions lie: part and place.
    private var places: [(part: String, place: String)] = []
    /// When versions of the key at hand end, by part and place.
    private var ends: [String: Int] = [:]
    private var key: Int?
    /// Times by their rank.
    private var times: [Int: String] = [:]

    /// Takes a row of what `PostgreSQLHistory.look` finds: of each key the ends of versions first.
    mutating func see(_ found: borrowing PostgreSQLRow) {
        func number(_ column: Int) -> Int? { found.integer(column).map { Int($0) } }
        let (key, value, time) = (number(4) ?? 0, number(5) ?? 0, number(6) ?? 0)
        times[time] = found.text(7)
        if key != self.key { ends = [:] }
        self.key = key
        if let row = number(0) { return batch.add(row: row, key: key, value: value, at: time) }
        let place = (part: found.text(1) ?? "", place: found.text(2) ?? "")
        if found.bool(3) {
            ends[place.part + place.place] = time
        } else {
            let until = ends[place.part + place.place]
            batch.add(version: places.count, key: key, value: value, from: time, until: until)
            places.append(place)
        }
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
            array(changed) { $0.row.map { "\($0)" } }, array(changed) { time($0.from) },
            array(changed) { time($0.until) }, array(begun) { "\($0.row)" }, array(begun) { time($0.from) },
            array(begun) { time($0.until) },
        ]
    }
}
