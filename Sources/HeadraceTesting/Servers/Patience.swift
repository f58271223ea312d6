/// Looks again and again, for five seconds at the most, until nothing is found: servers notice a closed connection when
/// they come to it.
///
/// - Returns: what was found the last time.
public func settled(_ look: () throws -> [String]) async throws -> [String] {
    var found = try look()
    for _ in 0..<50 where !found.isEmpty {
        try await Task.sleep(for: .milliseconds(100))
        found = try look()
    }
    return found
}
