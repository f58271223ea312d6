import HeadraceColumnar
import HeadraceCore

/// Writes log events to standard error, as text or as one JSON object a line.
enum LogOutput {
    /// - Parameter least: events below this level are dropped.
    static func log(json: Bool, least: EventLog.Level, clock: any RunClock) -> EventLog {
        EventLog { level, message, fields in
            guard level >= least else { return }
            if json {
                write(level, message, fields.map { ($0.name, .string($0.value)) }, at: clock.now())
            } else {
                StandardStreams.error(text(level, message, fields))
            }
        }
    }

    private static func text(_ level: EventLog.Level, _ message: String, _ fields: [(name: String, value: String)])
        -> String
    {
        let details = fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        return "\(level): \(message)\(details.isEmpty ? "" : " " + details)\n"
    }

    /// Writes one JSON object as a line.
    /// - Parameter time: microseconds since 1970-01-01T00:00:00Z.
    static func write(_ level: EventLog.Level, _ message: String, _ members: [(String, JSONValue)], at time: Int64) {
        let head: [(String, JSONValue)] = [
            ("time", .string(Temporal.formatTimestamp(time, hasZone: true))), ("level", .string("\(level)")),
            ("message", .string(message)),
        ]
        StandardStreams.error(JSONValue.object(head + members).compactText + "\n")
    }
}
