public import HeadraceCore

/// http and https for the command line: `https://host/prices.csv`, `https://host/api/items#page=p&page-until=empty:/items`.
///
/// The query belongs to the server; our options stand in the fragment, beside those of the format.
public struct HTTPConnector: CarrierConnector {
    /// The connector; it holds no state, and a client is made for each location.
    public init() {}

    public let name = "http"
    public let schemes = ["http", "https"]
    public let options = HTTPOptions.all

    /// One body, or the pages of an answer where the options say how one leads to the next.
    public func byteSource(at location: Location) throws -> any ByteSource {
        let options = HTTPOptions(location)
        let url = try options.url()
        let client = try RESTClient(try options.configuration())
        if let pagination = try options.pagination() {
            return try PagedBytes(
                url, pagination, limit: try options.number("page-limit", 1...10_000_000) ?? 10_000, client: client)
        }
        if try options.flag("resume") { return ResumableHTTPBytes(url, client: client) }
        return HTTPBytes(url, client: client)
    }

    /// Always throws `unsupported`: nothing is written over HTTP.
    public func byteSink(at location: Location) throws -> any ByteSink {
        throw HeadraceError(
            .unsupported, "\(location) cannot be written to", hint: "write to a file, a database or an object store")
    }

    /// Asks for the head of the answer, or for the answer where a server knows no HEAD, and reads no body.
    public func check(_ location: Location, in context: RunContext) async throws -> String {
        let options = HTTPOptions(location)
        let url = try options.url()
        let client = try RESTClient(try options.configuration())
        do {
            var request = RESTRequest("HEAD", url)
            request.accepts = [405, 501]
            var answer = try await client.open(request, in: context)
            if !answer.response.isSuccess {
                answer.close()
                answer = try await client.open(RESTRequest("GET", url), in: context)
            }
            answer.close()
            let headers = answer.response.headers
            let size = answer.byteCount.map { "\($0) bytes" }
            let found = [headers["Content-Type"], size, headers["ETag"].map { "ETag \($0)" }].compactMap { $0 }
            await client.close()
            return "\(client.redact(url)) answers with status \(answer.response.status)"
                + (found.isEmpty ? "" : ": " + found.joined(separator: ", "))
        } catch {
            await client.close()
            throw error
        }
    }
}
