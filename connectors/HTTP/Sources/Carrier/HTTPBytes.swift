public import HeadraceCore
public import HeadraceHTTPClient
import Synchronization

/// The body of one URL as a stream of bytes: read once, as it comes, unpacked where the server packed it for the way.
///
/// A transfer that breaks off is taken up again where the server proves by a strong ETag that the bytes are the same;
/// otherwise it is an error. A run cannot resume in it: see `ResumableHTTPBytes`.
public struct HTTPBytes: ByteSource {
    /// What is asked for.
    public let request: RESTRequest
    private let client: RESTClient
    private let opening = Opening()

    /// A GET of a URL.
    public init(_ url: URLReference, client: RESTClient) {
        self.init(RESTRequest("GET", url), client: client)
    }

    /// The answer to a request, which must be one that may be sent twice if it is to be tried again.
    public init(_ request: RESTRequest, client: RESTClient) {
        self.request = request
        self.client = client
    }

    public var name: String { client.redact(request.url) }

    public func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        guard previous == nil else { return nil }
        return try opening.object(request, client, context).object
    }

    public func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        guard offset == 0 else {
            throw HeadraceError(
                .unsupported, "\(name) can only be read from its start", hint: "add resume=true if the server allows it"
            )
        }
        let answer = try opening.take(request, client, context)
        return HTTPBytesReader(client, request, HTTPBytesReader.Opened(answer: answer), at: 0, in: context)
    }
}

/// The body of one URL that a later run can read on from any byte, while the server keeps the same version of it.
///
/// The server must name versions by strong ETags. Bytes are asked for unpacked, since ranges count those; a server without ranges
/// is read from the start again and what was read before is passed over.
public struct ResumableHTTPBytes: ResumableByteSource {
    /// What is asked for; the range is added when reading goes on.
    public let request: RESTRequest
    private let client: RESTClient
    private let opening = Opening()

    /// A GET of a URL.
    public init(_ url: URLReference, client: RESTClient) {
        var request = RESTRequest("GET", url)
        request.headers["Accept-Encoding"] = "identity"
        self.request = request
        self.client = client
    }

    public var name: String { client.redact(request.url) }

    public func nextObject(after previous: ByteObject?, in context: RunContext) throws -> ByteObject? {
        guard previous == nil else { return nil }
        let (object, tag) = try opening.object(request, client, context)
        guard tag != nil else {
            throw HeadraceError(
                .unsupported, "\(name) cannot be resumed, because the server does not name its versions",
                fields: [("identity", object.identity.isEmpty ? "none" : object.identity)],
                hint: "leave resume=true out, or land the file first")
        }
        return object
    }

    public func open(_ object: ByteObject, at offset: Int, in context: RunContext) throws -> any ByteReader {
        if offset == 0, let answer = opening.takeOpen(), answer.identity == object.identity {
            return HTTPBytesReader(client, request, HTTPBytesReader.Opened(answer: answer), at: 0, in: context)
        }
        let (client, request) = (client, request)
        let opened = try BlockingWork.wait {
            try await HTTPBytesReader.open(
                client, request, tag: object.identity, at: offset, isPacked: false, in: context)
        }
        guard let opened else { return EmptyReader() }
        return HTTPBytesReader(client, request, opened, at: offset, in: context)
    }
}

/// What asking for a URL has brought so far: the object, and the answer until someone reads it.
private final class Opening: Sendable {
    private struct State {
        var object: ByteObject?
        var tag: String?
        var answer: OpenAnswer?
    }

    private let state = Mutex(State())

    deinit { state.withLock { $0.answer?.close() } }

    func object(_ request: RESTRequest, _ client: RESTClient, _ context: RunContext) throws -> (
        object: ByteObject, tag: String?
    ) {
        if let known = state.withLock({ state in state.object.map { ($0, state.tag) } }) { return known }
        let answer = try BlockingWork.wait { try await client.open(request, in: context) }
        let object = ByteObject(
            name: client.redact(request.url), byteCount: answer.byteCount, identity: answer.identity,
            contentType: answer.response.headers["Content-Type"])
        state.withLock { state in
            state.answer?.close()
            state = State(object: object, tag: answer.strongTag, answer: answer)
        }
        return (object, answer.strongTag)
    }

    /// The answer that waits to be read; nil when it was taken.
    func takeOpen() -> OpenAnswer? { state.withLock { $0.answer.take() } }

    /// The answer that waits to be read, or a new one.
    func take(_ request: RESTRequest, _ client: RESTClient, _ context: RunContext) throws -> OpenAnswer {
        if let answer = takeOpen() { return answer }
        return try BlockingWork.wait { try await client.open(request, in: context) }
    }
}

/// Reads nothing: the end of a body.
final class EmptyReader: ByteReader {
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { 0 }
    func close() {}
}
