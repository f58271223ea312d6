public import HeadraceCore
public import HeadraceHTTPClient

/// One page as it was received.
public struct HTTPPage: Sendable {
    /// Counts from 1.
    public let number: Int
    /// The answer that brought the page.
    public let response: RESTResponse

    /// A page of a number, from 1, and the answer that brought it.
    public init(number: Int, response: RESTResponse) {
        self.number = number
        self.response = response
    }

    /// The fields of the answer, duplicates kept.
    public var headers: HTTPHeaders { response.headers }
    /// The body, unpacked and otherwise as the server sent it.
    public var bytes: [UInt8] { response.bytes }
    /// The URL that answered, after redirects and without the client's own keys.
    public var url: URLReference { response.url }
}

/// Takes each page as received, before anything looks into it: a landing zone, a test.
public typealias PageSink = @Sendable (_ page: HTTPPage) async throws -> Void

extension RESTClient {
    /// The walk's next page; nil at the end. The walk stands after the page then, so that a failed call can be made
    /// again.
    ///
    /// - Parameters:
    ///   - deadline: the run's monotonic nanoseconds after which no page is wanted.
    ///   - sink: gets the page as received, also one that turns out to be damaged.
    /// - Throws: as `send`, and `badPagination`.
    public func next(
        _ walk: inout PageWalk, headers: HTTPHeaders = [:], deadline: Int64? = nil, in context: RunContext,
        sink: PageSink? = nil
    ) async throws -> HTTPPage? {
        guard let step = walk.next else { return nil }
        var request = RESTRequest("GET", step.url, headers: headers)
        request.sendsCredentials = !step.isForeign
        request.deadline = deadline
        if walk.endsWhenMissing { request.accepts = [404, 410] }
        let response = try await send(request, in: context)
        if !(200..<300).contains(response.status) {
            walk.endHere()
            return nil
        }
        let page = HTTPPage(number: step.number, response: response)
        try await sink?(page)
        do {
            let isPastEnd = try walk.isPastEnd(page.bytes, status: response.status)
            try walk.advance(
                past: page.bytes, headers: page.headers, status: response.status, url: response.url)
            walk.takeOff(secretParameters)
            return isPastEnd && step.number > 1 ? nil : page
        } catch {
            throw HeadraceError.wrapping(error, "page \(step.number) cannot be followed", code: .badPagination)
                .at("page \(step.number) of \(redact(step.url))")
        }
    }

    /// Hands every page to `body`, in order, one in memory at a time; gives their number.
    ///
    /// - Parameter limit: the time for all pages and all attempts; nil for any.
    public func forEachPage(
        of walk: PageWalk, headers: HTTPHeaders = [:], within limit: Duration? = nil, in context: RunContext,
        _ body: PageSink
    ) async throws -> Int {
        var walk = walk
        var count = 0
        let deadline = limit.map { context.clock.monotonic() + $0.nanoseconds }
        while let page = try await next(&walk, headers: headers, deadline: deadline, in: context) {
            try await body(page)
            count += 1
        }
        return count
    }
}
