import HeadraceCore
import HeadraceDigests

/// Lands the pages of one source, in order, as they come.
public actor LandingFeed {
    private struct Page {
        let bytes: [UInt8]
        let contentType: String?
        let url: String?
        let landedAt: Int64
    }

    /// The source's name, which its files begin with.
    public nonisolated let source: String
    private let fileExtension: String
    private let folder: String
    private let time: Int64
    private let store: any ObjectStore
    private let context: RunContext
    private let startedAt: Int64
    /// The first page, until it is known whether it is the only one: that decides its name.
    private var held: Page?
    private var files: [LandedFile] = []
    private var bytes = 0
    private var requests = 0
    private var end: (time: Int64, error: String?)?

    init(
        _ source: String, fileExtension: String, folder: String, time: Int64, store: any ObjectStore,
        _ context: RunContext
    ) {
        self.source = source
        self.fileExtension = fileExtension
        self.folder = folder
        self.time = time
        self.store = store
        self.context = context
        startedAt = context.clock.now()
    }

    /// Keeps a page as it was received. Every page but the first is durable when this returns; the first is with the
    /// second page or `finish`.
    ///
    /// - Parameters:
    ///   - url: where it came from; passwords and keys in it are not written.
    ///   - requests: requests that the page took.
    public func land(_ page: [UInt8], contentType: String? = nil, url: String? = nil, requests: Int = 1) async throws {
        guard end == nil else {
            throw HeadraceError(.badOption, "a page of \(source) came after the source was finished")
        }
        self.requests += requests
        bytes += page.count
        let page = Page(
            bytes: page, contentType: contentType, url: url.map(Self.redacted), landedAt: context.clock.now())
        if let first = held {
            held = nil
            try await write(first, page: 1, isOnly: false)
        } else if files.isEmpty {
            held = page
            return
        }
        try await write(page, page: files.count + 1, isOnly: false)
    }

    /// All pages have come.
    public func finish() async throws {
        guard end == nil else { return }
        if let only = held {
            held = nil
            try await write(only, page: 1, isOnly: true)
        }
        end = (context.clock.now(), nil)
    }

    /// The source failed: its pages of this scrape do not count. The error goes to `metadata.json`.
    public func fail(_ error: any Error) {
        guard end == nil else { return }
        held = nil
        let text = (error as? HeadraceError).map { $0.description } ?? "\(error)"
        end = (context.clock.now(), text)
    }

    func outcome(_ now: Int64) -> (files: [LandedFile], statistics: LandingStatistics) {
        let end = end ?? (now, "the source was not finished")
        let statistics = LandingStatistics(
            source: source, error: end.error, startedAt: startedAt, finishedAt: end.time,
            files: end.error == nil ? files.count : 0, bytes: bytes, requests: requests)
        return (files, statistics)
    }

    private func write(_ page: Page, page number: Int, isOnly: Bool) async throws {
        let name = LandingNames.file(source, time: time, page: isOnly ? nil : number, extension: fileExtension)
        let digest = try Hexadecimal.encode(SHA256.hash(page.bytes))
        try context.faults.reach("landing.file")
        try await store.put(folder + name, page.bytes)
        files.append(
            LandedFile(
                name: name, bytes: page.bytes.count, sha256: digest, source: source, page: number,
                contentType: page.contentType, url: page.url, landedAt: page.landedAt))
    }

    /// A URL without its user's password and without parameters that sound secret.
    private static func redacted(_ url: String) -> String {
        (try? Location(url) { _ in false })?.description ?? "<redacted>"
    }
}
