import HeadraceCore
import HeadraceHTTPClient
import Synchronization

/// Asks each origin for its robots.txt once and keeps to it.
final class RobotsGate: Sendable {
    private let known = Mutex<[URLReference.Origin: RobotsRules]>([:])

    /// - Throws: `robotsDisallowed` when the URL must not be fetched.
    func check(_ request: RESTRequest, client: RESTClient, in context: RunContext) async throws {
        guard case .obeyed(let agent) = client.configuration.robots, let origin = request.url.origin,
            request.url.path != "/robots.txt"
        else { return }
        let rules = try await rules(of: origin, request.url, agent, client, context)
        let path = (request.url.path.isEmpty ? "/" : request.url.path) + (request.url.query.map { "?" + $0 } ?? "")
        guard rules.allows(path) else {
            throw HeadraceError(
                .robotsDisallowed, "\(client.redact(request.url)) is closed to programs by the site's robots.txt",
                fields: [("agent", agent)], because: rules == .refuseAll ? "robots.txt could not be fetched" : nil,
                hint: rules == .refuseAll
                    ? "try again when the site is up" : "ask the site's owner, or use an API that it offers",
                retry: rules == .refuseAll ? .mayHelp : .never)
        }
    }

    private func rules(
        of origin: URLReference.Origin, _ url: URLReference, _ agent: String, _ client: RESTClient,
        _ context: RunContext
    ) async throws -> RobotsRules {
        if let rules = known.withLock({ $0[origin] }) { return rules }
        let rules = try await fetch(origin, agent, client, context)
        // What is not known now may be known at the next request.
        guard rules != .refuseAll else { return rules }
        let isNew = known.withLock { known in
            defer { known[origin] = rules }
            return known[origin] == nil
        }
        if isNew, let delay = rules.crawlDelay, delay > 0 {
            let limit = RateLimit(1, per: .milliseconds(Int64(min(delay, 3600) * 1000)))
            client.limiters[RESTClient.host(of: url)].add(limit, clock: context.clock)
        }
        return rules
    }

    /// RFC 9309 section 2.3.1: no file allows everything, a file that cannot be had allows nothing.
    private func fetch(
        _ origin: URLReference.Origin, _ agent: String, _ client: RESTClient, _ context: RunContext
    ) async throws -> RobotsRules {
        var request = RESTRequest("GET", try URLReference(http: "\(origin)/robots.txt"))
        request.accepts = Set(400..<500).subtracting(client.configuration.retry.statuses)
        do {
            let response = try await client.send(request, in: context)
            return response.status < 300 ? RobotsRules(response.bytes, agent: agent) : .allowAll
        } catch let error as HeadraceError where error.code == .httpStatus || error.code == .httpFailed {
            return .refuseAll
        }
    }
}
