/// What the rows of a batch make of the versions that a table keeps, reckoned key by key as a sink's database lists both.
package struct HistoryBatch {
    /// A version of the table that is changed.
    package struct Change: Sendable, Hashable {
        /// Its place, as the sink counts.
        package let place: Int
        /// The row whose values it takes; nil where it keeps its own.
        package let row: Int?
        /// Since when it holds.
        package let from: Int
        /// When it ends now; nil where that stays as it is.
        package let until: Int?
    }

    /// A version that begins.
    package struct Begin: Sendable, Hashable {
        /// The row whose values it takes.
        package let row: Int
        /// Since when it holds.
        package let from: Int
        /// When it ends, nil while it is open.
        package let until: Int?
    }

    /// What became of the rows.
    package private(set) var counts = WriteCounts()
    package private(set) var changed: [Change] = []
    package private(set) var begun: [Begin] = []
    private var key: Int?
    private var versions: [HistoryLine.Version] = []
    private var rows: [(row: Int, time: Int, value: Int)] = []

    package init() {}

    /// Whether nothing is to be written.
    package var isEmpty: Bool { changed.isEmpty && begun.isEmpty }

    /// Takes a version of the table. All of one key, versions and rows, come together.
    package mutating func add(version place: Int, key: Int, value: Int, from: Int, until: Int?) {
        enter(key)
        versions.append(HistoryLine.Version(place: place, from: from, until: until, value: value))
    }

    /// Takes a row; those of a key come in the order of the source.
    package mutating func add(row: Int, key: Int, value: Int, at time: Int) {
        enter(key)
        rows.append((row, time, value))
    }

    private mutating func enter(_ key: Int) {
        if key != self.key { finish() }
        self.key = key
    }

    /// Reckons what comes of the last key's rows.
    package mutating func finish() {
        defer { (versions, rows) = ([], []) }
        guard let first = rows.first?.row else { return }
        var line = HistoryLine(versions)
        for row in rows { line.apply(row: row.row, at: row.time, value: row.value) }
        counts = counts + line.counts
        for version in line.versions {
            guard let place = version.place else {
                begun.append(Begin(row: version.row ?? first, from: version.from, until: version.until))
                continue
            }
            guard version.isEnded || version.row != nil else { continue }
            changed.append(
                Change(
                    place: place, row: version.row, from: version.from, until: version.isEnded ? version.until : nil))
        }
    }
}
