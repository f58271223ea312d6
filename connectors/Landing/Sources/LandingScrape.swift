import HeadraceColumnar
public import HeadraceCore

/// One scrape of a date: sources land their pages side by side, `finish` makes those that are complete the files of
/// the day.
///
/// Until `finish` returns, the day reads as it did before. A source that fails, or is scraped again and fails, leaves its
/// earlier files as they were; only its statistics tell of the failure.
public actor LandingScrape {
    private let zone: LandingZone
    private let date: CivilDate
    private let folder: String
    private let before: [LandedFile]
    private let context: RunContext
    private var statistics: [String: LandingStatistics]
    /// Names in the folder that must not be written over, before and during the scrape.
    private var taken: Set<String>
    private var feeds: [String: LandingFeed] = [:]
    private var isFinished = false

    init(
        zone: LandingZone, date: CivilDate, folder: String, before: [LandedFile], statistics: [LandingStatistics],
        present: Set<String>, _ context: RunContext
    ) {
        self.zone = zone
        self.date = date
        self.folder = folder
        self.before = before
        self.context = context
        self.statistics = Dictionary(statistics.map { ($0.source, $0) }) { $1 }
        taken = present
    }

    /// Begins to land a source.
    ///
    /// - Parameters:
    ///   - name: letters, digits, `_`, `-` and `.`; unique in the scrape.
    ///   - fileExtension: without the dot: `csv`, `json`, `xml`, `html`.
    /// - Throws: `badOption` for a name or extension that cannot be a file's, or a source begun before.
    public func source(_ name: String, fileExtension: String) throws(HeadraceError) -> LandingFeed {
        guard LandingNames.isSource(name), LandingNames.isSource(fileExtension), !fileExtension.contains(".") else {
            throw HeadraceError(
                .badOption, "\"\(name).\(fileExtension)\" cannot be landed under this name",
                hint: "use letters, digits, '_' and '-'")
        }
        guard feeds[name] == nil, !isFinished else {
            throw HeadraceError(.badOption, "the source \(name) is landed already in this scrape")
        }
        // A second scrape within a second gets the next one's name: no file that a manifest names is written over.
        var time = Temporal.timeOfDay(ofTimestamp: context.clock.now())
        let day: Int64 = 86_400_000_000
        let own = taken.filter { LandingNames.isFile($0, of: name) }
        for _ in 0..<86_400 {
            let stamp = LandingNames.file(name, time: time, page: nil, extension: "")
            guard own.contains(where: { $0.hasPrefix(stamp.dropLast()) }) else { break }
            time = (time + 1_000_000) % day
        }
        let feed = LandingFeed(
            name, fileExtension: fileExtension, folder: folder, time: time, store: zone.store, context)
        feeds[name] = feed
        return feed
    }

    /// Makes the complete sources of this scrape the day's files and removes the files that they replace.
    ///
    /// A source whose feed was neither finished nor failed counts as failed.
    ///
    /// - Returns: the manifest as written, with the sources of earlier scrapes.
    /// - Throws: what the store throws; the day then reads as before, or, when only the removal of old files failed, as
    ///   after.
    @discardableResult
    public func finish() async throws -> LandingManifest {
        var files = before
        var replaced: Set<String> = []
        for (name, feed) in feeds {
            let outcome = await feed.outcome(context.clock.now())
            statistics[name] = outcome.statistics
            guard outcome.statistics.error == nil else { continue }
            files.removeAll { $0.source == name }
            files += outcome.files
            replaced.insert(name)
        }
        let manifest = LandingManifest(date: "\(date)", run: context.run, files: files)
        let metadata: JSONValue = [
            "date": .string("\(date)"), "run": .string(context.run),
            "writtenAt": .string(Temporal.formatTimestamp(context.clock.now(), hasZone: true)),
            "sources": .array(statistics.values.sorted { $0.source < $1.source }.map(\.json)),
        ]
        try context.cancellation.check()
        try await put(LandingZone.metadataName, metadata)
        try context.faults.reach("landing.manifest")
        try await put(LandingZone.manifestName, manifest.json)
        isFinished = true
        try context.faults.reach("landing.sweep")
        try await sweep(replaced.union(feeds.keys), keeping: Set(manifest.files.map(\.name)))
        return manifest
    }

    private func put(_ name: String, _ json: JSONValue) async throws {
        try await zone.store.put(folder + name, Array((json.prettyText + "\n").utf8))
    }

    /// Removes files of the sources just scraped that the manifest does not name: replaced ones, those of scrapes that
    /// failed or were killed. Files that are not of this zone's making stay.
    private func sweep(_ sources: Set<String>, keeping named: Set<String>) async throws {
        for key in try await zone.store.list(prefix: folder) {
            let name = String(key.dropFirst(folder.count))
            guard !named.contains(name), sources.contains(where: { LandingNames.isFile(name, of: $0) }) else {
                continue
            }
            try await zone.store.delete(key)
        }
    }
}
