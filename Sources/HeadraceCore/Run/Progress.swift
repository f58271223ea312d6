/// What a run tells about itself while it works.
public protocol ProgressReporter: Sendable {
    func report(_ event: ProgressEvent)
}

/// One event of a run. Counts are totals of the step so far.
public enum ProgressEvent: Sendable {
    case stepStarted(step: String)
    /// Rows and bytes read so far; `totalBytes` where the source knows its size.
    case read(step: String, rows: Int, bytes: Int, totalBytes: Int?)
    case written(step: String, rows: Int)
    case committed(step: String, epoch: Int, rows: Int)
    case stepFinished(step: String, error: String?)
}

/// Reports nothing.
public struct SilentProgress: ProgressReporter {
    public init() {}
    public func report(_ event: ProgressEvent) {}
}

/// Writes structured log events; values are already free of secrets because `Secret` cannot print.
public struct EventLog: Sendable {
    public enum Level: Int, Sendable, Comparable {
        case debug, info, warning, error
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    private let sink: @Sendable (Level, String, [(name: String, value: String)]) -> Void

    public init(_ sink: @escaping @Sendable (Level, String, [(name: String, value: String)]) -> Void) {
        self.sink = sink
    }

    /// Drops everything.
    public static var none: EventLog { EventLog { _, _, _ in } }

    public func log(_ level: Level, _ message: String, _ fields: [(name: String, value: String)] = []) {
        sink(level, message, fields)
    }

    public func info(_ message: String, _ fields: [(name: String, value: String)] = []) { sink(.info, message, fields) }
    public func warning(_ message: String, _ fields: [(name: String, value: String)] = []) {
        sink(.warning, message, fields)
    }
    public func error(_ message: String, _ fields: [(name: String, value: String)] = []) {
        sink(.error, message, fields)
    }
}
