public import HeadraceCore
import Synchronization

/// Makes one fault point of a run fail, or runs something there, and notes every point that was reached.
public final class Faults: FaultPoints {
    private let point: String?
    private let action: @Sendable () throws -> Void
    private let passed = Mutex<[String]>([])

    /// The run throws an error of code `fault` each time it reaches `point`; nil makes nothing fail.
    public init(failingAt point: String?) {
        self.point = point
        action = { throw HeadraceError(.init("fault"), "planned fault at \(point ?? "")") }
    }

    /// Runs `action` each time the run reaches `point`; what it throws is the run's error.
    public init(at point: String, _ action: @escaping @Sendable () throws -> Void) {
        self.point = point
        self.action = action
    }

    /// The points reached so far, in order.
    public var reached: [String] { passed.withLock { $0 } }

    public func reach(_ point: String) throws {
        passed.withLock { $0.append(point) }
        if point == self.point { try action() }
    }
}
