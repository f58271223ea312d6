import HeadraceHTTPClient

/// A client that never goes through a proxy of the environment.
func makeClient(_ change: (inout HTTPClientConfiguration) -> Void = { _ in }) throws -> HTTPClient {
    var configuration = HTTPClientConfiguration()
    configuration.proxy = .none
    change(&configuration)
    return try HTTPClient(configuration)
}

/// The error of a call that must fail.
func failure(_ work: () async throws -> Void) async -> HTTPClientError? {
    do {
        try await work()
        return nil
    } catch {
        return error as? HTTPClientError
    }
}
