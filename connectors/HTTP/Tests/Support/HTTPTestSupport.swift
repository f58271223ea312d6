import HeadraceCore
import HeadraceHTTP
import HeadraceHTTPClient
import Synchronization

/// A clock that only moves when someone sleeps: to the end of the sleep, at once.
final class VirtualClock: RunClock {
    private let time = Mutex<Int64>(1_000_000_000)
    private let naps = Mutex<[Duration]>([])
    /// 2026-01-05T00:00:00Z at the start, in microseconds.
    static let start: Int64 = 1_767_571_200_000_000

    /// Every sleep asked for, in order.
    var sleeps: [Duration] { naps.withLock { $0 } }

    func now() -> Int64 { Self.start + (monotonic() - 1_000_000_000) / 1000 }
    func monotonic() -> Int64 { time.withLock { $0 } }

    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        let (seconds, attoseconds) = duration.components
        let end = monotonic() + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        naps.withLock { $0.append(duration) }
        time.withLock { $0 = max($0, end) }
        await Task.yield()
    }

    func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        time.withLock { $0 += seconds * 1_000_000_000 + attoseconds / 1_000_000_000 }
    }
}

/// The machine's time, for tests of waits that a cancellation must end.
struct RealClock: RunClock {
    private static let origin = ContinuousClock.now

    func now() -> Int64 { VirtualClock.start + monotonic() / 1000 }

    func monotonic() -> Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - Self.origin).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}

/// Keeps what is logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var log: EventLog {
        EventLog { [self] _, message, fields in
            let text = message + " " + fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            lines.withLock { $0.append(text) }
        }
    }
}

struct NoRejects: RejectWriter {
    func write(_ rejects: [Reject], epoch: Int) async throws {}
    func flush() async throws {}
}

func testContext(
    clock: any RunClock = VirtualClock(), log: EventLog = .none, cancellation: Cancellation = Cancellation()
) -> RunContext {
    RunContext(
        job: "test", run: "run-1", fence: 1, clock: clock, random: RunRandom(seed: 7),
        memory: MemoryBudget(limit: 1 << 30), spillFolder: "/tmp", rejects: NoRejects(), progress: SilentProgress(),
        log: log, faults: NoFaults(), cancellation: cancellation, scheduling: .threaded(workers: 1))
}

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
