import HeadraceColumnar
import HeadraceCore

/// Writes log events to standard error, as text or as one JSON object a line.
enum LogOutput {
    /// - Parameter least: events below this level are dropped.
    static func log(json: Bool, least: EventLog.Level, clock: any RunClock) -> EventLog {
        EventLog { level, message, fields in
            guard level >= least else { return }
            StandardStreams.error(json ? line(clock.now(), level, message, fields) : text(level, message, fields))
        }
    }

    private static func text(_ level: EventLog.Level, _ message: String, _ fields: [(name: String, value: String)])
        -> String
    {
        let details = fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        return "\(level): \(message)\(details.isEmpty ? "" : " " + details)\n"
    }

    private static func line(
        _ time: Int64, _ level: EventLog.Level, _ message: String, _ fields: [(name: String, value: String)]
    ) -> String {
        let members: [(String, JSONValue)] =
            [
                ("time", .string(Temporal.formatTimestamp(time, hasZone: true))), ("level", .string("\(level)")),
                ("message", .string(message)),
            ] + fields.map { ($0.name, .string($0.value)) }
        return JSONValue.object(members).compactText + "\n"
    }
}
