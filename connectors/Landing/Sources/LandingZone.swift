public import HeadraceColumnar
public import HeadraceCore
import HeadraceDigests

extension HeadraceError.Code {
    /// A landed file is gone or is not what its manifest says.
    public static let landedFileChanged = Self("landedFileChanged")
}

/// Keeps every payload as it was received, by day: `raw/2026-01-05/ebay_prices_020000-001.csv` and so on, with
/// `metadata.json` (what became of each source) and `manifest.json` (the files with sizes and SHA-256).
///
/// The manifest is written last, at once or not at all, and names exactly the files of the latest good scrape of each
/// source, so that after a crash at any moment a day reads as it did before, or as it does after. One scrape of a date may
/// be under way at a time.
public struct LandingZone: Sendable {
    /// Where everything is kept.
    public let store: any ObjectStore
    /// The folder of the days.
    public let prefix: String
    /// Where old days go.
    public let archivePrefix: String

    /// A zone in a store; nothing is read or written yet.
    public init(store: any ObjectStore, prefix: String = "raw", archivePrefix: String = "archive") {
        self.store = store
        self.prefix = prefix
        self.archivePrefix = archivePrefix
    }

    static let manifestName = "manifest.json"
    static let metadataName = "metadata.json"

    /// Begins a scrape of some sources of a date; see `LandingScrape`. A day that was archived is brought back.
    ///
    /// - Throws: `malformedInput` when the date has a manifest that cannot be read.
    public func scrape(on date: CivilDate, in context: RunContext) async throws -> LandingScrape {
        let folder = folder(prefix, date)
        var before = try await manifest(in: folder)
        if before == nil {
            try await restore(date, in: context)
            before = try await manifest(in: folder)
        }
        let keys = try await store.list(prefix: folder)
        return LandingScrape(
            zone: self, date: date, folder: folder, before: before?.files ?? [],
            statistics: try await statistics(on: date), present: Set(keys.map { String($0.dropFirst(folder.count)) }),
            context)
    }

    /// The files of a date, each checked against the manifest's size and checksum. Days that were archived are found too.
    ///
    /// - Throws: `notFound` when nothing was landed for the date, `landedFileChanged` with the file, the expected and the
    ///   found checksum.
    public func read(_ date: CivilDate, in context: RunContext) async throws -> LandedDay {
        for root in [prefix, archivePrefix] {
            let folder = folder(root, date)
            guard let manifest = try await manifest(in: folder) else { continue }
            for file in manifest.files {
                try context.cancellation.check()
                try await verify(file, in: folder, context)
            }
            return LandedDay(store: store, folder: folder, manifest: manifest)
        }
        throw HeadraceError(
            .notFound, "nothing was landed for \(date) in \(store.name)",
            fields: [("looked for", folder(prefix, date) + Self.manifestName)], hint: "scrape the date first")
    }

    /// The manifest of a date without a look at its files; nil when there is none.
    public func manifest(on date: CivilDate) async throws -> LandingManifest? {
        try await manifest(in: folder(prefix, date))
    }

    /// What `metadata.json` tells about the sources of a date, in order of name; empty when nothing was scraped.
    public func statistics(on date: CivilDate) async throws -> [LandingStatistics] {
        guard let bytes = try await contents(folder(prefix, date) + Self.metadataName) else { return [] }
        // Statistics that cannot be read must not stop a scrape.
        let sources = (try? JSONValue.parse(bytes))?["sources"]?.arrayValue ?? []
        return sources.compactMap { LandingStatistics(json: $0) }
    }

    /// The days that have a folder, in order.
    public func dates() async throws -> [CivilDate] { try await days(below: prefix).map(\.date) }

    // MARK: - Inside

    func folder(_ root: String, _ date: CivilDate) -> String { "\(root)/\(date)/" }

    func days(below root: String) async throws -> [(date: CivilDate, names: [String])] {
        var days: [String: [String]] = [:]
        for key in try await store.list(prefix: root + "/") {
            let parts = key.dropFirst(root.count + 1).split(separator: "/", maxSplits: 1)
            if parts.count == 2 { days[String(parts[0]), default: []].append(String(parts[1])) }
        }
        return days.compactMap { name, names in
            let parsed = DateText.parse(Array(name.utf8).span)
            guard parsed.problem == .none else { return nil }
            return (CivilDate(daysSinceEpoch: parsed.value), names)
        }.sorted { $0.date < $1.date }
    }

    /// An object's bytes, nil when it is not there.
    func contents(_ key: String) async throws -> [UInt8]? {
        do {
            return try await store.get(key)
        } catch let error as HeadraceError where error.code == .notFound {
            return nil
        }
    }

    func manifest(in folder: String) async throws -> LandingManifest? {
        let key = folder + Self.manifestName
        return try await contents(key).map { bytes throws(HeadraceError) in try LandingManifest(bytes, key: key) }
    }

    private func verify(_ file: LandedFile, in folder: String, _ context: RunContext) async throws {
        let key = folder + file.name
        func changed(_ found: String) -> HeadraceError {
            HeadraceError(
                .landedFileChanged, "\(key) is not the file that was landed",
                fields: [("expected", "\(file.bytes) bytes, sha256 \(file.sha256)"), ("found", found)],
                hint: "restore the file, or scrape \(file.source) for this date again")
        }
        let (bytes, sha256): (Int, String)
        do {
            (bytes, sha256) = try await Self.digest(store, key, context)
        } catch let error as HeadraceError where error.code == .notFound {
            throw changed("no such file")
        }
        guard bytes == file.bytes, sha256 == file.sha256 else { throw changed("\(bytes) bytes, sha256 \(sha256)") }
    }

    /// Size and SHA-256 of an object, read piece by piece.
    static func digest(_ store: any ObjectStore, _ key: String, _ context: RunContext) async throws -> (Int, String) {
        let source = store.byteSource(for: [key])
        return try await BlockingWork.run {
            guard let object = try source.nextObject(after: nil, in: context) else {
                throw HeadraceError(.notFound, "\(key) is not there")
            }
            let reader = try source.open(object, at: 0, in: context)
            defer { reader.close() }
            var digest = try SHA256()
            var total = 0
            let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
            defer { piece.deallocate() }
            while case let got = try reader.read(into: piece), got > 0 {
                digest.update(UnsafeRawBufferPointer(rebasing: piece[..<got]))
                total += got
            }
            return (total, Hexadecimal.encode(digest.finish()))
        }
    }
}

/// A day whose files were checked.
public struct LandedDay: Sendable {
    let store: any ObjectStore
    let folder: String
    /// The manifest that the files were checked against.
    public let manifest: LandingManifest

    /// The sources that have files, in order of name.
    public var sources: [String] { manifest.sources }

    /// The files of a source as bytes, in the order of its pages; empty for a source without files.
    public func byteSource(for source: String) -> any ByteSource {
        store.byteSource(for: manifest.files(of: source).map { folder + $0.name })
    }
}
