/// The versions of one key while rows take effect on them one after another, told by numbers alone: times by their rank,
/// values by a number that equal values share. A sink has its database find the numbers, and writes what comes of them.
///
/// The version that held at a row's time and does not differ stays; else it ends there and the row becomes the version from
/// there to where that one ended. A version of the very same time is changed in place. A time at which nothing held is filled
/// up to the next version.
package struct HistoryLine {
    /// A version that the table holds, or that a row has begun.
    package struct Version: Sendable, Hashable {
        /// Its place in the table, as the sink counts; nil for one that a row has begun.
        package let place: Int?
        /// Since when it holds.
        package let from: Int
        /// When it ends, nil while it is open.
        package private(set) var until: Int?
        /// The row whose values it has; nil for its own.
        package private(set) var row: Int?
        /// Whether a row has ended it.
        package private(set) var isEnded = false
        private var value: Int

        package init(place: Int?, from: Int, until: Int?, value: Int, row: Int? = nil) {
            (self.place, self.from, self.until, self.row, self.value) = (place, from, until, row, value)
        }

        fileprivate func differs(from value: Int) -> Bool { self.value != value }

        fileprivate mutating func end(at time: Int) { (until, isEnded) = (time, true) }

        fileprivate mutating func take(_ value: Int, of row: Int) { (self.value, self.row) = (value, row) }
    }

    /// The versions in order of time.
    package private(set) var versions: [Version]
    /// What became of the rows.
    package private(set) var counts = WriteCounts()

    /// The versions of the table that rows may meet, in any order.
    package init(_ versions: [Version] = []) { self.versions = versions.sorted { $0.from < $1.from } }

    /// Lets a row take effect.
    package mutating func apply(row: Int, at time: Int, value: Int) {
        var (place, end) = (0, versions.count)
        while place < end {
            let middle = place + (end - place) / 2
            if versions[middle].from < time { place = middle + 1 } else { end = middle }
        }
        if place < versions.count, versions[place].from == time {
            guard versions[place].differs(from: value) else { return counts.unchanged += 1 }
            versions[place].take(value, of: row)
            counts.updated += 1
            return
        }
        var until = place < versions.count ? versions[place].from : nil
        if place > 0, versions[place - 1].until.map({ $0 > time }) ?? true {
            guard versions[place - 1].differs(from: value) else { return counts.unchanged += 1 }
            until = versions[place - 1].until
            versions[place - 1].end(at: time)
        }
        versions.insert(Version(place: nil, from: time, until: until, value: value, row: row), at: place)
        counts.inserted += 1
    }
}
