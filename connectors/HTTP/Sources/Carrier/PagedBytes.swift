public import HeadraceCore
public import HeadraceHTTPClient
import Synchronization

/// The pages of an answer as objects, in order, fetched one at a time and held in memory one at a time.
///
/// Every page can be landed as received on its way. Pages are asked for when they are wanted and cannot be gone back to, except
/// the first; a run cannot resume in them.
public struct PagedBytes: ByteSource {
    private struct State {
        var walk: PageWalk?
        /// The first page's object, which may be asked for again.
        var first: ByteObject?
        /// The page fetched last.
        var current: (object: ByteObject, bytes: [UInt8])?
        var hasEnded = false
    }

    private final class Progress: Sendable {
        let state = Mutex(State())
    }

    private let start: PageWalk
    private let headers: HTTPHeaders
    private let client: RESTClient
    private let sink: PageSink?
    private let progress = Progress()
    public let name: String

    /// - Parameters:
    ///   - sink: gets every page as received, the empty one at the end included.
    /// - Throws: `badOption` for a pagination that cannot be.
    public init(
        _ url: URLReference, _ pagination: Pagination, limit: Int = 10_000, allowsOtherOrigins: Bool = false,
        headers: HTTPHeaders = [:], client: RESTClient, sink: PageSink? = nil
    ) throws(HeadraceError) {
        start = try PageWalk(from: url, pagination, limit: limit, allowsOtherOrigins: allowsOtherOrigins)
        self.headers = headers
        self.client = client
        self.sink = sink
        name = client.redact(url)
    }

    public func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        let (known, isKnown) = progress.state.withLock { state -> (ByteObject?, Bool) in
            guard let previous else { return (state.first, state.first != nil) }
            guard state.current?.object != previous else { return (nil, state.hasEnded) }
            // Asked again for the page that was fetched last.
            return (state.current?.object, true)
        }
        if isKnown { return known }
        return try fetch(restarting: previous == nil, in: context)
    }

    public func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        guard offset == 0 else {
            throw HeadraceError(.unsupported, "a page of \(name) can only be read from its start")
        }
        if let bytes = held(object) { return PageReader(bytes) }
        if progress.state.withLock({ $0.first == object }) {
            _ = try fetch(restarting: true, in: context)
            if let bytes = held(object) { return PageReader(bytes) }
        }
        throw HeadraceError(
            .unsupported, "\(object.name) was read already and cannot be gone back to",
            hint: "land the pages first and read them from there")
    }

    private func held(_ object: ByteObject) -> [UInt8]? {
        progress.state.withLock { $0.current?.object == object ? $0.current?.bytes : nil }
    }

    /// Fetches the next page, or the first one again.
    private func fetch(restarting: Bool, in context: RunContext) throws -> ByteObject? {
        let from = restarting ? start : progress.state.withLock { $0.walk } ?? start
        let (client, headers, sink, name) = (client, headers, sink, name)
        let (page, walk) = try BlockingWork.wait {
            var walk = from
            let page = try await client.next(&walk, headers: headers, in: context, sink: sink)
            return (page, walk)
        }
        return progress.state.withLock { state in
            state.walk = walk
            state.hasEnded = page == nil
            guard let page else { return nil }
            let object = ByteObject(
                name: "\(name) (page \(page.number))", byteCount: nil, identity: page.response.etag ?? "",
                contentType: page.headers["Content-Type"])
            state.current = (object, page.bytes)
            if page.number == 1 { state.first = object }
            return object
        }
    }
}

/// Reads a page that is in memory.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteReader` promises.
final class PageReader: ByteReader, @unchecked Sendable {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, bytes.count - position)
        bytes.withUnsafeBytes { whole in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: whole[position..<position + count]))
        }
        position += count
        return count
    }

    func close() {}
}
