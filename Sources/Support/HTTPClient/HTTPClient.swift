/// Sends HTTP requests over libcurl, any number at a time, and hands their answers out while they arrive.
///
/// One thread of its own carries all transfers; connections are kept and used again. There are no retries, no limits of
/// rate and no cookies: policy belongs to whoever sends. When the client and all bodies are gone the thread ends.
public final class HTTPClient: Sendable {
    /// The `User-Agent` of requests where neither they nor the configuration say otherwise.
    public static let defaultUserAgent = "headrace/0.1.0"

    /// What all requests share.
    public let configuration: HTTPClientConfiguration
    private let owner: DriverOwner

    /// Starts a client.
    ///
    /// - Throws: ``HTTPClientError`` with the code `outOfResources` when there is no memory or no thread.
    public init(_ configuration: HTTPClientConfiguration = HTTPClientConfiguration()) throws(HTTPClientError) {
        self.configuration = configuration
        owner = DriverOwner(try TransferDriver(maxIdleConnections: configuration.maxIdleConnections))
    }

    /// Sends a request, follows redirects as it allows, and returns when the head of the answer is there. Error statuses
    /// are answers, not errors. Cancelling the task closes the connection at once, here and while the body is read.
    ///
    /// - Throws: ``HTTPClientError``.
    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        var request = TransferPlan.movingCredentials(of: request)
        let deadline = request.timeouts.total.map { monotonicNanoseconds() &+ $0.clampedNanoseconds }
        var visited: [URLReference] = []
        do {
            while true {
                let plan = try TransferPlan(request, configuration: configuration, deadline: deadline)
                let transfer = Transfer(plan, driver: owner.driver)
                let answer = try await transfer.start()
                let headers = answer.head.headers
                do {
                    let step = try RedirectStep.after(
                        request, status: answer.head.status, headers: headers, followed: visited.count)
                    guard case .follow(let next) = step else {
                        return HTTPResponse(
                            status: answer.head.status, reason: answer.head.reason, version: answer.head.version,
                            headers: headers, url: request.url, redirects: visited, timing: answer.timing,
                            body: try HTTPBody(transfer, owner: owner, request: request, headers: headers))
                    }
                    await transfer.discard(upTo: 64 << 10)
                    visited.append(request.url)
                    request = next
                } catch {
                    transfer.cancel()
                    throw error
                }
            }
        } catch let error as HTTPClientError {
            throw error.at(request.url)
        }
    }

    /// Ends all exchanges with an error of the code `clientClosed` and waits until every connection is closed. Later requests fail
    /// the same way. Not needed: a client that nobody holds ends by itself.
    public func close() async {
        await owner.driver.stopAndWait()
    }
}

/// Held by the client and by bodies under way: the driver stops when the last of them goes.
final class DriverOwner: Sendable {
    let driver: TransferDriver

    init(_ driver: TransferDriver) {
        self.driver = driver
    }

    deinit {
        driver.stop()
    }
}
