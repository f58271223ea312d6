public import HeadraceCore
import Synchronization

/// Keeps what a run logs: message and fields, one text a line.
public final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    /// No lines yet.
    public init() {}

    /// The lines so far: the message, then `name=value` for each field.
    public var all: [String] { lines.withLock { $0 } }

    /// The log to hand to a run.
    public var log: EventLog {
        EventLog { [self] _, message, fields in
            let text = ([message] + fields.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
            lines.withLock { $0.append(text) }
        }
    }
}
