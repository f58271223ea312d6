public import HeadraceColumnar
public import HeadraceCore

extension LandingZone {
    /// Moves the days that lie more than `days` days before `today` to the archive, where `read` still finds them.
    ///
    /// A day is whole in the archive, its manifest last, before anything of it is removed, its manifest first: a crash at
    /// any moment leaves it readable, and the next call goes on.
    ///
    /// - Returns: the days that were moved, in order.
    public func archive(olderThan days: Int, today: CivilDate, in context: RunContext) async throws -> [CivilDate] {
        var moved: [CivilDate] = []
        for (date, names) in try await self.days(below: prefix) {
            guard Int(today.daysSinceEpoch) - Int(date.daysSinceEpoch) > days else { break }
            try context.cancellation.check()
            try await move(names, from: folder(prefix, date), to: folder(archivePrefix, date), context)
            moved.append(date)
        }
        return moved
    }

    /// Brings an archived day back, so that a scrape can add to it.
    func restore(_ date: CivilDate, in context: RunContext) async throws {
        let folder = folder(archivePrefix, date)
        let names = try await store.list(prefix: folder).map { String($0.dropFirst(folder.count)) }
        if names.contains(Self.manifestName) {
            try await move(names, from: folder, to: self.folder(prefix, date), context)
        }
    }

    private func move(_ names: [String], from: String, to: String, _ context: RunContext) async throws {
        let isWhole = names.contains(Self.manifestName)
        let manifestIsMoved = try await manifest(in: to) != nil
        // Without a manifest here but with one there, an earlier move was killed while it removed.
        if isWhole || !manifestIsMoved {
            for name in names where name != Self.manifestName {
                try context.cancellation.check()
                try await copy(from + name, to + name)
            }
            if isWhole { try await copy(from + Self.manifestName, to + Self.manifestName) }
        }
        try context.faults.reach("landing.archive")
        if isWhole { try await store.delete(from + Self.manifestName) }
        for name in names where name != Self.manifestName { try await store.delete(from + name) }
    }

    private func copy(_ from: String, _ to: String) async throws {
        let bytes = try await store.get(from)
        try await store.put(to, bytes)
    }
}
