/// What a run tells about itself while it works.
public protocol ProgressReporter: Sendable {
    /// Takes one event. Called on the engine's threads in the path of the rows, so it must return at once.
    func report(_ event: ProgressEvent)
}

/// One event of a run. Counts are totals of the step so far.
public enum ProgressEvent: Sendable {
    /// A step begins, before its first row; all counts of the step start at 0.
    case stepStarted(step: String)
    /// Rows and bytes read so far; `totalBytes` where the source knows its size.
    case read(step: String, rows: Int, bytes: Int, totalBytes: Int?)
    /// Rows that a sink has taken so far, committed or not. Goes on when all is read: a sort hands its rows on only then.
    case written(step: String, rows: Int)
    /// An epoch of a sink is durable; `rows` is what the sink has committed in this load, earlier epochs included.
    case committed(step: String, epoch: Int, rows: Int)
    /// A step has no more rows; `error` is nil when it came to its end.
    case stepFinished(step: String, error: String?)
}

/// Reports nothing.
public struct SilentProgress: ProgressReporter {
    /// A reporter for tests and for runs that nobody watches.
    public init() {}
    /// Drops the event.
    public func report(_ event: ProgressEvent) {}
}

/// Writes structured log events; values are already free of secrets because `Secret` cannot print.
public struct EventLog: Sendable {
    /// How much an event matters, from least to most.
    public enum Level: Int, Sendable, Comparable {
        /// Details for whoever writes or mends a connector.
        case debug
        /// What a run did and found out, for whoever reads about it later.
        case info
        /// Something odd that the run copes with.
        case warning
        /// Something that fails a step or ends the run.
        case error
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    private let sink: @Sendable (Level, String, [(name: String, value: String)]) -> Void

    /// Hands every event to `sink`, which drops the levels that it does not want. It is called from any thread.
    public init(_ sink: @escaping @Sendable (Level, String, [(name: String, value: String)]) -> Void) {
        self.sink = sink
    }

    /// Drops everything.
    public static var none: EventLog { EventLog { _, _, _ in } }

    /// Writes one event. Values belong in `fields`, in the order to print them, so that `message` is the same text each
    /// time.
    public func log(_ level: Level, _ message: String, _ fields: [(name: String, value: String)] = []) {
        sink(level, message, fields)
    }

    /// Something worth knowing when a run is read about later, such as what was found out about a file.
    public func info(_ message: String, _ fields: [(name: String, value: String)] = []) { sink(.info, message, fields) }
    /// Something odd that the run copes with: a retry, a renewal that has to be tried again.
    public func warning(_ message: String, _ fields: [(name: String, value: String)] = []) {
        sink(.warning, message, fields)
    }
    /// Something that fails a step or ends the run.
    public func error(_ message: String, _ fields: [(name: String, value: String)] = []) {
        sink(.error, message, fields)
    }
}
