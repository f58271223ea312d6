import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import HeadraceTesting
import Synchronization

/// A client that goes through no proxy and is not slowed down.
func testClient(_ change: (inout RESTConfiguration) -> Void = { _ in }) throws -> RESTClient {
    var configuration = RESTConfiguration()
    configuration.http.proxy = .none
    configuration.limits = []
    change(&configuration)
    return try RESTClient(configuration)
}

/// The error of a call that must fail with one of ours.
func failure(_ work: () async throws -> Void) async -> HeadraceError? {
    do {
        try await work()
        return nil
    } catch {
        return error as? HeadraceError
    }
}

/// Counts how often each thing was seen.
final class Tally: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    /// The count of a name, this time included.
    func next(_ name: String) -> Int {
        counts.withLock {
            $0[name, default: 0] += 1
            return $0[name, default: 0]
        }
    }
}

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    var current: Value { value.withLock { $0 } }

    func change(_ body: @Sendable (inout Value) -> Void) { value.withLock { body(&$0) } }
}
