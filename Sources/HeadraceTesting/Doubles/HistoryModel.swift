package import HeadraceCore

/// What a history must come to, row by row and without any cleverness: the reference that sinks are held against.
package struct HistoryModel {
    /// A row as it comes: at `time` the value of `key` was `value`.
    package struct Change: Sendable, Hashable {
        package let key: Int
        package let time: Int
        package let value: Int

        package init(key: Int, time: Int, value: Int) {
            self.key = key
            self.time = time
            self.value = value
        }
    }

    /// A row of the table.
    package struct Version: Sendable, Hashable {
        package let key: Int
        package var value: Int
        package let from: Int
        package var until: Int?
        package var isCurrent: Bool

        package init(key: Int, value: Int, from: Int, until: Int?, isCurrent: Bool) {
            self.key = key
            self.value = value
            self.from = from
            self.until = until
            self.isCurrent = isCurrent
        }
    }

    /// The table, in no order.
    package private(set) var versions: [Version]

    /// A table that holds `versions`, among which there may be gaps.
    package init(_ versions: [Version] = []) { self.versions = versions }

    /// Lets one row take effect.
    package mutating func apply(_ change: Change) -> WriteCounts {
        if let same = versions.firstIndex(where: { $0.key == change.key && $0.from == change.time }) {
            guard versions[same].value != change.value else { return WriteCounts(unchanged: 1) }
            versions[same].value = change.value
            return WriteCounts(updated: 1)
        }
        let others = versions.indices.filter { versions[$0].key == change.key }
        let holding = others.first { index in
            versions[index].from < change.time && versions[index].until.map { $0 > change.time } ?? true
        }
        if let holding, versions[holding].value == change.value { return WriteCounts(unchanged: 1) }
        let next = others.map { versions[$0].from }.filter { $0 > change.time }.min()
        let until = if let holding { versions[holding].until } else { next }
        if let holding {
            versions[holding].until = change.time
            versions[holding].isCurrent = false
        }
        versions.append(
            Version(key: change.key, value: change.value, from: change.time, until: until, isCurrent: until == nil))
        return WriteCounts(inserted: 1)
    }

    /// Lets rows take effect one after another.
    package mutating func apply(_ changes: [Change]) -> WriteCounts {
        var counts = WriteCounts()
        for change in changes { counts = counts + apply(change) }
        return counts
    }

    /// Batches of changes of few keys and values, so that everything happens: late rows, repeated times, equal values.
    package static func batches(seed: UInt64, count: Int) -> [[Change]] {
        let random = RunRandom(seed: seed)
        func number(_ bound: UInt64) -> Int { Int(random.below(bound)) }
        let isOrdered = random.below(3) == 0
        var clock = 0
        return (0..<count).map { _ in
            (0..<number(12)).map { _ in
                clock += 1
                return Change(key: number(4), time: isOrdered ? clock : number(30), value: number(3))
            }
        }
    }

    /// A table with versions that have ended without a next one, as somebody else may have left it.
    package static func table(seed: UInt64) -> [Version] {
        let random = RunRandom(seed: seed &+ 1_000_000)
        var versions: [Version] = []
        for key in 0..<4 where random.below(2) == 0 {
            var begin = Int(random.below(8))
            while begin < 24 {
                let end = begin + 1 + Int(random.below(8))
                let isOpen = end > 18
                versions.append(
                    Version(
                        key: key, value: Int(random.below(3)), from: begin, until: isOpen ? nil : end, isCurrent: isOpen
                    ))
                if isOpen { break }
                begin = end + Int(random.below(4))
            }
        }
        return versions
    }
}
